"""Foreign text is made harmless, whatever it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.show.phrases import duration, plural
from agentguard.show.report.markup import Html, join, link, prose, tag, text
from agentguard.show.table import cells, csv_line, fitted, table
from agentguard.show.text import LONGEST, safe, shortened


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        (".env", ".env"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("exe\u202egnp.sh", "exe\\u202egnp.sh"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\udcff\ud800", "\\udcff\\ud800"),
        ("\u2028\u00a0", "\\u2028 "),
        ("\U000e0041", "\\U000e0041"),
        ("e\u0301", "e\u0301"),
        ("x" + "\u0301" * 9, "x" + "\u0301" * 3 + "\\u0301" * 6),
        ("日本 Ünï 🔑", "日本 Ünï 🔑"),
        ("\u3164", "\\u3164"),
    ],
)
def test_what_could_fool_a_reader_is_spelled_out(foreign: str, shown: str) -> None:
    assert safe(foreign) == shown


@given(st.text(alphabet=st.characters(), max_size=200))
def test_safe_text_is_one_line_without_controls(foreign: str) -> None:
    shown = safe(foreign)
    assert not any(unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" for char in shown)
    shown.encode("utf-8")
    assert len(safe("é" * (LONGEST * 2))) == LONGEST


@given(st.text(max_size=60), st.integers(min_value=3, max_value=40))
def test_a_cell_has_exactly_its_width(foreign: str, width: int) -> None:
    assert cells(fitted(safe(foreign), width)) == width
    assert len(shortened(foreign, width)) <= width


def test_a_table_fits_and_keeps_its_first_columns() -> None:
    lines = table(("UID", "FOLDER"), [("0193-8a2b", "/home/dev/" + "deep/" * 30)], 40)
    assert max(map(len, lines)) <= 40
    assert lines[1].startswith("0193-8a2b  /home")


def test_a_spreadsheet_runs_nothing() -> None:
    assert (
        csv_line(["=1+1", "+a", "-b", "@c", "ok", 'q"', None, 3, "a\n=b"])
        == "'=1+1,'+a,'-b,'@c,ok,\"q\"\"\",,3,a\\x0a=b"
    )


def test_only_markup_made_here_is_markup() -> None:
    assert text("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"
    assert tag("p", "<i>", tag("b", "x"), None, class_='"><script>') == (
        '<p class="&quot;&gt;&lt;script&gt;">&lt;i&gt;<b>x</b></p>'
    )
    assert join(["<", Html("<hr>")]) == "&lt;<hr>"
    assert f"{tag('b', 'x')}" == "<b>x</b>"
    assert text(f"{tag('b', 'x')}") == "&lt;b&gt;x&lt;/b&gt;"
    assert prose("run `a<b` now") == "run <code>a&lt;b</code> now"
    assert prose("odd ` tick") == "odd ` tick"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://a.example", "data:text/html,x", ""])
def test_a_link_is_https_or_none(address: str) -> None:
    assert link(address, "page") == "page"
    assert link("https://a.example/?a=1&b", "page").startswith('<a href="https://a.example/?a=1&amp;b"')


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.0034, "3 ms"),
        (4.769, "4.77 s"),
        (59.4, "59 s"),
        (120, "2 min"),
        (125, "2 min 5 s"),
        (12000, "3 h 20 min"),
    ],
)
def test_a_duration_reads_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_count_reads_well() -> None:
    assert [plural(0, "file"), plural(1, "file"), plural(1204, "file")] == ["0 files", "1 file", "1,204 files"]
