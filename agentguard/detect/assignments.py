"""Reads an assignment as it stands in any language: the whole name, how it is joined to its value, and the value.

    password = "v"      'password': 'v'      password: str = "v"    setPassword("v")     $cfg['password'] => 'v'
    DB_PASS=v           password: v          <password>v</password> --password v         name: DB_PASS, value: v

It starts at a keyword within the name, which a pattern found; what lies between it and the value is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from agentguard.detect.assignment_names import Name

_LONGEST_GLUE = 240
LONGEST = 1024
"""Bytes of a value; what is longer is no password and no token."""
_GLUE = re.compile(
    rb"""(?xi)
    (?: (?P<pair> [ \t]{0,2} =? [ \t]{0,2} [(\[{] [ \t]{0,4} ["'] [^"'\r\n]{1,64} ["'] [ \t]{0,2} , [ \t]{0,4}
        (?=["']) )
    | (?P<element> (?:\\{0,4}["'])? > | </key> ) (?:[ \t\r\n]{0,40}<(?:string|value)>)? [ \t\r\n]{0,40}
    | \\{0,6}["'`]? [ \t]{0,4} (?:,|\{[^{}]{0,80}?)? [ \t\r\n]{0,40} \\{0,6}["']? (?:value|default|content)
        \\{0,6}["']? [ \t]{0,4} [:=] [ \t]{0,4}
    | [ ] -value [ ]
    | (?P<close> \\{0,6}["'`] )? [ \t]{0,2} [\])\[]{0,3} [ \t]{0,16}
      (?(close) | (?: :? [ \t]? (?:as[ ]|&'static[ ])? [a-z_&*] [a-z0-9_.&*]{0,24}
          (?:\[[a-z0-9_.,| ]{0,24}\]|<[a-z0-9_.,]{0,24}>)? (?:\[\])?
          (?:[ \t]{1,4}|(?==)) (?= =[ \t]{0,16}[^=\s] ) )? )  # a type; base64 ends with signs too
      (?P<sign> [=!]==? | [?|+&]{0,2}=>? | \|\| | \?\? | (?:or|is)(?=[ ]) | :{1,3}=? | -> | <- | -(?=[ ]) | [,({]
          | %3d )
      [ \t]{0,16} (?: [\\(]?\r?\n[ \t]{0,40} )?
      (?: (?:\[\]byte\( | (?:new[ ])? (?:[a-z_][a-z0-9_]{0,24}(?:\.|::)){0,3}
          (?:secret_?str(?:ing)?|[cw]?string|str|some|bytes?|text|literal|value_?of|of|from|(?:base)?_?b?64_?decode
          |password|secret|token|key|credential|char|quote|unquote) !? \() [ \t]{0,4}  # a wrapper
        | [burfln@$&]{1,2} (?=\\{0,6}["'`]) )?
    | (?P<blank> (?:[ \t]{1,4}by)? [ \t]{1,8} (?:[05678][ ]|@(?="))? )
    )
    (?P<quote> \\{0,6} (?:\"{3}|'{3}|["'`]) )?
    """,
)
_PLAIN = re.compile(rb"[^ \t\r\n\"'`<>;\\]+")
_ELEMENT = re.compile(rb"[^<>\r\n\"]+[ \t\r\n]*")
_QUERY = re.compile(rb"[&,](?:amp;)?[A-Za-z_][A-Za-z0-9_.-]*=")
_TRAILING = b",)}];"
_TAKES_PAIR = re.compile(r"(?i)(?:auth|log[io]n|creds?|credentials?|authenticate)$")
"""Names of what is given a user and a password."""
_COMMANDS = frozenset(
    {"password", "passwd", "secret", "identified", "requirepass", "masterauth", "convertto-securestring"}
)
"""Words that a value may follow without a sign, in SQL and in configurations. In prose anything follows anything."""


class How(Enum):
    """What bounds a value."""

    QUOTED = "quotes"
    CALL = "quotes, as an argument of a call"
    ELEMENT = "tags"
    PLAIN = "the end of the line or a blank"
    WORD = "blanks, with no sign between it and the name"
    PAIR = "quotes, behind a user's name"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A name and its value. In memory only."""

    name: Name
    how: How
    start: int
    end: int
    """Half-open span of the value in the bytes."""
    value: str = field(repr=False)
    """Bytes as Latin-1, so that an offset in it is one in the bytes."""
    tight: bool
    """As shells have it: `NAME=value`, without a blank."""
    rest: bytes = field(repr=False)
    """What follows it on its line, up to 40 bytes, without its quote."""


def read_assignment(data: bytes, name: Name) -> Assignment | None:
    """What is assigned to this name; None when nothing is."""
    glue = _GLUE.match(data, name.end, name.end + _LONGEST_GLUE)
    if glue is None:
        return None
    how = _how(glue)
    if _is_other(data, name, glue):
        return None
    start, quote = glue.end(), glue["quote"]
    end = _quoted_end(data, start, quote) if quote else _plain_end(data, start, how)
    if not quote and glue["sign"] == b"is" and data[end - 1 : end] == b".":
        end -= 1  # of the sentence
    if end <= start or end - start > LONGEST:
        return None
    return Assignment(
        name=name,
        how=how,
        start=start,
        end=end,
        value=data[start:end].decode("latin-1"),
        tight=data[name.end : start] == b"=",
        rest=data[end + len(quote or b"") : end + 40].split(b"\n", 1)[0].strip(),
    )


def _how(glue: re.Match[bytes]) -> How:
    if glue["pair"]:
        return How.PAIR
    if glue["quote"]:
        return How.CALL if glue["blank"] or glue["sign"] in (b"(", b",", b"{") else How.QUOTED
    if glue["element"]:
        return How.ELEMENT
    return How.WORD if glue["blank"] else How.PLAIN


def _is_other(data: bytes, name: Name, glue: re.Match[bytes]) -> bool:
    """The next word of a list or of a sentence; a qualified name in quotes (`"AWS::Key": …`); the end of a call."""
    if glue["pair"]:
        return _TAKES_PAIR.search(name.text) is None
    if glue["sign"] == b",":
        return data[name.start - 2 : name.start - 1] != b"(" and data[name.start - 1 : name.start] != b":"
    if glue["sign"] in (b"(", b"{"):
        return not glue["quote"]
    if glue["blank"]:
        text = name.text
        if glue["quote"]:
            return text == "pass"  # a verb
        return not (text.startswith("-") or text.isupper() or text.lower() in _COMMANDS)
    return data[name.start - 2 : name.start] == b"::" and data[name.end : name.end + 1] in (b'"', b"'")


def _quoted_end(data: bytes, start: int, quote: bytes) -> int:
    """Before the same quote with as many backslashes; -1 when there is none on the line."""
    line_end = data.find(b"\n", start, start + LONGEST + 1)
    stop = line_end if line_end >= 0 else min(len(data), start + LONGEST + len(quote))
    at = data.find(quote, start, stop)
    while at >= 0 and not quote.startswith(b"\\") and _is_escaped(data, at):
        at = data.find(quote, at + 1, stop)
    return at


def _is_escaped(data: bytes, at: int) -> bool:
    backslashes = 0
    while data[at - 1 - backslashes : at - backslashes] == b"\\":
        backslashes += 1
    return backslashes % 2 == 1


def _plain_end(data: bytes, start: int, how: How) -> int:
    found = (_ELEMENT if how is How.ELEMENT else _PLAIN).match(data, start, start + LONGEST + 1)
    if found is None:
        return -1
    if how is How.ELEMENT:
        return start + len(found[0].rstrip()) if data.startswith(b"</", found.end()) else -1
    query = _QUERY.search(found[0])
    value = found[0][: query.start()] if query else found[0]
    return start + len(value.rstrip(_TRAILING))
