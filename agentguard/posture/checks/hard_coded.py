"""Keys that are written into code or configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from agentguard.detect.checksum import KEY_BODIES
from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.catalogue import ELSEWHERE, MCP_PLACE
from agentguard.posture.evidence import Credential, Evidence, Kept, credentials
from agentguard.posture.words import label, lower, rotate, variable, where

_STARTUP = "shell-startup"
_WHY_TRACKED = (
    "It is in every clone of the repository, and every agent that reads the file sends it to its model provider."
)
_WHY = "Every agent that reads the file sends it to its model provider, and one careless commit publishes it."
_WHY_STARTUP = (
    "Every program you start inherits it: each package's install script, each editor extension, each agent and all "
    "that it runs."
)
_READS = {
    ".py": 'os.environ["{name}"]',
    ".js": "process.env.{name}",
    ".mjs": "process.env.{name}",
    ".cjs": "process.env.{name}",
    ".jsx": "process.env.{name}",
    ".ts": "process.env.{name}",
    ".tsx": "process.env.{name}",
    ".go": 'os.Getenv("{name}")',
    ".rb": 'ENV.fetch("{name}")',
    ".php": "getenv('{name}')",
    ".rs": 'std::env::var("{name}")',
    ".java": 'System.getenv("{name}")',
    ".kt": 'System.getenv("{name}")',
    ".scala": 'sys.env("{name}")',
    ".cs": 'Environment.GetEnvironmentVariable("{name}")',
    ".swift": 'ProcessInfo.processInfo.environment["{name}"]',
    ".dart": "String.fromEnvironment('{name}')",
    ".ex": 'System.fetch_env!("{name}")',
    ".exs": 'System.fetch_env!("{name}")',
    ".sh": '"${{{name}:?}}"',
    ".bash": '"${{{name}:?}}"',
    ".ps1": "$env:{name}",
    ".tf": "var.{lower}, a variable with `sensitive = true`, set as TF_VAR_{lower}",
    ".r": 'Sys.getenv("{name}")',
    ".lua": 'os.getenv("{name}")',
    ".pl": "$ENV{{{name}}}",
}
"""How code of a file's ending reads an environment variable."""
_PROSE = frozenset({".md", ".mdx", ".rst", ".txt", ".adoc", ".html"})


def check(evidence: Evidence) -> Iterator[Weakness]:
    inline = {(one.kept.file.path, one.kept.match.fingerprint) for one in evidence.inline}
    found = [one for one in evidence.kept if _counts(one) and (one.file.path, one.match.fingerprint) not in inline]
    for one in credentials(found):
        yield _weakness(evidence, one)


def _counts(one: Kept) -> bool:
    """An agent's own login in its own configuration is where it belongs."""
    return one.file.place == _STARTUP or (not one.file.kind and one.file.place in (ELSEWHERE, MCP_PLACE))


def _weakness(evidence: Evidence, one: Credential) -> Weakness:
    tracked = any(evidence.is_tracked(kept.file) for kept in one.places)
    first = one.places[0]
    return Weakness(
        check=Check.HARD_CODED,
        severity=one.severity if tracked or evidence.git is None else lower(one.severity),
        title=f"{label(evidence, one.match)} is written into {where(one.paths)}",
        why=_WHY_STARTUP if first.file.place == _STARTUP else _WHY_TRACKED if tracked else _WHY,
        fixes=(
            _take_out(evidence, first, variable(evidence, one.match)),
            *rotate(evidence, [one.match], why="it is in the history" if tracked else ""),
        ),
        places=tuple(kept.place for kept in one.places),
        type=one.match.type,
        name=one.match.name,
        preview=one.match.preview,
        fingerprint=one.match.fingerprint,
    )


def _take_out(evidence: Evidence, first: Kept, name: str) -> Fix:
    at = f"line {first.secret.line}" if first.secret.line else "the file"
    if first.file.place == _STARTUP:
        return Fix(
            do=f"Take it out of {at}, keep it in your keychain or secrets manager, and give it to the one program that "
            f"needs it: `{name}=$(op read op://VAULT/ITEM/FIELD) PROGRAM`"
        )
    kind = evidence.types.get(first.match.type)
    if kind is not None and kind.checksum in KEY_BODIES:
        return Fix(
            do=f"Move the key into a file of its own outside the project ({at}), with `chmod 600`, and name it in "
            f"the environment variable `{name}_FILE`"
        )
    if PurePosixPath(first.file.name).suffix.lower() in _PROSE:
        return Fix(do=f"Write what cannot be taken for a key in its place ({at}): `<your key>`")
    read = _READS.get(PurePosixPath(first.file.name).suffix.lower())
    if read is None:
        return Fix(
            do=f"Put a reference to the environment variable `{name}` in its place ({at}), and its value in .env"
        )
    code = read.format(name=name, lower=name.lower())
    return Fix(do=f"Read it from the environment instead ({at}): `{code}`, and put its value in .env")
