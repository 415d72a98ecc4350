"""Credentials told by their place: in a URL, in an Authorization header, on a command line, in a wallet's phrase."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from agentguard.detect.assigned_values import is_chosen, is_made

Span = tuple[int, int]

_FLAG = re.compile(
    rb"""(?x) [ \t] (?: --?(?P<user>user|proxy-user|u|U) | --?(?P<password>pass|p|P|a|w) )
    (?: [ \t]*[=:][ \t]* | [ \t]{1,2} | (?=[^ \t-]) )
    (?P<quote>["'])? (?P<value> (?(quote)[^"'\r\n]|[^ \t\r\n"'|;<>`])+ )"""
)
_LINE = re.compile(rb"(?:\\\r?\n|[^\r\n])*")
"""Backslashes at the end of a line join the next one to it."""
_LONGEST_LINE = 400
_FEW_REPEATED = 0.7
"""Of 24 words out of 2,048, one or two are the same."""
_SHORT_OPTION_JOINS = (b"mysql", b"maria", b"7z", b"winrs", b"smbclient", b"rpcclient")
"""Only of these does what is joined to `-p` make a password; elsewhere it is another option."""
_TAKES_PASSWORD = re.compile(
    rb"(?i)mysql|mariadb|sshpass|(?:docker|podman|helm|oc|az)\b.{0,80}login|psexec|winrs|7z|zip|mongo|cqlsh|sqlcmd|bcp"
    rb"|redis-cli|ldap|rabbitmqadmin|influx|mosquitto|registry"
)


def login_in_url(match: re.Match[bytes]) -> Span | None:
    """`scheme://user:PASSWORD@host`, and other places of a password behind its user."""
    return match.span("secret") if is_chosen(_unquoted(match["secret"].decode("latin-1"))) else None


def token_in_url(match: re.Match[bytes]) -> Span | None:
    """`scheme://TOKEN@host`."""
    return match.span("secret") if is_made(match["secret"].decode("latin-1")) else None


def seed_phrase(match: re.Match[bytes]) -> Span | None:
    """Twelve words and more, drawn at random: those of a manual repeat each other."""
    words = match["secret"].split()
    return match.span("secret") if len(set(words)) > _FEW_REPEATED * len(words) else None


def header_value(match: re.Match[bytes]) -> Span | None:
    """`Bearer TOKEN`; `Basic BASE64`, by the password within."""
    value = match["secret"].decode("latin-1")
    if match[0][:5].lower() == b"basic" or b"basic " in match[0].lower():
        secret = _basic_password(value)
        return match.span("secret") if secret and is_chosen(secret) else None
    return match.span("secret") if is_made(value) else None


def password_of_command(match: re.Match[bytes]) -> Span | None:
    """`curl -u user:PASSWORD`, `mysql -pPASSWORD`, `sshpass -p PASSWORD`: the first on the line."""
    data = match.string
    for start, stop in _options(data, match.start(), match.start() + _LONGEST_LINE):
        if is_chosen(data[start:stop].decode("latin-1")):
            return start, stop
    return None


def _options(data: bytes, start: int, end: int) -> Iterator[Span]:
    command = data[start : start + 16].lower()
    line = _LINE.match(data, start, end)
    stop = line.end() if line else end
    takes = _TAKES_PASSWORD.search(data, start, min(stop, start + 120)) is not None
    for flag in _FLAG.finditer(data, start, stop):
        first, last = flag.span("value")
        if flag["user"]:
            sign = max(data.find(b":", first, last), data.find(b"%", first, last))
            if sign >= 0:
                yield sign + 1, last
        elif takes and (data[first - 1 : first] in b" \t=:\"'" or command.startswith(_SHORT_OPTION_JOINS)):
            yield first, last


def _unquoted(value: str) -> str:
    if "%" not in value:
        return value
    from urllib.parse import unquote  # noqa: PLC0415 (slow to import, for a commit hook)

    return unquote(value)


def _basic_password(value: str) -> str:
    try:
        login = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    user, colon, password = login.partition(":")
    return (password or user) if colon else ""
