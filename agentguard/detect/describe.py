"""Raw facts made fit to be kept: without their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from agentguard.model.process import Ancestor, Process, ProcessSnapshot
from agentguard.model.secret import SecretMatch, SecretValue

_MAX_ARGUMENT = 4096
_MAX_ARGUMENTS = 256
_BETWEEN = "\x1f"
"""Between arguments that are looked at together: part of no credential and of no encoding."""


class Redactor(Protocol):
    """What is asked of the scanner."""

    def redact(self, text: str) -> tuple[str, list[SecretMatch]]:
        """The text with every secret replaced by its preview, and what was replaced."""


class Describer:
    """Makes `Process` of `ProcessSnapshot`, and text of text."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def text(self, text: str) -> str:
        """Without its secrets."""
        return self._redactor.redact(text)[0]

    def process(self, process: ProcessSnapshot | None, ancestors: tuple[Ancestor, ...]) -> Process | None:
        """As it may be kept; the attributed chain of parents is better than the sensor's."""
        if process is None:
            return None
        return Process(
            pid=process.pid,
            name=process.name,
            exe=process.exe,
            cmdline=self.arguments(process.cmdline)[0],
            start_time=process.start_time,
            ancestors=ancestors or process.ancestors,
        )

    def arguments(self, cmdline: Sequence[str]) -> tuple[tuple[str, ...], list[SecretMatch]]:
        """The command line without its secrets, and what they were.

        It is cut to size after it was redacted: half a secret would not be recognised. Nearly every command line is
        clean, and one look at the whole of it says so.
        """
        if not self._redactor.redact(_BETWEEN.join(cmdline))[1]:
            return _cut([_shortened(argument) for argument in cmdline]), []
        redacted: list[str] = []
        matches: list[SecretMatch] = []
        for argument in cmdline:
            shown, found = self._redactor.redact(argument)
            redacted.append(_shortened(shown))
            matches += found
        return _cut(redacted), distinct(matches)


def _shortened(argument: str) -> str:
    return argument if len(argument) <= _MAX_ARGUMENT else argument[: _MAX_ARGUMENT - 1] + "…"


def _cut(arguments: list[str]) -> tuple[str, ...]:
    if len(arguments) > _MAX_ARGUMENTS:
        arguments[_MAX_ARGUMENTS - 1 :] = ["…"]
    return tuple(arguments)


def match_of(value: SecretValue, place: str) -> SecretMatch:
    """A known value as a match."""
    return SecretMatch(
        type=value.type,
        fingerprint=value.fingerprint,
        preview=value.preview,
        name=value.name,
        place=place,
        issuer_hosts=value.issuer_hosts,
        source_path=value.source_path,
    )


def distinct(matches: Iterable[SecretMatch]) -> list[SecretMatch]:
    """One a fingerprint, the first, in their order."""
    found: dict[str, SecretMatch] = {}
    for match in matches:
        found.setdefault(match.fingerprint, match)
    return list(found.values())
