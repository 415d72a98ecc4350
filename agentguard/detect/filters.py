"""Where the value of a common form ends, and whether it is a secret: what `filter:` may name in policies/secrets.yaml.

`password = "…"` stands everywhere. What follows it is a credential only when it is a value at all (no name, no call, no
template) and rare enough; a pattern cannot say that. A filter gets a match that ends with the value's first characters.
What judges a value is imported when there is one: a commit without any does not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agentguard.detect.assignment_names import Name, Promise, name_around, promise_at, promise_of, promise_of_service

Span = tuple[int, int]
Filter = Callable[[re.Match[bytes]], Span | None]
"""A match of the pattern to the half-open span of the secret in the scanned bytes; None: there is none."""

_SAID_OF_SERVICE = re.compile(rb"(?i)(?:[ \t](?:(?:api|access|auth|secret)[ \t])?(?:key|token|secret))?")
"""What may follow the name of a service, behind a blank."""


def _assignment(match: re.Match[bytes]) -> Span | None:
    name = name_around(match.string, match.start())
    promise = promise_of(name.text)
    if promise is Promise.KEY and match.string[max(0, name.start - 1) : name.start] in (b"?", b"&"):
        promise = Promise.ISSUED  # `?key=…` of an API
    return _assigned(match.string, name, promise)


def _service(match: re.Match[bytes]) -> Span | None:
    name = name_around(match.string, match.start(), _SAID_OF_SERVICE)
    return _assigned(match.string, name, promise_of_service(name.text))


def _assigned(data: bytes, name: Name, promise: Promise) -> Span | None:
    from agentguard.detect.assigned_values import is_secret  # noqa: PLC0415
    from agentguard.detect.assignments import read_assignment  # noqa: PLC0415

    one = read_assignment(data, name) if promise is not Promise.NOTHING else None
    return (one.start, one.end) if one is not None and is_secret(one, promise) else None


def _command(match: re.Match[bytes]) -> Span | None:
    from agentguard.detect.logins import password_of_command  # noqa: PLC0415

    return password_of_command(match)


def _header(match: re.Match[bytes]) -> Span | None:
    from agentguard.detect.logins import header_value  # noqa: PLC0415

    return header_value(match)


def _login(match: re.Match[bytes]) -> Span | None:
    from agentguard.detect.logins import login_in_url  # noqa: PLC0415

    return login_in_url(match)


def _phrase(match: re.Match[bytes]) -> Span | None:
    from agentguard.detect.logins import seed_phrase  # noqa: PLC0415

    return seed_phrase(match)


def _token(match: re.Match[bytes]) -> Span | None:
    from agentguard.detect.logins import token_in_url  # noqa: PLC0415

    return token_in_url(match)


def _promises(data: bytes, keyword: int) -> bool:
    """Whether the name around a keyword promises anything. Many do not (`keyboard`, `TOKEN_URL`), and the pattern takes
    longer to say so."""
    return promise_at(data, keyword) is not Promise.NOTHING


BEGINNINGS: dict[str, Callable[[bytes, int], bool]] = {"assignment": _promises}
"""Of a filter: whether it can take what begins at a keyword of the data. Asked before the pattern is tried."""

FILTERS: dict[str, Filter] = {
    "assignment": _assignment,
    "command": _command,
    "header": _header,
    "login": _login,
    "phrase": _phrase,
    "service": _service,
    "token": _token,
}
