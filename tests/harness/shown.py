"""What a verb prints, into a pipe and onto a terminal; and what of it may act on whoever looks at it."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import threading
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt

from agentguard.cli import main

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""The one escape that we write ourselves, and only to a terminal: it cannot move, name or ask for anything."""

PROGRESS = re.compile(r"\r\x1b\[K")
"""How the line of progress is wiped."""

_INVISIBLE = "\u115f\u1160\u2800\u3164\uffa0"
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_TAGS = {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "audio", "video", "image"}


def piped(words: list[str], folder: Path) -> str:
    """Standard output and error of a verb in a pipe, read as bytes."""
    with _pipe(folder / "out") as out, _pipe(folder / "err") as err:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(words)
        out.flush()
        err.flush()
    return "".join((folder / name).read_bytes().decode("utf-8", "strict") for name in ("out", "err"))


def on_a_terminal(words: list[str]) -> str:
    """The same on a terminal of 80 columns, without what we may send there: colours, and the wiping of a line."""
    leader, follower = os.openpty()
    chunks: list[bytes] = []
    reader = threading.Thread(target=_drain, args=(leader, chunks))
    reader.start()
    try:
        with os.fdopen(follower, "w", encoding="utf-8") as terminal:
            with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
                main([*words, "--no-pager"])
            assert terminal.isatty()
    finally:
        reader.join(timeout=20)
        os.close(leader)
    text = b"".join(chunks).decode("utf-8", "strict").replace("\r\n", "\n")
    return COLOUR.sub("", PROGRESS.sub("\n", text))


def harmful(text: str) -> list[str]:
    """Characters that act on a terminal or deceive an eye; line ends are none."""
    return sorted(
        {
            f"{ord(char):04x}"
            for char in text.replace("\r\n", "\n")
            if char != "\n" and (unicodedata.category(char)[0] == "C" or char in _INVISIBLE or char in "\u2028\u2029")
        }
    )


def faults_of(form: str, text: str) -> list[str]:
    """What is wrong with `text` as one of our formats."""
    return [f"character {code}" for code in harmful(text)] + _CHECKS.get(form, _nothing)(text)


def _nothing(_text: str) -> list[str]:
    return []


def _json(text: str) -> list[str]:
    json.loads(text)
    return [] if text.isascii() else ["not ASCII"]


def _json_lines(text: str) -> list[str]:
    for line in text.splitlines():
        json.loads(line)
    return [] if text.isascii() else ["not ASCII"]


def _csv(text: str) -> list[str]:
    found = [] if text.count("\n") == text.count("\r\n") else ["a line that does not end as RFC 4180 says"]
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found += [f"{len(row)} cells of {len(head)}" for row in rows if len(row) != len(head)]
    return found + [f"formula {cell[:20]!r}" for row in rows for cell in row if cell.lstrip().startswith(_FORMULAS)]


def _markdown(text: str) -> list[str]:
    found = []
    for block in MarkdownIt("gfm-like").parse(text):
        for token in [block, *(block.children or ())]:
            if token.type == "image":
                found.append("an image")
            if token.type == "link_open" and "evil" in str(token.attrs["href"]):
                found.append(f"a link to {token.attrs['href']}")
            if token.type.startswith("html") and not re.fullmatch(
                r"</?details>\s*|<details>\n<summary><b>[\w :,]*</b></summary>\s*", token.content
            ):
                found.append(f"HTML {token.content[:60]!r}")
    return found


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _TAGS or any(name.startswith("on") or name in {"src", "srcset"} for name, _ in attrs):
            self.found.append(f"<{tag} {dict(attrs)}>")
        self.found += [f"a link to {value}" for name, value in attrs if name == "href" and "evil" in (value or "")]

    def handle_data(self, data: str) -> None:
        self.found += [f"character {code} in text" for code in harmful(data)]


def _html(text: str) -> list[str]:
    page = _Page()
    page.feed(text)
    page.close()
    return page.found


_CHECKS = {
    "json": _json,
    "sarif": _json,
    "jsonl": _json_lines,
    "ocsf": _json_lines,
    "csv": _csv,
    "markdown": _markdown,
    "html": _html,
}


@contextlib.contextmanager
def _pipe(path: Path) -> Iterator[io.TextIOWrapper]:
    with path.open("wb") as raw, io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="") as text:
        yield text


def _drain(leader: int, chunks: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
        while chunk := os.read(leader, 65_536):
            chunks.append(chunk)
