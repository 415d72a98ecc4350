"""The `--format` of every verb that prints data: one set of words, one place that chooses.

    text       for a person: lines and tables, coloured on a terminal only
    json       one JSON document; `agentguard schema` prints the JSON Schema of each
    jsonl      one JSON object a line
    csv        one row an event, a session or a key
    markdown   for a pull request, an issue or a chat
    html       one page that needs nothing else
    sarif      SARIF 2.1.0, for code scanning services
    ocsf       OCSF events, one JSON object a line, for a security data lake

No verb has all of them. `table` and `md`, the words of earlier versions, go on being understood.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from agentguard.terminal import takes_color

_EARLIER = {"table": "text", "md": "markdown"}


def add_format(
    parser: argparse._ActionsContainer, *formats: str, default: str | None = "text", words: str | None = None
) -> None:
    """`--format`, of `formats`. A `default` of None leaves it to the verb; `words` say then what it takes."""
    parser.add_argument("--format", type=_named, choices=formats, default=default, help=words or f"default: {default}")


def piped(chosen: str | None, otherwise: str) -> str:
    """What was chosen; else text on a terminal and `otherwise` in a pipe."""
    return chosen or ("text" if sys.stdout.isatty() else otherwise)


def color(output: str | None = None) -> bool:
    """Whether what goes to `output`, standard output by default, takes colours: a terminal does, unless its user said
    no (https://no-color.org)."""
    return output in (None, "-") and takes_color(sys.stdout)


def room(otherwise: int = 120) -> int:
    """Columns of the terminal, or as many as a pipe gets."""
    return shutil.get_terminal_size((otherwise, 24)).columns


def _named(word: str) -> str:
    return _EARLIER.get(word, word)
