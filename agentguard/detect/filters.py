"""Where the value of a common form ends, and whether it is a secret: what `filter:` may name in policies/secrets.yaml.

`password = "…"` stands everywhere. What follows it is a credential only when it is a value at all (no name, no call, no
template) and rare enough; a pattern cannot say that. A filter gets a match that ends with the value's first characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agentguard.detect.assigned_values import is_secret
from agentguard.detect.assignment_names import Promise, promise_of
from agentguard.detect.assignments import name_around, read_assignment
from agentguard.detect.logins import header_value, login_in_url, password_of_command

Filter = Callable[[re.Match[bytes]], tuple[int, int] | None]
"""A match of the pattern to the half-open span of the secret in the scanned bytes; None: there is none."""


def _assignment(match: re.Match[bytes]) -> tuple[int, int] | None:
    name = name_around(match.string, match.start())
    promise = promise_of(name.text)
    if promise is Promise.NOTHING:
        return None
    one = read_assignment(match.string, name)
    return (one.start, one.end) if one is not None and is_secret(one, promise) else None


def _promises(data: bytes, keyword: int) -> bool:
    """Whether the name around a keyword promises anything. Many do not (`keyboard`, `TOKEN_URL`), and the pattern takes
    longer to say so."""
    return promise_of(name_around(data, keyword).text) is not Promise.NOTHING


BEGINNINGS: dict[str, Callable[[bytes, int], bool]] = {"assignment": _promises}
"""Of a filter: whether it can take what begins at a keyword of the data. Asked before the pattern is tried."""

FILTERS: dict[str, Filter] = {
    "assignment": _assignment,
    "command": password_of_command,
    "header": header_value,
    "login": login_in_url,
}
