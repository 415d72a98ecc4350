"""What `run` prints before and after."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path

import pytest
from record_builders import (
    FINGERPRINT,
    HOSTILE,
    SECOND,
    START,
    make_home,
    match,
    read,
    record_all_sorts,
    record_walk,
    session,
)

from agentguard.model.access import Access
from agentguard.model.session import Coverage, SensorState
from agentguard.record.at_rest import mark_rotated
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.report.advice import next_steps
from agentguard.show.report.data import gather
from agentguard.show.summary import banner, summary


def summary_of(tmp_path: Path, *, color: bool = False) -> str:
    reader = Reader(make_home(tmp_path).database)
    found = reader.session("last")
    assert found is not None
    return summary(found, reader, Path("/reports/x.html"), color=color)


@pytest.fixture
def writer(tmp_path: Path):
    writer = Writer(make_home(tmp_path))
    writer.start()
    yield writer
    writer.close()


def test_the_summary_says_what_was_read_sent_and_missed(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer)
    assert summary_of(tmp_path).splitlines() == [
        "agentguard: ▲ LEAKED  curl, 1 min",
        "  A credential was sent to paste.example by curl.",
        "  read    2 credentials; 3 reads of .env; 1 command that fetches one; 1 inherited",
        "  sent    3 sends with a credential, to paste.example and api.model.example",
        "  flow ▲  OPENAI_API_KEY: .env → paste.example after 4.77 s, by curl 48333",
        "  flow ◆  OPENAI_API_KEY: .env → api.model.example after 4.77 s, by curl 48333",
        "  flow ⊘  OPENAI_API_KEY: a file → hook.example after 4.77 s, by curl 48333",
        "  gaps    1 moment in which a credential could have left unseen",
        "          nc connected to 203.0.113.9:443 without the proxy",
        "  ⊘ 1 request blocked; nothing left with them",
        "  report  /reports/x.html",
        "  look    agentguard tui",
    ]


def test_colour_changes_no_word(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer)
    colored = summary_of(tmp_path, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == summary_of(tmp_path)


def test_the_old_value_of_a_rotated_key_has_a_line(tmp_path: Path, writer: Writer) -> None:
    guard_home = make_home(tmp_path)
    begun = record_walk(writer)
    writer.flush(5)
    mark_rotated(guard_home, FINGERPRINT, START)
    mark_rotated(guard_home, "0c" * 16, START)
    (line,) = (line for line in summary_of(tmp_path).splitlines() if "old" in line)
    assert line.startswith("  ↻ old   OPENAI_API_KEY rotated, but the old value is in use: sent to paste.example 2026-")
    steps = next_steps(gather(Reader(guard_home.database), begun, zone=UTC))
    assert steps[0].do.startswith("Put the new OPENAI_API_KEY wherever the old one is still used")
    assert steps[0].why.startswith("OpenAI project key. It was marked as rotated 2026-01-31 14:31:18 UTC. It went to")
    mark_rotated(guard_home, FINGERPRINT, START + 3600 * SECOND)
    assert "old" not in summary_of(tmp_path)
    assert next_steps(gather(Reader(guard_home.database), begun))[0].do.startswith("To close a gap")


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access.NEW_READER, "  ! look  claude-code never took OPENAI_API_KEY, B and 1 more before"),
        (Access.SUDDEN_RISE, "  ! look  claude-code took OPENAI_API_KEY, B and 1 more far more often than ever before"),
        (Access.USUAL, None),
    ],
)
def test_unusual_accesses_have_a_line(tmp_path: Path, writer: Writer, access: Access, words: str | None) -> None:
    writer.begin_session(session())
    names = ("OPENAI_API_KEY", "OPENAI_API_KEY", "B", HOSTILE)
    writer.append(*read(1, matches=tuple(match(name=name, access=access, fingerprint=name[:1] * 32) for name in names)))
    writer.flush(5)
    assert [line for line in summary_of(tmp_path).splitlines() if "look  c" in line] == ([words] if words else [])


def test_hostile_names_cannot_act_on_the_terminal(tmp_path: Path, writer: Writer) -> None:
    record_all_sorts(writer, name=HOSTILE)
    words = summary_of(tmp_path)
    assert "\x1b" not in words
    assert "\u202e" not in words
    assert len(words.splitlines()) <= 15


def test_a_clean_session_is_four_facts(tmp_path: Path, writer: Writer) -> None:
    writer.begin_session(session())
    writer.flush(5)
    assert summary_of(tmp_path).splitlines()[:4] == [
        "agentguard: ✓ CLEAN  Claude Code, still running",
        "  No credential was seen leaving to a model provider or to anyone it was not meant for, and every way out was "
        "watched.",
        "  read    no credential",
        "  sent    no credential was seen leaving",
    ]


def test_the_banner_says_what_is_watched_and_what_is_not() -> None:
    coverage = [
        Coverage(sensor="seccomp", state=SensorState.RUNNING),
        Coverage(sensor="watchdog", state=SensorState.RUNNING),
        Coverage(sensor="proxy", state=SensorState.UNAVAILABLE, reason="no port on loopback"),
    ]
    assert banner(session(), coverage).splitlines() == [
        "agentguard: guarding Claude Code; watching files and folders",
        "agentguard: ✕ proxy is not watching: no port on loopback",
    ]
    many = [Coverage(sensor=str(number), state=SensorState.FAILED) for number in range(9)]
    assert len(banner(session(agent_name=HOSTILE), many).splitlines()) == 3
    assert "watching nothing" in banner(session(), many)
