"""Credentials: what is recognised (`SecretMatch`), what is followed (`SecretValue`), and where it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agentguard.model.access import Access

CONTENT_KIND = "content"
"""`SecretFile.kind` of a file that no pattern names but whose content holds a credential."""

KNOWN_VALUE = "known-value"
"""`SecretMatch.type` of a followed value that no credential type recognises (a database password, say)."""

GUARD_KEY, GUARD_FILE = "guard-key", "guard-file"
"""`SecretFile.kind` of the guard's own files: its keys, and what it keeps and obeys."""
GUARD_KINDS = frozenset({GUARD_KEY, GUARD_FILE})


class KeyScope(StrEnum):
    """What a key of this type opens. Public keys are made to be published."""

    USER = "user"
    PROJECT = "project"
    SERVICE = "service"
    ADMIN = "admin"
    PUBLIC = "public"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMatch:
    """A credential recognised in bytes. Never the value."""

    type: str
    """Credential type id of policies/secrets.yaml, or `KNOWN_VALUE`."""
    fingerprint: str
    """HMAC-SHA256 of the value under the home folder's key, hex, first 16 bytes (32 characters)."""
    preview: str
    """A few characters at most; none for a short value."""
    name: str = ""
    """Variable or field the value was found under (OPENAI_API_KEY); "" when none."""
    place: str = ""
    """Where in the subject: body, path, query, url-userinfo, header:NAME, websocket, tcp, argv, environment,
    file, multipart:FIELD; of a notebook at rest `cell 3 output`."""
    encoding: tuple[str, ...] = ()
    """Decodings peeled off to find it, outermost first: gzip, json, percent, base64, hex, utf-16, ..."""
    issuer_hosts: tuple[str, ...] = ()
    """Hosts this credential is meant for: of its type, and named in its own file. Suffix match on label borders."""
    checksum_valid: bool | None = None
    """None when the type carries no checksum."""
    public: bool = False
    """Publishable by design (a Stripe publishable key)."""
    source_path: str = ""
    """The secret file the value is known from; "" when it was recognised by its form alone."""
    access: Access = Access.USUAL
    """Set when it is compared with earlier sessions, before it is judged."""

    @property
    def own_name(self) -> str:
        """The variable or field it stood under; "" for a header, whose name says nothing of what stands in it."""
        return "" if self.place.lower() == f"header:{self.name.lower()}" else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """A value to follow through the session. In memory only: never written, logged or put on a command line."""

    value: bytes = field(repr=False)
    fingerprint: str
    preview: str
    type: str = KNOWN_VALUE
    name: str = ""
    issuer_hosts: tuple[str, ...] = ()
    source_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFile:
    """A file that holds credentials, by the id the kernel knows it by."""

    path: str
    device: int
    inode: int
    birth_time_ns: int = 0
    """statx btime, ns since the epoch; 0 when unknown. An inode number is used again after a delete."""
    kind: str = "dotenv"
    """Id of the pattern in policies/files.yaml: dotenv, aws-credentials, ssh-private-key, agent-login, ..."""
    expected_readers: tuple[str, ...] = ()
    """Executable names whose read of this file is ordinary (aws, gh, git, ssh); from policies/files.yaml."""
    agent: str = ""
    """Agent id whose own login this is; "" for everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFilter:
    """A cheap test that every name of a secret file passes, and few others: for the code that sees every open.

    It never rules out a path that the patterns name. No text is empty or longer than 255 bytes.
    """

    names: tuple[bytes, ...] = ()
    """Last parts of paths."""
    starts: tuple[bytes, ...] = ()
    """First characters of last parts."""
    ends: tuple[bytes, ...] = ()
    """Last characters of last parts."""
    parents: tuple[bytes, ...] = ()
    """Names of folders, for what lies directly in them."""
    folders: tuple[bytes, ...] = ()
    """Names of folders, for all that lies below them."""
