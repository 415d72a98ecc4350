"""Files of lines: dotenv, ini, YAML and TOML as far as `name: value` goes, and text that is none of these."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentguard.detect.parse import Candidate

_ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:-[ ]+)?(?:export[ \t]+|set[ \t]+|declare[ \t]+-x[ \t]+)?
        ["']?([A-Za-z_][\w.\-/:]{0,127}?)["']?[ \t]*(?::=|=>|=|:(?=[ \t"']))[ \t]*(.*)$""",
    re.VERBOSE,
)
_SECTION = re.compile(r"^[ \t]*\[+[ \t]*([^\[\]]{1,128}?)[ \t]*\]+[ \t]*$")
_COMMENT = re.compile(r"[ \t]+[#;].*$")
_ESCAPE = re.compile(r'\\([nrt"\'\\$`])')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.~!@#$%^&*]{16,4096}")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|token|bearer|basic)[ ]+(\S+)$")
_ELEMENT = re.compile(r"<([A-Za-z][\w.\-]{0,63})>([^<>\s]{4,4096})</")
_MAX_QUOTED_LINES = 400
_QUOTES = "\"'`"


def parse_lines(text: str) -> Iterator[Candidate]:
    """`NAME=value`, `name: value`, `"name" = "value"`: dotenv, ini, properties, YAML, TOML. Quotes may span lines."""
    lines = text.splitlines()
    position = 0
    while position < len(lines):
        found = _ASSIGNMENT.match(lines[position])
        position += 1
        if not found:
            continue
        name, rest = found[1], found[2]
        if rest[:1] in _QUOTES and rest:
            value, position = _quoted(rest, lines, position)
        else:
            value = "" if rest.startswith(("#", ";")) else _COMMENT.sub("", rest).strip().rstrip(",")
        if value:
            yield named(name, value)


def parse_ini(text: str) -> Iterator[tuple[str, str, str]]:
    """(section, name, value) of an ini file, section "" before the first."""
    section = ""
    for line in text.splitlines():
        header = _SECTION.match(line)
        if header:
            section = header[1]
            continue
        name, sign, value = line.partition("=")
        if sign and not line.lstrip().startswith(("#", ";")):
            yield section, name.strip(), value.strip().strip("\"'")


def parse_xml(text: str) -> Iterator[Candidate]:
    """`<password>value</password>`, and `key="name" value="value"` of NuGet."""
    for element in _ELEMENT.finditer(text):
        yield Candidate(element[1], element[2])
    for pair in re.finditer(r'key="([\w.\-]{1,64})"\s{1,8}value="([^"]{4,4096})"', text):
        yield Candidate(pair[1], pair[2])


def parse_tokens(text: str) -> Iterator[Candidate]:
    """Long words that stand alone: a bare token in a file of its own, a history line."""
    for found in _TOKEN.finditer(text):
        token = found[0]
        yield Candidate("", token)
        name, sign, value = token.partition("=")
        if sign and len(value.strip("=")) >= 8:
            yield Candidate(name.lstrip("-"), value)


def named(name: str, value: str, hosts: tuple[str, ...] = ()) -> Candidate:
    """A value under its name. `Bearer abc` is `abc`, for sure: the scheme is no part of the credential."""
    found = _SCHEME.match(value)
    return Candidate(name, found[1], hosts, sure=True) if found else Candidate(name, value, hosts)


def _quoted(rest: str, lines: list[str], position: int) -> tuple[str, int]:
    """A quoted value, which may go on over the next lines, and the number of the line after it."""
    quote = rest[0]
    parts = [rest[1:]]
    following = position
    while (end := _closing(parts[-1], quote)) < 0:
        if following >= len(lines) or following - position > _MAX_QUOTED_LINES:
            return rest[1:].strip().rstrip(","), position
        parts.append(lines[following])
        following += 1
    parts[-1] = parts[-1][:end]
    value = "\n".join(parts)
    if quote == '"':
        value = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), value)
    return value, following


def _closing(text: str, quote: str) -> int:
    at = text.find(quote)
    while at > 0 and quote != "'" and (at - len(text[:at].rstrip("\\"))) % 2:
        at = text.find(quote, at + 1)
    return at
