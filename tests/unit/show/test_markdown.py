"""Markdown for a pull request, read as GitHub reads it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

import pytest
from formats_sample import NASTY
from markdown_it import MarkdownIt
from markdown_it.token import Token
from record_builders import START

from agentguard.config import Home
from agentguard.record.reader import Reader
from agentguard.show.markdown import LONGEST, MOST_BYTES, code, md, prose
from agentguard.show.report.data import ReportData, gather
from agentguard.show.report.markdown import render_markdown


def data_of(home: Home, uid: str) -> ReportData:
    with contextlib.closing(Reader(home.database)) as reader:
        found = reader.session(uid)
        assert found is not None
        return gather(reader, found, now_ns=START, zone=UTC)


def tokens(text: str) -> Iterator[Token]:
    for block in MarkdownIt("gfm-like").parse(text):
        yield block
        yield from block.children or ()


def test_what_markdown_would_read_is_escaped() -> None:
    assert md("a*b_c_ <i> [x](http://y) `z` www.x $x$") == (
        "a\\*b_c\\_ \\<i\\> \\[x\\](http\\:\\//y) \\`z\\` www\\.x \\$x\\$"
    )
    assert md("@me #1") == "\\@&#8203;me \\#&#8203;1"
    assert [code("a"), code("a`b"), code("`"), code("")] == ["`a`", "``a`b``", "`` ` ``", "`  `"]
    assert prose("run `a*b` *now*") == "run `a*b` \\*now\\*"


@pytest.mark.parametrize("write", [md, code, prose])
def test_nothing_of_a_hostile_name_is_markup(write) -> None:
    for text in (NASTY, f"{NASTY}`", f"`{NASTY}", NASTY * 50):
        kinds = {token.type for token in tokens(f"- {write(text)}\n")} - {"code_inline"}
        assert kinds <= {
            "bullet_list_open",
            "bullet_list_close",
            "list_item_open",
            "list_item_close",
            "text",
            "inline",
        } | {
            "paragraph_open",
            "paragraph_close",
            "text_special",
        }
        assert len(write(text)) < 12 * LONGEST


@pytest.mark.parametrize("uid", ["s-all", "s-hostile", "s-rare"])
def test_a_report_has_our_markup_only(told: Home, uid: str) -> None:
    text = render_markdown(data_of(told, uid))
    links = [str(token.attrs["href"]) for token in tokens(text) if token.type == "link_open"]
    assert {link.partition("/api-keys")[0] for link in links} <= {"https://platform.openai.com"}
    html = [token.content for token in tokens(text) if token.type.startswith("html")]
    assert all(
        re.fullmatch(r"<details>\n<summary><b>[A-Z0-9][\w :,]*</b></summary>\n?|</details>\n?", one) for one in html
    )
    assert sum(one.startswith("<d") for one in html) == sum(one.startswith("</d") for one in html) >= 4
    assert not any(token.type == "image" for token in tokens(text))
    headings = [token.tag for token in tokens(text) if token.type == "heading_open"]
    assert headings == ["h1", "h2"]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("uid", ["s-all", "s-hostile"])
def test_a_table_keeps_its_columns(told: Home, uid: str) -> None:
    text = render_markdown(data_of(told, uid))
    rows = [token for token in tokens(text) if token.type in ("tr_open", "td_open", "th_open")]
    widths, lines = [], sum(line.startswith("| ") for line in text.splitlines())
    for token in rows:
        if token.type == "tr_open":
            widths.append(0)
        else:
            widths[-1] += 1
    assert set(widths) <= {5, 6}
    delimiters = sum(line.startswith("| ---") for line in text.splitlines())
    assert len(widths) == lines - delimiters


def test_it_never_exceeds_what_github_takes(told: Home) -> None:
    data = data_of(told, "s-hostile")
    assert "Shortened" not in render_markdown(data)
    many = replace(
        data,
        credentials=tuple(replace(data.credentials[0], fingerprint=f"{n:032x}") for n in range(900)),
        flows=data.flows * 300,
    )
    text = render_markdown(many)
    assert len(text.encode()) <= MOST_BYTES
    assert text.count("<details>") == text.count("</details>")
    assert text.rstrip().endswith("--format html` has all of it.*")
    assert "more credentials" in text
    endless = replace(data, session=replace(data.session, coverage=data.session.coverage * 4000))
    text = render_markdown(endless)
    assert len(text.encode()) <= MOST_BYTES
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith("# ▲ LEAKED")
