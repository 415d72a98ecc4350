"""The report of a range, and the comparison of two sessions, through the command line and on real records."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from record_builders import SECOND, START, gap, leaked, make_home, read, record_all_sorts, send, session
from schema_check import faults

from agentguard.cli import main
from agentguard.config import Home
from agentguard.model.session import DEMO_AGENT, Coverage, SensorState
from agentguard.model.verdict import Outcome
from agentguard.record.span import Scope, SpanReader
from agentguard.record.writer import Writer
from agentguard.show.markdown import MOST_BYTES
from agentguard.show.sheets.lines import sheet_lines
from agentguard.show.sheets.span import gather_span, span_sheet

DAY = 86_400 * SECOND


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three sessions on three days (the second of five has none), the last of another agent, and one of the demo."""
    home = make_home(tmp_path_factory.mktemp("week"))
    writer = Writer(home)
    writer.start()
    record_all_sorts(writer, "s-all")
    for number, uid, agent in ((2, "s-calm", "claude-code"), (4, "s-codex", "codex"), (4, "s-demo", DEMO_AGENT)):
        own = {"session": uid, "agent": agent}
        begun = session(uid, start_ns=START + number * DAY, agent=agent, agent_name=agent.title())
        if agent == "codex":
            down = Coverage(sensor="proxy", state=SensorState.FAILED, reason="it died")
            begun = session(uid, start_ns=begun.start_ns, agent=agent, agent_name="Codex", coverage=(down,))
        writer.begin_session(begun)
        writer.append(*read(number * 86_400 + 1, **own))
        if agent == "codex":
            writer.append(*send(number * 86_400 + 2, of=f"{uid}-e{number * 86_400 + 1}", host="new.example", **own))
            writer.append(*gap(number * 86_400 + 3, **own))
            begun = leaked(begun)
        writer.end_session(begun)
    writer.close()
    return home


def said(home: Home, capfd: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main([*words, "--home", str(home.root)]) == status
    out = capfd.readouterr()
    return out.err if status else out.out


RANGE = ("report", "--since", "2026-01-31T00:00Z", "--until", "2026-02-20T00:00Z")


def test_a_range_adds_up(week: Home, capfd: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(week, capfd, *RANGE, "--format", "json"))
    assert faults(document, "report-range") == []
    assert [one["uid"] for one in document["sessions"]] == ["s-all", "s-calm", "s-codex"]
    assert document["outcomes"] == {"clean": 1, "unknown": 0, "exposed": 0, "leaked": 2}
    assert (document["outcome"], document["counts"]["reads"], document["counts"]["sends"]) == ("leaked", 5, 4)
    assert [one["sessions"] for one in document["days"]] == [1, 0, 1, 0, 1]
    key = document["credentials"][0]
    assert (key["name"], key["outcome"], key["sessions"]) == ("OPENAI_API_KEY", "leaked", 3)
    assert key["agents"] == ["claude-code", "codex"]
    assert set(key["hosts"]) == {"paste.example", "api.model.example", "new.example"}
    assert {(one["host"], one["outcome"], one["blocked"]) for one in document["destinations"]} == {
        ("paste.example", "leaked", False),
        ("new.example", "leaked", False),
        ("api.model.example", "exposed", False),
        ("hook.example", "clean", True),
    }
    assert [(one["events"], one["sessions"]) for one in document["gaps"]] == [(2, 2)]


def test_a_range_is_narrowed_by_time_and_agent(week: Home, capfd: pytest.CaptureFixture[str]) -> None:
    def uids(*words: str) -> list[str]:
        rows = csv.DictReader(io.StringIO(said(week, capfd, "report", *words, "--format", "csv"), newline=""))
        return [row["uid"] for row in rows]

    assert uids("--since", "2026-02-01") == ["s-calm", "s-codex"]
    assert uids("--until", "2026-02-01T00:00Z") == ["s-all"]
    assert uids("--agent", "codex") == ["s-codex"]
    assert uids("--agent", DEMO_AGENT) == ["s-demo"]
    assert uids("--since", "1s") == []


def test_what_makes_no_sense_is_one_line(week: Home, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "'soon' is no moment" in said(week, capfd, "report", "--since", "soon", status=2)
    assert "not before" in said(week, capfd, "report", "--since", "1d", "--until", "2d", status=2)
    assert "do not go together" in said(week, capfd, "report", "s-all", "--since", "1d", status=2)
    assert "no sarif" in said(week, capfd, "report", "--since", "1d", "--format", "sarif", status=2)
    assert "same session twice" in said(week, capfd, "compare", "s-all", "s-all", status=2)
    assert "no session 'zz'" in said(week, capfd, "compare", "zz", status=2)
    none = make_home(tmp_path)
    assert "no session yet" in said(none, capfd, "report", "--since", "1d", status=2)
    assert list(none.root.glob("reports")) == []


def test_a_person_reads_the_worst_first(week: Home) -> None:
    data = gather_span(SpanReader(week.database), Scope(), START + 5 * DAY, UTC)
    lines = list(sheet_lines(span_sheet(data), 100, color=False))
    assert lines[0] == "▲ LEAKED  3 sessions under AgentGuard"
    assert lines[1] == "Of 3 sessions: 2 leaked, 1 clean."
    assert max(map(len, lines)) <= 140
    at = lines.index("SESSIONS THAT ARE NOT CLEAN")
    assert [line.split()[0] for line in lines[at + 2 : at + 4]] == ["s-codex", "s-all"]
    assert any(line.startswith("2026-02-01") and line.split()[1:3] == ["0", "0"] for line in lines)


def test_a_page_in_the_home_folder(week: Home, capfd: pytest.CaptureFixture[str]) -> None:
    path = Path(said(week, capfd, *RANGE).strip())
    assert path.parent == week.reports
    assert path.stat().st_mode & 0o777 == 0o600
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Of 3 sessions: 2 leaked, 1 clean." in page
    assert "new.example" in page
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert not set(tags) & {"script", "img", "link", "iframe", "form"}
    assert tags.count("table") == 6


def test_what_is_new_in_the_later_session(week: Home, capfd: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(week, capfd, "compare", "s-calm", "s-codex", "--format", "json"))
    assert faults(document, "compare") == []
    changes = {name: [one["change"] for one in document[name]] for name in ("credentials", "files", "destinations")}
    assert changes == {"credentials": ["both"], "files": ["both"], "destinations": ["new"]}
    assert document["destinations"][0]["host"] == "new.example"
    assert (document["destinations"][0]["before"], document["destinations"][0]["after"]["events"]) == (None, 1)
    assert (document["credentials"][0]["outcome_before"], document["credentials"][0]["outcome_after"]) == (
        "clean",
        "leaked",
    )
    assert {one["sensor"] for one in document["sensors"]} == {"seccomp", "proxy"}
    text = said(week, capfd, "compare", "s-calm", "s-codex")
    assert "It is leaked, was clean: 1 new receiver." in text
    assert re.search(r"\+ new +new\.example +▲ leaked +1$", text, re.MULTILINE)
    assert "No difference; 1 file in both." in text
    back = said(week, capfd, "compare", "s-codex", "s-calm")
    assert "It is clean, was leaked: nothing new." in back
    assert re.search(r"− gone +new\.example", back)


def test_the_newest_session_is_the_later_one(week: Home, capfd: pytest.CaptureFixture[str]) -> None:
    last = json.loads(said(week, capfd, "compare", "s-all", "--format", "json"))["after"]["uid"]
    assert last == json.loads(said(week, capfd, "sessions", "--format", "json", "--limit", "1"))[0]["uid"]


@pytest.mark.parametrize("words", [RANGE, ("compare", "s-all", "s-codex")], ids=["range", "compare"])
def test_markdown_is_ours_and_fits(week: Home, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    text = said(week, capfd, *words, "--format", "markdown")
    assert len(text.encode()) <= MOST_BYTES
    kinds = [token.type for token in MarkdownIt("gfm-like").parse(text)]
    assert kinds.count("table_open") >= 2
    assert text.count("<details>") == text.count("</details>") >= 1
    assert text.startswith("# ▲ LEAKED")


def test_a_clock_that_was_wrong_makes_no_endless_list_of_days(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    writer = Writer(home)
    writer.start()
    for uid, start in (("s-old", 0), ("s-new", START)):
        writer.begin_session(session(uid, start_ns=start))
        writer.end_session(session(uid, start_ns=start, outcome=Outcome.CLEAN))
    writer.close()
    data = gather_span(SpanReader(home.database), Scope(), START, UTC)
    assert [day.day.year for day in data.days] == [1970, 2026]
