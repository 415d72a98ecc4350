"""From what the scanner found in a request to an observation that holds no value."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentguard.model.observation import HttpObservation
from agentguard.model.process import Confidence, ProcessSnapshot
from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.gaps import SENSOR
from agentguard.sense.proxy.interface import BodyScanner

_LONGEST_URL = 2000
_LONGEST_AGENT = 200
_LONGEST_NAME = 2000
_LONGEST_ARGUMENT = 4096
ORDINARY_METHOD = re.compile(r"[A-Z]{1,20}")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(slots=True)
class Caller:
    """A connection from a client, for as long as it lasts."""

    process: ProcessSnapshot | None
    confidence: Confidence
    connect: tuple[str, int] | None = None
    """Host and port of its CONNECT, or of the address it tried to reach; None for plain requests to the proxy."""
    captured: bool = False
    """It knows of no proxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was sent, before it is redacted."""

    protocol: str
    method: str
    scheme: str
    host: str
    """As the client wrote it: in small letters a secret in it would not be recognised."""
    port: int
    path: str = ""
    user_agent: str = ""
    size: int = 0
    """Bytes scanned."""
    connect_host: str = ""
    """What CONNECT asked for, when the host that was reached did not prove that name; as the client wrote it."""
    asked_host: str = ""
    """The name in Host, when the host that was reached did not prove it; as the client wrote it."""


def observe(scanner: BodyScanner, caller: Caller, subject: Subject, matches: Sequence[SecretMatch]) -> HttpObservation:
    """Every text that comes from the client is redacted: its command line, the URL, its name for itself."""
    return HttpObservation(
        time_ns=time.time_ns(),
        sensor=SENSOR,
        process=redacted(scanner, caller.process),
        confidence=caller.confidence,
        protocol=subject.protocol,
        method=subject.method if ORDINARY_METHOD.fullmatch(subject.method) else "OTHER",
        scheme=subject.scheme,
        host=host_of(scanner, subject),
        port=subject.port,
        url=url_of(scanner, subject),
        matches=tuple(matches),
        body_size=subject.size,
        user_agent=scanner.redact(subject.user_agent[:_LONGEST_AGENT])[0],
        connect_host=_name(scanner, subject.connect_host),
        asked_host=_name(scanner, subject.asked_host),
    )


def redacted(scanner: BodyScanner, process: ProcessSnapshot | None) -> ProcessSnapshot | None:
    """The process without secrets in its command line."""
    if process is None:
        return None
    words = tuple(scanner.redact(word[:_LONGEST_ARGUMENT])[0] for word in process.cmdline)
    return replace(process, cmdline=words)


def host_of(scanner: BodyScanner, subject: Subject) -> str:
    """In small letters, without the secrets in it."""
    return _name(scanner, subject.host)


def url_of(scanner: BodyScanner, subject: Subject) -> str:
    """Without userinfo (the host is the connection's, not the request line's); redacted before it is shortened."""
    name = host_of(scanner, subject)
    host = f"[{name}]" if ":" in name else name
    port = "" if _DEFAULT_PORTS.get(subject.scheme) == subject.port else f":{subject.port}"
    return scanner.redact(f"{subject.scheme}://{host}{port}{subject.path}")[0][:_LONGEST_URL]


def _name(scanner: BodyScanner, name: str) -> str:
    """Redacted first: in small letters, or cut, a secret would not be recognised."""
    return scanner.redact(name)[0].lower()[:_LONGEST_NAME]
