"""Files of secrets that are committed to git: a `.env`, a key, a file of credentials."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.model.posture import Check, Fix, Place, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Evidence, credentials
from agentguard.posture.tree import SeenFile
from agentguard.posture.words import counted, ignore, in_its_repository, names, rotate, shell_path

_WHY = (
    "Everyone who can read the repository has these keys, and so has every clone, fork and backup of it: deleting the "
    "file later does not take them back."
)
_SOPS_READS = (".yaml", ".yml", ".json", ".env", ".ini")
_WHY_EMPTY = "It holds no key now, but the next one that is written into it is committed without a word."


def check(evidence: Evidence) -> Iterator[Weakness]:
    encrypted = {one.file.path for one in evidence.references}
    for file in evidence.files:
        if not file.is_secret_file or not evidence.is_tracked(file):
            continue
        held = credentials(evidence.in_file(file))
        if not held and (file.kind != "dotenv" or file.path in encrypted):
            continue
        if not held:
            yield Weakness(
                check=Check.FILE_TRACKED,
                severity=Severity.LOW,
                title=f"{file.name} is committed to git; it holds no key today",
                why=_WHY_EMPTY,
                fixes=(_untrack(evidence, file),),
                places=(Place(path=file.name),),
            )
            continue
        keys = counted(len(held), "key")
        yield Weakness(
            check=Check.FILE_TRACKED,
            severity=max((one.severity for one in held), key=lambda severity: severity.rank),
            title=f"{file.name} is committed to git, with {keys} in it: {names(evidence, [one.match for one in held])}",
            why=_WHY,
            fixes=(
                _untrack(evidence, file),
                *_encrypt(file),
                *rotate(evidence, [one.match for one in held], why="it is in the history now"),
            ),
            places=tuple(one.places[0].place for one in held),
        )


def _encrypt(file: SeenFile) -> list[Fix]:
    """A manifest or a file of variables may have to be in the repository."""
    if file.kind != "secrets-file" or not file.name.endswith(_SOPS_READS):
        return []
    command = f"sops encrypt --in-place {shell_path(file.name)}"
    return [Fix(do="Or, where it has to be in git: keep it there encrypted", command=command)]


def _untrack(evidence: Evidence, file: SeenFile) -> Fix:
    """Without the commit: what else is staged is the user's own matter."""

    def command(path: str) -> str:
        return f"git rm --cached -- {shell_path(path)} && {ignore(path)} && git add .gitignore"

    return Fix(
        do="Stop tracking it, and commit that; the file itself stays",
        command=in_its_repository(evidence, file.name, command),
    )
