"""Raw facts made fit to be kept: without their secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from agentguard.model.finding import Finding
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
        described = Process(
            pid=process.pid,
            name=process.name,
            exe=process.exe,
            cmdline=self.arguments(process.cmdline)[0],
            start_time=process.start_time,
            ancestors=ancestors or process.ancestors,
        )
        return _named(described, self.text) if self._holds_secret(_names(described)) else described

    def finding(self, finding: Finding) -> Finding:
        """The last look at what is about to be kept: a file, a header or a variable may be named by a secret.

        Nearly every finding is clean, and one look at all of its texts says so.
        """
        names = [text for match in finding.matches for text in (match.name, match.place, match.source_path)]
        if not self._holds_secret([finding.subject, finding.path, finding.host, finding.asked_host, *names]):
            return finding
        text = self.text
        return replace(
            finding,
            subject=text(finding.subject),
            path=text(finding.path),
            host=text(finding.host),
            asked_host=text(finding.asked_host),
            matches=tuple(
                replace(match, name=text(match.name), place=text(match.place), source_path=text(match.source_path))
                for match in finding.matches
            ),
        )

    def _holds_secret(self, texts: Iterable[str]) -> bool:
        return bool(self._redactor.redact(_BETWEEN.join(texts))[1])

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


def _names(process: Process) -> list[str]:
    """Texts of a process that are not its command line."""
    return [process.name, process.exe, *(ancestor.name for ancestor in process.ancestors)]


def _named(process: Process, text: Callable[[str], str]) -> Process:
    ancestors = tuple(replace(ancestor, name=text(ancestor.name)) for ancestor in process.ancestors)
    return replace(process, name=text(process.name), exe=text(process.exe), ancestors=ancestors)


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
