"""What is done well: values that are fetched from a secrets manager, and files that git ignores."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.model.posture import GoodPractice, Place
from agentguard.posture.evidence import Evidence, Reference
from agentguard.posture.words import counted


def practices(evidence: Evidence) -> Iterator[GoodPractice]:
    """Most used first, then the files."""
    by_manager: dict[str, list[Reference]] = {}
    for one in evidence.references:
        by_manager.setdefault(one.manager, []).append(one)
    for manager, found in sorted(by_manager.items(), key=lambda item: -sum(one.count for one in item[1])):
        count = sum(one.count for one in found)
        yield GoodPractice(
            what=f"{counted(count, 'value')} taken from {manager}",
            count=count,
            places=tuple(Place(path=one.file.name) for one in found),
        )
    ignored = [
        file
        for file in evidence.files
        if file.kind == "dotenv"
        and not file.at_home
        and evidence.git is not None
        and not evidence.is_tracked(file)
        and not evidence.is_addable(file)
    ]
    if ignored:
        yield GoodPractice(
            what=f"{counted(len(ignored), 'file')} with secrets kept out of git",
            count=len(ignored),
            places=tuple(Place(path=file.name) for file in ignored),
        )
