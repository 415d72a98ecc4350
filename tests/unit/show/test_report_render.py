"""The three reports of real recorded sessions."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from harness.html_page import Page
from record_builders import HOSTILE, SECOND, START, gap, leaked, make_home, read, record_all_sorts, send, session
from schema_check import faults

from agentguard.model.session import DEMO_AGENT, Coverage, SensorState
from agentguard.model.verdict import Outcome, Severity
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.report.advice import headline, next_steps
from agentguard.show.report.data import MOST_EVENTS, MOST_FLOWS, ReportData, gather
from agentguard.show.report.html import render_html
from agentguard.show.report.json_report import json_parts
from agentguard.show.report.markdown import render_markdown
from agentguard.show.report.write import write_report


@pytest.fixture
def writer(tmp_path: Path):
    writer = Writer(make_home(tmp_path))
    writer.start()
    yield writer
    writer.close()


def data_of(tmp_path: Path, uid: str = "last") -> ReportData:
    reader = Reader(make_home(tmp_path).database)
    found = reader.session(uid)
    assert found is not None
    return gather(reader, found, now_ns=START, zone=UTC)


def json_of(tmp_path: Path) -> str:
    data = data_of(tmp_path)
    with contextlib.closing(Reader(make_home(tmp_path).database)) as reader:
        return "".join(json_parts(reader, data))


def test_html_tells_the_whole_story(tmp_path: Path, writer: Writer) -> None:
    ended = record_all_sorts(writer)
    page = Page(render_html(data_of(tmp_path)))
    for words in (
        "▲ LEAKED",
        "A credential was sent to paste.example by curl.",
        "Revoke OPENAI_API_KEY now, and put a new one in its place. OpenAI project key. It went to paste.example",
        "Read 14:31:21.000 .env /src/curl/.env claude 48213 node 48290 bash 48311 curl 48317",
        "4.77 s later",
        "Sent 14:31:24.000 paste.example someone else: POST /curl, 2 kB",
        "same value, in body, base64",
        "Stopped 14:31:26.000",
        "no longer recorded",
        "curl ×3 14:31:19.000 3 times, last 14:31:21.000",
        "gh auth token curl",
        "platform.openai.com",
        "policies/default.yaml:leak-to-unknown-host",
        "policy explain --event s-all-e6",
        "model provider",
        "nc connected to 203.0.113.9:443 without the proxy",
        "let the program use the proxy",
        "1 gap that did not count",
        "yes: it saw its own decoy",
        ended.seal,
        "agentguard verify",
    ):
        assert words in page.text, words


def test_html_needs_nothing_from_outside(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer, name=HOSTILE)
    page = Page(render_html(data_of(tmp_path)))
    names = {name for name, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "audio"}
    assert page.faults() == []
    policy = next(attrs for name, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy["content"])
    assert "unsafe" not in str(policy["content"])
    for name, attributes in page.tags:
        assert not any(key.startswith("on") or key in ("src", "style", "srcset") for key in attributes), name
        if "href" in attributes:
            assert name == "a"
            assert str(attributes["href"]).startswith(("https://platform.openai.com/", "#"))
    assert "url(" not in render_html(data_of(tmp_path))
    assert "@import" not in render_html(data_of(tmp_path))


def test_hostile_names_are_shown_harmlessly(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer, name=HOSTILE)
    data = data_of(tmp_path)
    page, markdown, machine = render_html(data), render_markdown(data), json_of(tmp_path)
    assert "\\x1b[31m\\u202egpj" in Page(page).text
    for report in (page, markdown, machine):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", report)
    outside_code = re.sub(r"(`+).*?\1", "", markdown)
    assert not re.search(r"(?<!\\)<img|(?<!\\)\[a|[^\\]://evil", outside_code)
    assert "\n# h" not in markdown
    assert machine.isascii()


def test_markdown_tables_keep_their_columns(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer, name="a|b\\|c")
    for block in re.findall(r"(?:^\|.*\n)+", render_markdown(data_of(tmp_path)), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_json_is_as_its_schema_says(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer, name=HOSTILE)
    report = json.loads(json_of(tmp_path))
    assert faults(report, "report") == []
    assert report["events_total"] == len(report["events"]) == 10
    assert [event["seq"] for event in report["events"]] == list(range(1, 11))
    assert {flow["send"] for flow in report["flows"]} == {"s-all-e6", "s-all-e7", "s-all-e8"}
    assert [one["outcome"] for one in report["credentials"]] == ["leaked", "clean"]
    assert len(report["processes"]) == 2


def test_the_schema_refuses_what_is_wrong(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer)
    good = json.loads(json_of(tmp_path))
    for spoil in (
        lambda report: report.pop("session"),
        lambda report: report["session"].update(outcome="fine"),
        lambda report: report["events"][0].update(seq="1"),
        lambda report: report["events"][0]["matches"][0].pop("fingerprint"),
        lambda report: report.update(generated="today"),
    ):
        report = json.loads(json.dumps(good))
        spoil(report)
        assert faults(report, "report") != []


def test_a_large_session_is_summed_up_and_keeps_what_is_grave(tmp_path: Path, writer: Writer) -> None:
    writer.begin_session(session())
    for number in range(1, MOST_EVENTS + 500):
        finding, verdict = read(number, path=f"/src/{number % 40}/.env")
        writer.append(finding, replace(verdict, severity=Severity.LOW))
        if number <= 2 * MOST_FLOWS:
            finding, verdict = send(number, of=f"s-one-e{number}", host="api.model.example", uid=f"m-{number}")
            writer.append(finding, replace(verdict, severity=Severity.MEDIUM, outcome=Outcome.EXPOSED))
    writer.append(*send(MOST_EVENTS + 500, of="s-one-e7"))
    writer.append(*gap(MOST_EVENTS + 501))
    assert writer.flush(60), "a busy machine writes slower than it is told"
    writer.end_session(replace(leaked(session()), end_ns=START + (MOST_EVENTS + 600) * SECOND))
    data = data_of(tmp_path)
    total = MOST_EVENTS + 501 + 2 * MOST_FLOWS
    assert (len(data.events), data.total, data.omitted) == (MOST_EVENTS, total, total - MOST_EVENTS)
    assert [event.seq for event in data.events][-2:] == [total - 1, total]
    assert len(data.flows) == MOST_FLOWS
    assert data.flows[-1][0].seq == total - 1
    page = render_html(data)
    text = Page(page).text
    assert f"The session has {total:,} events" in text
    opens = -(-(MOST_EVENTS + 499 - 7) // 40)
    assert f"/src/7/.env OPENAI_API_KEY python3 14:31:25.000 {opens} times, last" in text, "all opens are counted"
    assert f"{2 * MOST_FLOWS} times, last 14:37:58.000" in text, "all sends are counted"
    assert 'class="arc' not in page, "arcs of some flows would seem to end where these do"
    assert page.count('class="mark leaked"') == 2, "in each of both drawings, also of what is counted only"
    assert page.count('class="mark exposed"') > 20
    told = [int(times) for times in re.findall(r"at least (\d+) times; this is the first", text)]
    alone = page.count("<figure") - len(told)
    more = 2 * MOST_FLOWS + 1 - sum(told) - alone
    assert f"And {more} more flows: agentguard report --session s-one --format json" in text
    assert "paste.example someone else: POST /api" in text
    assert len(page) < 600_000
    machine = json.loads(json_of(tmp_path))
    assert [event["seq"] for event in machine["events"]] == list(range(1, total + 1))
    assert len(machine["flows"]) == 2 * MOST_FLOWS + 1
    assert faults(machine, "report") == []


def test_a_quiet_running_session_has_a_report_too(tmp_path: Path, writer: Writer) -> None:
    down = Coverage(sensor="proxy", state=SensorState.FAILED, reason="it died")
    writer.begin_session(session(coverage=(down,)))
    writer.flush(5)
    data = data_of(tmp_path)
    page = Page(render_html(data)).text
    assert "✓ CLEAN" in page
    assert "this is how it stood at" in page
    assert "not sealed yet" in page
    assert "✕ failed" in page
    assert "Not watching in this session: proxy" in page
    assert "Not sealed yet" in render_markdown(data)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_reason_and_a_next_step(tmp_path: Path, writer: Writer, outcome: Outcome) -> None:
    ended = replace(leaked(session()), outcome=outcome, outcome_reason="")
    writer.begin_session(session())
    writer.end_session(ended)
    data = data_of(tmp_path)
    assert headline(data).endswith(".")
    assert [step.do for step in next_steps(data)] == ["Nothing needs to be done."]


def test_a_demo_is_called_one(tmp_path: Path, writer: Writer) -> None:
    for uid, agent in (("s-real", "unknown"), ("s-demo", DEMO_AGENT)):
        writer.begin_session(session(uid, agent=agent))
        writer.end_session(leaked(session(uid, agent=agent)))
    real, demo = (Page(render_html(data_of(tmp_path, uid))).text for uid in ("s-real", "s-demo"))
    assert "This was the demo: its credentials are made up" in demo
    assert "made up" not in real


def test_the_file_is_private_and_replaced_whole(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer)
    reader = Reader(make_home(tmp_path).database)
    found = reader.session("last")
    assert found is not None
    for _ in range(2):
        path = write_report(reader, found, tmp_path / "reports")
        assert path == tmp_path / "reports" / "s-all.html"
        assert path.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "reports").iterdir()) == [path]


def test_the_report_says_how_soon_each_sensor_was_proved(tmp_path: Path, writer: Writer) -> None:
    proved = Coverage(sensor="inotify", state=SensorState.STOPPED, proved=True, proved_ns=START + 41_000_000)
    blind = Coverage(sensor="watchdog", state=SensorState.STOPPED)
    begun = session("s-proved", coverage=(proved, blind))
    writer.begin_session(begun)
    writer.end_session(begun)
    data = data_of(tmp_path)
    lines = [line.split(" | ") for line in render_markdown(data).splitlines()]
    assert [line[2] for line in lines if line[0] in {"| inotify", "| watchdog"}] == [
        "proved alive after 41 ms",
        "not proved",
    ]
    assert "yes: it saw its own decoy after 41 ms" in " ".join(Page(render_html(data)).words)


GOOD = (
    "<html lang='en'><head><title>T</title></head><body><main><h1 id='a'>A</h1><ul><li>x</li></ul>"
    "<svg aria-labelledby='a'><path d='M0 0'/></svg>"
    "<table><caption>C</caption><tbody><tr><th scope='row'>n</th><td>v</td></tr></tbody></table></main></body></html>"
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<h1 id='a'>A</h1>", "<h1 id='a'>A</h1><h3>B</h3>"),
        ("<ul><li>x</li></ul>", "<p id='a'>x</p>"),
        ("<ul><li>x</li></ul>", "<ul><p>x</p></ul>"),
        ("<ul><li>x</li></ul>", "<p><ul><li>x</li></ul></p>"),
        ("<ul><li>x</li></ul>", "<a href='#b'>x</a>"),
        ("<svg aria-labelledby='a'>", "<svg>"),
        ("<svg aria-labelledby='a'>", "<svg aria-labelledby='b'>"),
        ("<caption>C</caption>", ""),
        (" scope='row'", ""),
        (" lang='en'", ""),
        ("<h1 id='a'>", "<h1 id='a' class='x' class='y'>"),
    ],
)
def test_the_strict_reader_finds_what_is_wrong(right: str, wrong: str) -> None:
    assert Page(GOOD).faults() == []
    assert right in GOOD
    assert Page(GOOD.replace(right, wrong)).faults() != []
