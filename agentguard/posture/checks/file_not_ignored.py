"""Files of secrets that git does not ignore: the next `git add .` commits them."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Evidence, credentials
from agentguard.posture.words import counted, ignore, in_its_repository, names

_WHY = "The next `git add .`, by you or by an agent, commits it, and a commit cannot be taken back from who has it."


def check(evidence: Evidence) -> Iterator[Weakness]:
    encrypted = {one.file.path for one in evidence.references}
    for file in evidence.files:
        if not file.is_secret_file or not evidence.is_addable(file):
            continue
        held = credentials(evidence.in_file(file))
        if not held and (file.kind != "dotenv" or file.path in encrypted):
            continue
        what = (
            f", with {counted(len(held), 'key')} in it: {names(evidence, [one.match for one in held])}" if held else ""
        )
        yield Weakness(
            check=Check.FILE_NOT_IGNORED,
            severity=Severity.HIGH if held else Severity.LOW,
            title=f"{file.name} is not ignored by git{what}",
            why=_WHY,
            fixes=(Fix(do="Have git ignore it", command=in_its_repository(evidence, file.name, ignore)),),
            places=tuple(one.places[0].place for one in held) or (Place(path=file.name),),
        )
