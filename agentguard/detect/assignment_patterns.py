"""The patterns that find where an assignment may stand: what `{assigned:password}` and its like mean in secrets.yaml.

They end with the first characters of a value, so that an engine tells every place and not the many ends of a value;
`agentguard.detect.assignments` reads it from there. A pattern is run over every byte, a filter on what is left: so the
rest of a name is what names have (`token_2`, not `tokenizer`), and a value without quotes has a digit or a sign.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BLANKS, _LINE = r"[ \t]{0,16}", r"(?:[\\(]?\r?\n[ \t]{0,40})?"
_REST = r"[A-Za-z0-9_.-]{0,40}"
_CLOSED = r"""["'`\\\[\])]{0,8}"""
_QUOTE = r"""\\{0,6}["'`]{1,3}"""
_TYPE = (
    r"(?::?[ \t]?(?:[Aa]s |&'static )?[A-Za-z_&*][A-Za-z0-9_.&*]{0,24}"
    r"(?:[\[<][A-Za-z0-9_.,| ]{0,24}[\]>])?(?:\[\])?[ \t]{0,4})?"
)
_SIGN = r"(?:[=!]==?|[?|+&]{0,2}=>?|\|\||\?\?|or |is |:{1,3}=?|->|<-|-|[,({]|%3[Dd])"
_CALL = r"(?:(?:new |\[\])?[A-Za-z_@$&][A-Za-z0-9_.:]{0,40}!?\(?[ \t]{0,4})?"
_QUOTED = _CLOSED + _BLANKS + _TYPE + _SIGN + _BLANKS + _LINE + _CALL + _QUOTE
_VALUE_BELOW = (
    r"""\\{0,6}["'`]?[ \t]{0,4}(?:,|\{[^{}]{0,80})?[ \t\r\n]{0,40}\\{0,6}["']?(?i:value|default|content)\\{0,6}["']?"""
    r"""[ \t]{0,4}[:=][ \t]{0,4}\\{0,6}["']?| -[Vv]alue ["']?"""
)
_ELEMENT = r"""(?:(?:\\{0,4}["'])?>|</key>)(?:[ \t\r\n]{0,40}<(?:string|value)>)?[ \t\r\n]{0,40}"""
_PAIR = r"""[ \t]{0,2}=?[ \t]{0,2}[(\[{][ \t]{0,4}["'][^"'\r\n]{1,64}["'][ \t]{0,2},[ \t]{0,4}["']"""
_DIGIT_OR_SIGN = r"(?:[A-Za-z_~-]{0,40}[0-9!@#%^*+?/]|[A-Za-z_~-]{1,40}[$&=])"
_PLAIN = _CLOSED + _BLANKS + r"(?:[?|+&]{0,2}=>?|:{1,3}=?|%3[Dd]|is )" + _BLANKS + _LINE + _DIGIT_OR_SIGN
_GIVEN = r"""[ \t]{1,4}@?["']"""
"""An argument, where a call needs no parentheses: `apiKey 'v'`, `(def token "v")`."""
_SPOKEN = r"(?:[ \t]{1,4}(?i:by))?[ \t]{1,8}"
_SPOKEN_PLAIN = r"[ \t]{1,8}(?:[05678] )?" + _DIGIT_OR_SIGN
_NO_NUMBER = r"[ \t]{1,4}(?:[A-Za-z_~-]{1,40}[0-9!@#%^*+?/]|[0-9][A-Za-z0-9]{11})[^ \t\r\n\"'`<>]{3}"
"""Headers of C are full of `#define KEY_UP 0x0001` and their like."""


_ANY, _NO_DIGIT = r"[^ \t\r\n\"'`<>]", r"[^ \t\r\n\"'`<>0-9]"
_CHOSEN = f"{_ANY}{{3}}"
_MADE = f"(?:{_NO_DIGIT}{{0,3}}[0-9]{_ANY}{{4}}|{_NO_DIGIT}{{4,15}}[0-9]|{_NO_DIGIT}{{16}})"
"""Without a digit it is long or no key."""


def _assigned(names: str, value: str) -> str:
    """Names with any sign of assignment, and where it stands in quotes the beginning of a value."""
    return f"(?:{names})(?:(?:{_QUOTED}|{_VALUE_BELOW}|{_ELEMENT}|{_GIVEN}){value}|{_PLAIN})"


def _spoken(names: str, plain: str = _SPOKEN_PLAIN) -> str:
    """Names of options, variables and commands, with a value behind a blank."""
    return f"""(?:{names})(?:{_SPOKEN}["']{_CHOSEN}|{plain})"""


_PASSWORD = (
    rf"(?i:pass(?:(?:w|phrase|code|[_-]){_REST}|[0-9]{{0,2}})"
    rf"|(?:pw|psw|senha|contrasena|kennwort|masterauth|securestring){_REST})"
)
_COMMAND = rf"(?i:passw{_REST}|requirepass|storepass|keypass|pwd|identified|secret|masterauth|securestring)"
_SECRET = (
    rf"(?i:(?:secret|cred|salt|psk|apikey|bearer){_REST}|(?:token|key|nonce|cookie)"
    rf"(?:[_.-][A-Za-z0-9_.-]{{0,24}}|(?:value|string|s)?[0-9]{{0,2}})|auth)"
)
_VARIABLE, _PASSWORD_VARIABLE = r"(?:SECRET|TOKEN|KEY|CRED|AUTH)[A-Z0-9_]{0,24}", r"(?:PASS|PW)[A-Z0-9_]{0,24}"
_TAKES_PAIR = r"(?i:auth|log[io]n|creds?|credentials?)"
_OPTION = r"--[a-z0-9-]{0,24}(?:pass|pwd|pw|token|secret|key|auth)[a-z0-9-]{0,24}"

_BEHIND = "(?P<secret>)"
"""Where the value goes on: what precedes it is context, so that the name may stand within another (`DB_PASSWORD`)."""

_ASSIGNMENTS = {
    "password": (
        f"(?:{_assigned(_PASSWORD, _CHOSEN)}|{_spoken(_COMMAND)}|{_spoken(_PASSWORD_VARIABLE, _NO_NUMBER)}){_BEHIND}"
    ),
    "secret": (f"(?:{_assigned(_SECRET, _MADE)}|{_spoken(_VARIABLE, _NO_NUMBER)}|{_TAKES_PAIR}{_PAIR}){_BEHIND}"),
    "option": f"(?:{_spoken(_OPTION)}){_BEHIND}",
}


def assigned_pattern(word: str, keywords: Sequence[str]) -> str:
    """The pattern of `{assigned:WORD}`; "" when the word is not known.

    Of `service`, the keywords are the names, and nothing is asked of what follows: with so many names an engine is
    quick as long as it looks for these alone.
    """
    if word == "service":
        return f"(?i:{'|'.join(map(re.escape, keywords))}){_BEHIND}"
    return _ASSIGNMENTS.get(word, "")
