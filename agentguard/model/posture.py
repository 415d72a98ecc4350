"""How well credentials are kept, as `agentguard check` found it: what is weak, what is done well, and a score.

Nothing here holds a value. Texts may hold names that others chose: whoever shows them escapes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from agentguard.model.verdict import Severity


class Check(StrEnum):
    """What is looked for. The ids are kept in the database, in SARIF and in scripts: none is renamed."""

    FILE_TRACKED = "secret-file-tracked"
    FILE_NOT_IGNORED = "secret-file-not-ignored"
    HARD_CODED = "hard-coded-key"
    CI_FILE = "key-in-ci-file"
    CONTAINER_FILE = "key-in-dockerfile"
    NOTEBOOK = "key-in-notebook"
    LOG = "key-in-log"
    SHELL_HISTORY = "key-in-shell-history"
    TRANSCRIPT = "key-in-transcript"
    GIT_CONFIG = "key-in-git-config"
    MCP = "mcp-inline-secret"
    SHARED = "key-shared-by-environments"
    READABLE = "secret-file-readable"
    GIT_HISTORY = "key-in-git-history"
    USER_WIDE = "user-wide-key"
    OLD = "old-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something lies."""

    path: str
    """Relative to what was looked at, or `~/...` in the home folder."""
    line: int = 0
    """From 1; 0 where lines mean nothing."""
    column: int = 0
    note: str = ""
    """What is special about this one: `committed 3 May 2025`, `dev`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One step towards having it right."""

    do: str
    """A sentence without its full stop; `...` marks what is typed or written."""
    command: str = ""
    """Exactly what to run, quoted for a shell; "" when it is done in an editor or a browser."""
    page: str = ""
    """https address at which it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """One thing to put right: of one credential, or of one file."""

    check: Check
    severity: Severity
    title: str
    """What is wrong, in one line."""
    why: str
    """Why it matters: a sentence or two."""
    fixes: tuple[Fix, ...]
    """In their order; the first is the one to begin with."""
    places: tuple[Place, ...]
    type: str = ""
    """Credential type id; "" when it is about a file. Without a fingerprint it is about all keys of the type."""
    name: str = ""
    """Variable or field; "" when none is known."""
    preview: str = ""
    fingerprint: str = ""

    @property
    def identity(self) -> str:
        """The same for the same weakness at the next look: without lines, times or words. 16 hex characters."""
        what = self.fingerprint or self.type or "\0".join(sorted({place.path for place in self.places}))
        return hashlib.sha256(f"{self.check.value}\0{what}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodPractice:
    """Something done well: no finding, and worth saying."""

    what: str
    """A phrase: `3 values taken from 1Password`."""
    count: int
    """How often."""
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A look that was recorded before, of the same place and with the same breadth."""

    time_ns: int
    score: int
    put_right: int
    """Weaknesses that it had found and that are gone now."""
    new: int
    """Weaknesses that it had not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breadth:
    """What a look takes in. Scores are compared only between looks of one breadth."""

    home: bool = False
    """The known places of the home folder, too."""
    history: bool = False
    """The git history, too."""
    older_than_days: int = 0
    """Age from which a key counts as old; 0: no key does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """All that one look found."""

    root: str
    """Absolute path of the folder that was looked at."""
    time_ns: int
    breadth: Breadth
    weaknesses: tuple[Weakness, ...]
    """Most urgent first."""
    good: tuple[GoodPractice, ...] = ()
    score: int = 100
    """0 to 100: `agentguard.posture.score` says how."""
    formula: int = 0
    """Which formula made the score."""
    files: int = 0
    """Looked at."""
    commits: int = 0
    """Looked at; 0 when the history was left out, or there is none."""
    credentials: int = 0
    """Different ones, wherever they lie well or badly."""
    unread: tuple[tuple[str, str], ...] = ()
    """(path or part, why it could not be looked at)."""
    notes: tuple[str, ...] = ()
    """What was left out on purpose, in words."""
    earlier: Earlier | None = None
    """None when there is none."""
    seconds: float = 0.0
    """How long the look took."""

    def since(self, before: Posture) -> Earlier:
        """What has changed since an earlier look."""
        then, now = ({one.identity for one in look.weaknesses} for look in (before, self))
        return Earlier(time_ns=before.time_ns, score=before.score, put_right=len(then - now), new=len(now - then))

    def count(self, severity: Severity) -> int:
        """Weaknesses of one severity."""
        return sum(one.severity is severity for one in self.weaknesses)
