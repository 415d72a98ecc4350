"""Whether a file is secret for what it holds: the file is read with care, and its text is looked through.

Only credential types count: a form that a provider gave its keys, no example and no fill-in. `password = ...` in a
program is as often code as it is a password, and would make every second file of a project secret.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from agentguard.detect.files import ContentRules
from agentguard.detect.parse import bytes_of, text_of
from agentguard.detect.rarity import looks_random
from agentguard.detect.read_before import open_quietly
from agentguard.detect.rules import CredentialType
from agentguard.detect.scanner import Located
from agentguard.detect.templates import expand

_HEAD = 1024
_BLOCK = 256 * 1024
_OVERLAP = 4096
"""The longest match of any type (`CredentialType.max_length`)."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_URL_PASSWORD = re.compile(rb"://[^:/@]*:(.+)@", re.DOTALL)
_LOCAL = re.compile(r"127\.\d+\.\d+\.\d+|\[?::1\]?|[a-z0-9_-]+|.*\.(?:local|localhost|test|example|invalid)")
"""Hosts of one word are services of a compose file, or this machine."""


class Look(StrEnum):
    """What came of looking at a file."""

    HOLDS = "holds"
    CLEAN = "clean"
    PASSED = "passed"
    """No regular text file, or one that we may not read: neither may the agent."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One file, looked at."""

    look: Look
    info: os.stat_result | None = field(default=None, repr=False)
    """Taken before it was read; None when it could not be opened."""
    cut: bool = False
    """It is larger than what was looked through."""
    size: int = 0
    """Bytes looked through."""


class ContentJudge:
    """Says whether bytes hold a credential.

    Args:
        locate: `Scanner.locate`.
        rules: which types count, and how much of a file is read.
    """

    def __init__(self, locate: Callable[[bytes], list[Located]], rules: ContentRules) -> None:
        self._locate = locate
        self.rules = rules

    def holds(self, data: bytes) -> bool:
        """Whether a credential that counts stands in this text; b"" and binary data hold none."""
        if data.startswith(_UTF16):
            data = bytes_of(text_of(data))
        elif b"\0" in data[:_HEAD]:
            return False
        for start in range(0, len(data), _BLOCK):
            block = data if len(data) <= _BLOCK else data[max(0, start - _OVERLAP) : start + _BLOCK]
            if any(self.counts(one) for one in self._locate(block)):
                return True
        return False

    def proves_itself(self, decoy: Path, types: Sequence[CredentialType]) -> bool:
        """Whether it knows a secret file when it sees one: `decoy` is written with a made-up key, and removed."""
        kind = next(kind for kind in types if not kind.public and kind.id not in self.rules.quiet_types)
        try:
            decoy.write_text(f"decoy = {expand(kind.examples.match[0], kind.id)}\n")
            return self.look(str(decoy)).look is Look.HOLDS
        except OSError:
            return False
        finally:
            decoy.unlink(missing_ok=True)

    def counts(self, one: Located) -> bool:
        """Whether this find makes its file a secret one."""
        if one.type.public or one.type.id in self.rules.quiet_types or one.checksum_valid is False:
            return False
        return "://" not in one.type.pattern or _real_login(one)

    def look(self, path: str) -> Seen:
        """Open, read and judge one file. Never waits and never follows a link: it may be a FIFO by now."""
        try:
            descriptor = open_quietly(path, _FLAGS)
        except (OSError, ValueError):
            return Seen(Look.PASSED)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                return Seen(Look.PASSED)
            data = _text(descriptor, min(info.st_size, self.rules.largest_bytes))
        except OSError:
            return Seen(Look.PASSED)
        finally:
            os.close(descriptor)
        if data is None:
            return Seen(Look.PASSED, info)
        look = Look.HOLDS if self.holds(data) else Look.CLEAN
        return Seen(look, info, info.st_size > self.rules.largest_bytes, len(data))


def _text(descriptor: int, size: int) -> bytes | None:
    """The first `size` bytes; None when they are no text, which their beginning tells."""
    if size <= _BLOCK:
        data = os.read(descriptor, size) if size else b""
        return None if b"\0" in data[:_HEAD] and not data.startswith(_UTF16) else data
    head = os.pread(descriptor, _HEAD, 0)
    if b"\0" in head and not head.startswith(_UTF16):
        return None
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _real_login(one: Located) -> bool:
    """A URL with a password that looks random, for another machine. Manuals and compose files are full of others."""
    login = _URL_PASSWORD.search(one.value)
    password = (login[1] if login else one.value).decode("utf-8", "replace")
    away = [host for host in one.issuer_hosts if not _LOCAL.fullmatch(host)]
    return bool(away) and looks_random(password)
