"""What `check` says: on a terminal, to a program, and in the report of a session."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from posture_builders import FIRST, weakness
from record_builders import HOSTILE, SECOND, START, make_home, record_walk
from schema_check import faults
from test_report_render import Page

from agentguard.model.posture import Check, Earlier, Posture
from agentguard.model.verdict import Severity
from agentguard.record.at_rest import keep_posture
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.posture_json import render_json
from agentguard.show.posture_lines import Style, posture_lines
from agentguard.show.report.data import ReportData, gather
from agentguard.show.report.html import render_html
from agentguard.show.report.json_report import json_parts
from agentguard.show.report.markdown import render_markdown

STYLE = Style(width=80, zone=UTC)
MANY = replace(FIRST, weaknesses=tuple(weakness(f"src/{number}.py") for number in range(30)))


def lines(posture: Posture, style: Style = STYLE) -> list[str]:
    return list(posture_lines(posture, style))


def test_the_first_lines_say_how_it_stands_and_what_to_do_first() -> None:
    assert lines(FIRST)[:12] == [
        "Score 55 of 100  /src/shop",
        "▲ 2 high",
        "2 credentials in 12 files and 3 commits, 250 ms",
        "",
        "DO THIS FIRST",
        " 1  ▲ high      a key in a.py",
        "    It is there.",
        "    → Take it out:",
        "      $ rm -- a.py",
        "      https://example.org/keys",
        "    at a.py:3 (dev)",
        "",
    ]


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        (Earlier(time_ns=START, score=40, put_right=2, new=0), "was 40 on 31 January 2026 (▲ 15 better, 2 put right)"),
        (Earlier(time_ns=START, score=61, put_right=0, new=1), "was 61 on 31 January 2026 (▼ 6 worse, 1 new)"),
        (Earlier(time_ns=START, score=55, put_right=0, new=0), "was 55 on 31 January 2026 (as before)"),
    ],
)
def test_it_says_what_has_changed(earlier: Earlier, words: str) -> None:
    assert words in lines(replace(FIRST, earlier=earlier))[0]


def test_a_long_list_is_told_in_short_and_in_full_on_request() -> None:
    short = lines(MANY)
    assert sum("It is there." in line for line in short) == 3
    assert sum("$ rm --" in line for line in short) == 23
    assert "    7 more; all of them, with each step: agentguard check --full" in short
    full = lines(MANY, replace(STYLE, full=True))
    assert sum("It is there." in line for line in full) == 30


def test_what_reads_the_same_is_told_once() -> None:
    alike = [replace(weakness("a.py"), fingerprint=str(number)) for number in range(3)]
    said = lines(replace(FIRST, weaknesses=(*alike, weakness("b.py"))))
    assert sum("a key in a.py" in line for line in said) == 1
    assert " 1  ▲ high      a key in a.py (3 of them)" in said
    assert " 2  ▲ high      a key in b.py" in said
    assert any("agentguard:allow" in line for line in said)
    assert not any("agentguard:allow" in line for line in lines(FIRST)), (
        "where it is about files there is nothing to allow"
    )


def test_of_many_old_keys_two_are_named_and_all_on_request() -> None:
    old = [replace(weakness(f"{number}.py", Check.OLD), severity=Severity.LOW) for number in range(5)]
    many = replace(FIRST, weaknesses=(weakness("b.py"), *old))
    assert [line[16:] for line in lines(many) if "○ low " in line] == [
        "a key in 0.py",
        "a key in 1.py",
        "3 more old keys",
    ]
    assert sum("○ low " in line for line in lines(many, replace(STYLE, full=True))) == 5


def test_lines_fit_but_what_is_copied_is_never_broken() -> None:
    long = replace(weakness("src/" + "very-" * 30 + "long.py"), why="word " * 60)
    said = lines(replace(FIRST, weaknesses=(long,)))
    assert any(line.strip() == f"$ {long.fixes[0].command}" for line in said)
    assert max(len(line) for line in said if "very-" not in line) <= 80


def test_nothing_to_put_right() -> None:
    said = lines(replace(FIRST, weaknesses=(), score=100))
    assert said[:2] == ["Score 100 of 100  /src/shop", "✓ nothing to put right"]
    assert "DO THIS FIRST" not in said


def test_what_was_not_looked_at_is_said() -> None:
    said = lines(replace(FIRST, unread=tuple((f"d{number}", "Permission denied") for number in range(10))))
    at = said.index("NOT LOOKED AT")
    assert said[at + 1] == "  ! d0: Permission denied"
    assert said[at + 9] == "    and 2 more; `--format json` names them"


def test_hostile_names_cannot_act_on_a_terminal() -> None:
    hostile = replace(FIRST, root=f"/src/{HOSTILE}", weaknesses=(weakness(HOSTILE),), unread=((HOSTILE, HOSTILE),))
    said = "\n".join(lines(hostile))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", said)
    assert "\\u202egpj" in said


def test_json_is_as_its_schema_says() -> None:
    whole = replace(FIRST, earlier=Earlier(time_ns=START, score=40, put_right=2, new=0), unread=((HOSTILE, "no"),))
    said = json.loads(render_json(whole))
    assert faults(said, "check") == []
    assert said["schema"] == "agentguard-check/1"
    assert said["counts"]["high"] == len(said["findings"]) == 2
    assert render_json(whole).isascii()


@pytest.fixture
def walked(tmp_path: Path) -> Path:
    writer = Writer(make_home(tmp_path))
    writer.start()
    record_walk(writer)
    writer.close()
    return tmp_path


def data_of(folder: Path) -> ReportData:
    reader = Reader(make_home(folder).database)
    session = reader.session("last")
    assert session is not None
    return gather(reader, session, now_ns=START, zone=UTC)


def report_of(folder: Path, data: ReportData) -> dict[str, Any]:
    reader = Reader(make_home(folder).database)
    return json.loads("".join(json_parts(reader, data)))


def test_a_report_says_that_nobody_has_looked(walked: Path) -> None:
    data = data_of(walked)
    for report in (Page(render_html(data)).text, render_markdown(data)):
        assert "Nobody has looked yet" in report
    assert report_of(walked, data)["posture"] is None


def test_a_report_says_how_credentials_are_kept_in_its_folder(walked: Path) -> None:
    data = data_of(walked)
    root = str(Path(data.session.cwd).parent)
    gravest = replace(weakness("x.py"), severity=Severity.CRITICAL)
    found = replace(MANY, root=root, time_ns=START - SECOND, weaknesses=(gravest, weakness(HOSTILE), *MANY.weaknesses))
    keep_posture(make_home(walked), found)
    data = data_of(walked)
    page = Page(render_html(data)).text
    for words in (
        "Score 55 of 100: 1 critical, 31 high.",
        "■ critical",
        "rm -- x.py",
        "And 24 more",
        "As of 2026-01-31",
    ):
        assert words in page, words
    markdown = render_markdown(data)
    assert "- ■ **critical** a key in x.py. Take it out. `rm -- x.py`" in markdown
    assert "and 24 more: `agentguard check --full`" in markdown
    assert "\n# h" not in markdown
    assert "<img" not in re.sub(r"(`+).*?\1", "", markdown).replace("\\<img", "")
    machine = report_of(walked, data)
    assert faults(machine, "report") == []
    assert machine["posture"]["score"] == 55
