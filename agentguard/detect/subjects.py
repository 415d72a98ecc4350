"""The one line by which a person knows an event. Everything given here is redacted already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agentguard.model.secret import SecretMatch

MAX_CHARS = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text: a file name must not rewrite the terminal."""


def file_subject(path: str, cwd: str, home: str, matches: Sequence[SecretMatch]) -> str:
    """`.env (3 secrets)`: relative to the reader's folder where it lies below, else with `~`."""
    shown = path
    if cwd and cwd != "/" and path.startswith(cwd.rstrip("/") + "/"):
        shown = path[len(cwd.rstrip("/")) + 1 :]
    elif home and home != "/" and path.startswith(home.rstrip("/") + "/"):
        shown = "~" + path[len(home.rstrip("/")) :]
    return one_line(shown) + counted(matches)


def command_subject(cmdline: Iterable[str]) -> str:
    """The command line, shortened; arguments that hold blanks in quotes."""
    words = (f"'{word}'" if not word or any(char.isspace() for char in word) else word for word in cmdline)
    return shorten(one_line(" ".join(words)))


def request_subject(method: str, url: str, host: str, port: int) -> str:
    """`POST https://host/path`, without its query where that would be long."""
    if not url:
        return f"{method} {host}:{port}" if port else f"{method} {host}"
    line = one_line(f"{method} {url}")
    return line if len(line) <= MAX_CHARS else shorten(line.split("?", 1)[0])


def names_subject(host: str, asked: str, connected: str) -> str:
    """`reached front.example and asked it for hidden.example`: names that do not go together."""
    told = f"reached {host} and asked it for {asked}" if asked else f"asked for {connected} and reached {host}"
    return shorten(one_line(told))


def environment_subject(program: str, matches: Sequence[SecretMatch]) -> str:
    """`environment of node (2 secrets)`"""
    return f"environment of {one_line(program) or 'a process'}{counted(matches)}"


def counted(matches: Sequence[SecretMatch]) -> str:
    """` (2 secrets)`; "" for none. A URL and the password in it stand under one name and count once."""
    count = len({match.name or match.fingerprint for match in matches})
    return f" ({count} secret{'' if count == 1 else 's'})" if count else ""


def shorten(line: str) -> str:
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 1] + "…"


def one_line(text: str) -> str:
    """Control characters made visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
