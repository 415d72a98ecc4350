"""Looks into one file: the credentials in it, the values of an MCP configuration, references to secrets managers."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Protocol

from agentguard.detect.file_scan import FileScanner, Placed
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.matching import Located
from agentguard.detect.parse import text_of
from agentguard.detect.values import extract_values
from agentguard.model.at_rest import SecretAtRest
from agentguard.model.secret import SecretMatch, SecretValue
from agentguard.posture.catalogue import ELSEWHERE, MCP_PLACE, Catalogue
from agentguard.posture.environment import environment_of
from agentguard.posture.evidence import Inline, Kept, Reference
from agentguard.posture.mcp_file import UNTYPED, InlineValue, inline_values
from agentguard.posture.tree import SeenFile

_MOST_PLACES = 50
"""Of one credential in one file."""
_MOST_MANAGERS = 3
"""That one file takes values from; what names more is a list of them: a rule of a scanner, a manual, a policy."""
_MOST_LOOKED_UP = 200
"""Credentials of one file whose sections are looked up."""
MOST_BYTES = 64 << 20
"""Of a larger file only this much is looked at, which is told."""
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRANSCRIPT = "transcript"
"""Agents keep theirs in databases, too, and text stands plainly in them."""
_HEAD = 64 << 10
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SCANNED = frozenset({"secrets-file", "private-key", "keystore", "ssh-private-key", "pgp-private-key", "age-key"})
"""Kinds of which only what is recognised counts: the rest of a settings file, and of a key, is no list of secrets."""
_MOST_BYTES_OF_SETTINGS = 1 << 20
_MOST_BYTES_OF_JSON = 16 << 20
"""Of an MCP configuration: agents keep more than that in the same file. (YAML and TOML are read far more slowly.)"""
_SETTINGS = frozenset(
    ".yml .yaml .json .jsonc .toml .ini .cfg .conf .properties .tf .tfvars .hcl .sh .bash .zsh .fish .nix .ps1".split()  # noqa: SIM905
)
_SETTINGS_NAMES = frozenset({"Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Procfile", "Taskfile.yml"})


class Recogniser(Protocol):
    """What is asked of the scanner, beside what `FileScanner` does."""

    @property
    def fingerprinter(self) -> Fingerprinter: ...

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form."""

    def redact(self, text: str) -> tuple[str, list[SecretMatch]]:
        """The text with every secret replaced by its preview, and what was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLook:
    """What one file holds. No value is in it."""

    kept: tuple[Kept, ...] = ()
    allowed: tuple[SecretAtRest, ...] = ()
    """Credentials that a comment on their line allows: no weakness, and in the inventory all the same."""
    inline: tuple[Inline, ...] = ()
    references: tuple[Reference, ...] = ()
    unread: str = ""
    """Why it, or a part of it, could not be looked at; "" when it was."""


class FileReader:
    """Opens files and never follows a link, waits for a FIFO, or keeps what it read.

    Args:
        on_secret: told the device and inode of each file with secrets that is opened: a guard that watches it must not
            take us for someone unknown.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        files: FileScanner,
        recogniser: Recogniser,
        on_secret: Callable[[int, int], object] = lambda _device, _inode: None,
    ) -> None:
        self._on_secret = on_secret
        self._catalogue = catalogue
        self._files = files
        self._recogniser = recogniser

    def look(self, file: SeenFile) -> FileLook:
        """Read it and judge it."""
        if file.is_secret_file:
            self._on_secret(*file.identity)
        try:
            data, cut = _read(file.path, binary=file.place == _TRANSCRIPT)
        except OSError as error:
            return FileLook(unread=error.strerror or type(error).__name__)
        kept, allowed = self._kept(file, data)
        inline, complaint = self._inline(file, data)
        inline = _as_the_scan_knows(kept, inline)
        if kept or inline:
            self._on_secret(*file.identity)
        references = list(self._references(file, data))
        unread = complaint or (f"only its first {MOST_BYTES >> 20} MB were looked at" if cut else "")
        return FileLook(
            kept=tuple(kept),
            allowed=tuple(allowed),
            inline=tuple(inline),
            references=tuple(references),
            unread=unread,
        )

    def _path(self, file: SeenFile) -> str:
        """As the inventory of credentials wants it: relative to the project, absolute elsewhere, and without a key."""
        return self._recogniser.redact(file.path if file.at_home else file.name)[0]

    def _kept(self, file: SeenFile, data: bytes) -> tuple[list[Kept], list[SecretAtRest]]:
        """What counts, and what a comment on its line allows."""
        placed = self._files.find(file.name, data).placed
        path = self._path(file) if placed else ""
        allowed = [self._files.at_rest(path, one) for one in placed if one.allowed]
        found = [self._files.at_rest(path, one) for one in _few_of_each(placed) if not one.allowed]
        if file.is_secret_file and file.kind not in _SCANNED:
            known = {one.match.fingerprint for one in (*found, *allowed)}
            found += self._given(file, data, known, [one.located.value for one in placed])
        counted = [one for one in found if not one.match.public]
        lines = data.splitlines() if counted and _is_small_settings(file, data) else []
        return [
            Kept(
                secret=one,
                file=file,
                environment=self._environment(file, one, lines if number < _MOST_LOOKED_UP else ()),
            )
            for number, one in enumerate(counted)
        ], allowed

    def _given(self, file: SeenFile, data: bytes, known: set[str], values: list[bytes]) -> Iterator[SecretAtRest]:
        """Values that the file's own format gives as secrets, beside those that are recognised by their form. Of a URL
        and the password in it one counts."""
        for value in sorted(extract_values(file.path, data, file.kind, self._recogniser), key=_longest_first):
            if value.fingerprint in known or any(value.value in other or other in value.value for other in values):
                continue
            known.add(value.fingerprint)
            values.append(value.value)
            match = SecretMatch(
                type=value.type, fingerprint=value.fingerprint, preview=value.preview, name=value.name, place="file"
            )
            line, column = _position(data, value.value)
            yield SecretAtRest(path=self._path(file), line=line, column=column, match=match, severity=UNTYPED)

    def _environment(self, file: SeenFile, one: SecretAtRest, lines: Sequence[bytes]) -> str:
        return environment_of(self._catalogue, file, one.match.name, lines, one.line)

    def _inline(self, file: SeenFile, data: bytes) -> tuple[list[Inline], str]:
        """What stands in an MCP configuration, and why it could not be understood."""
        agent = self._catalogue.agent(file.path) if file.place == MCP_PLACE else None
        if agent is None or not data.strip():
            return [], ""
        if len(data) > (_MOST_BYTES_OF_JSON if "json" in PurePosixPath(file.name).suffix else _MOST_BYTES_OF_SETTINGS):
            return [], "it is too large for an MCP configuration"
        try:
            found = inline_values(agent, file.path, text_of(data), self._recogniser)
        except ValueError as error:
            return [], str(error)
        return [
            Inline(agent=agent, server=self._recogniser.redact(one.server)[0], kept=self._inline_kept(file, one, data))
            for one in found
        ], ""

    def _inline_kept(self, file: SeenFile, one: InlineValue, data: bytes) -> Kept:
        line, column = _position(data, one.value.encode("utf-8", "surrogatepass"))
        match = replace(one.match, place="file")
        secret = SecretAtRest(path=self._path(file), line=line, column=column, match=match, severity=one.severity)
        return Kept(secret=secret, file=file, environment=self._environment(file, secret, ()))

    def _references(self, file: SeenFile, data: bytes) -> Iterator[Reference]:
        if not _is_small_settings(file, data):
            return
        found = [
            Reference(manager=manager.name, file=file, count=count)
            for manager in self._catalogue.managers
            if any(word in data for word in manager.keywords) and (count := len(manager.regex.findall(data)))
        ]
        if len(found) <= _MOST_MANAGERS:
            yield from found


def _few_of_each(placed: list[Placed]) -> Iterator[Placed]:
    """A log may hold the same key in every line."""
    times: Counter[bytes] = Counter()
    for one in placed:
        times[one.located.value] += 1
        if times[one.located.value] <= _MOST_PLACES:
            yield one


def _as_the_scan_knows(kept: list[Kept], inline: list[Inline]) -> list[Inline]:
    """Of a URL with a password one look finds the URL, the other the password. What the scan finds in the line of an
    inline value is that value: by its fingerprint it is known in the history and in other files."""
    known = {one.match.fingerprint for one in kept}
    named = {one.kept.match.fingerprint for one in inline}

    def known_as(one: Inline) -> Inline:
        line = one.kept.secret.line
        others = [each for each in kept if line and each.secret.line == line and each.match.fingerprint not in named]
        if one.kept.match.fingerprint in known or len(others) != 1:
            return one
        match = replace(others[0].match, name=one.kept.match.name)
        return replace(one, kept=replace(others[0], secret=replace(others[0].secret, match=match)))

    return [known_as(one) for one in inline]


def unread_home(file: SeenFile) -> bool:
    """Whether a file of the home folder is only looked at from outside: keys that lie in a file made for them are at
    home there, and nobody has asked to have each of them judged."""
    return file.at_home and file.is_secret_file


def _read(path: str, *, binary: bool) -> tuple[bytes, bool]:
    """Its content, and whether there is more of it. Raises OSError.

    `binary`: also of one that is no text, which its beginning tells; otherwise no more than that is read of it.
    """
    with os.fdopen(os.open(path, _FLAGS), "rb", buffering=0) as opened:
        info = os.fstat(opened.fileno())
        if not stat.S_ISREG(info.st_mode):
            return b"", False
        head = opened.read(min(info.st_size, _HEAD))
        if b"\0" in head and not binary and not head.startswith(_UTF16):
            return b"", False
        parts, left = [head], min(info.st_size, MOST_BYTES) - len(head)
        while left > 0 and (part := opened.read(left)):
            parts.append(part)
            left -= len(part)
    return b"".join(parts), info.st_size > MOST_BYTES


def _is_settings(file: SeenFile) -> bool:
    name = file.name.rpartition("/")[2]
    return (
        file.place not in (ELSEWHERE, "log", "transcript", "notebook", "shell-history")
        or name.startswith(".env")
        or name in _SETTINGS_NAMES
        or os.path.splitext(name)[1] in _SETTINGS  # noqa: PTH122 (asked of every file)
        or file.kind == "dotenv"
    )


def _is_small_settings(file: SeenFile, data: bytes) -> bool:
    """Whether it is worth a second look: for sections, and for references."""
    return _is_settings(file) and len(data) <= _MOST_BYTES_OF_SETTINGS


def _position(data: bytes, value: bytes) -> tuple[int, int]:
    """(line, column), from 1; (0, 0) where it stands there in other words."""
    at = data.find(value) if value else -1
    if at < 0:
        return 0, 0
    return data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)


def _longest_first(value: SecretValue) -> int:
    return -len(value.value)
