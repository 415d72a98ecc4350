"""Whether an interpreter was given its program on the command line: `python -c`, `node -e`, `php -r`, or on stdin.

Such a program is what someone typed a moment ago, not the project's own server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FAMILIES = (
    # name, options that carry code, options whose next word is a value
    (re.compile(r"(python|pypy)[0-9.]*t?$"), re.compile(r"-[A-Za-z]*c$"), frozenset({"-X", "-W"})),
    (
        re.compile(r"(node|nodejs|bun|deno)$"),
        re.compile(r"(-e|-p|-pe|--eval|--print|eval)(=|$)"),
        frozenset({"-r", "--require", "--import", "--loader", "-C", "--conditions", "--env-file"}),
    ),
    (re.compile(r"ruby[0-9.]*$"), re.compile(r"-[a-z]*e"), frozenset({"-r", "-I", "-C"})),
    (re.compile(r"perl[0-9.]*$"), re.compile(r"-[a-z]*[eE]$"), frozenset({"-I"})),
    (re.compile(r"php[0-9.]*$"), re.compile(r"(-r|-R|--run)$"), frozenset({"-c", "-d", "-z"})),
)
_FILE_OR_MODULE = "-m"


def runs_inline_code(name: str, argv: Sequence[str]) -> bool:
    """Whether `argv` of an interpreter called `name` holds its program, or names none (it comes from stdin)."""
    for names, code, with_value in _FAMILIES:
        if names.match(name):
            return _reads_no_script(argv[1:], code, with_value)
    return False


def _reads_no_script(words: Sequence[str], code: re.Pattern[str], with_value: frozenset[str]) -> bool:
    skip = False
    for word in words:
        if skip:
            skip = False
        elif code.match(word) or word == "-":
            return True
        elif word.startswith(_FILE_OR_MODULE) or not word.startswith("-"):
            return False
        else:
            skip = word in with_value
    return True
