"""Tries the ways in a guarded session, and says what its record holds of each."""

from __future__ import annotations

import json
import os
import secrets
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.guarded import Event, Guarded, of_kind
from harness.hurry import hurried_index
from harness.ordinary_user import UID

from evasion.claim import Claim
from evasion.reads.tools import HERE, Tools
from evasion.reads.way import Seen, Way

VARIABLE = "SESSION_API_TOKEN"
_HELD_OUTSIDE = "outside"
SESSION_SECONDS = 300
"""Twenty on a machine that has nothing else to do."""
_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Tried:
    """One way, tried."""

    way: Way
    folder: Path
    value: str
    printed: bytes
    errors: bytes
    pids: tuple[int, ...]
    """Of the processes that opened it, by their own word."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A session of many ways."""

    tried: dict[str, Tried]
    sensors: dict[str, str]
    """What the session says of each of its sensors."""
    events: list[Event]
    root_pid: int
    root: bool


class WrongRecordError(Exception):
    """Raised where the record is not merely poor, but wrong."""


def try_ways(guarded: Guarded, tools: Tools, ways: Sequence[Way], *, inner: tuple[str, ...] = ()) -> Trial:
    """Run them all in one session. `inner` comes between the user's prefix and the session.

    The exact ones go first: an open that the folder watch alone sees is taken for the guard's own look at the file, if
    it follows within a second. The late ones go last.
    """
    ways = sorted(ways, key=lambda way: (way.late, way.claim is not Claim.EXACT))
    base = guarded.home.parent
    for name in ("pids", "out", "err"):
        (base / name).mkdir()
        (base / name).chmod(0o777)
    values = {way.id: _value() for way in ways}
    values[VARIABLE], values[_HELD_OUTSIDE] = _value(), _value()
    folders = {way.id: _plant(guarded, way, values[way.id]) for way in ways}
    held = base / "held.env"
    held.write_text(f"TOKEN={values[_HELD_OUTSIDE]}\n")
    _hand_over(guarded, base)
    _prepare(guarded, ways, folders)
    plan = [_planned(base, way, folders[way.id]) for way in ways]
    (base / "plan.json").write_text(json.dumps(plan))
    with _outside(guarded, held, base / "socket") as pid:
        guarded.extra = {
            **guarded.extra,
            VARIABLE: values[VARIABLE],
            "PATH": f"{tools.folder}:{os.environ['PATH']}",
            "CALLS": str(tools.folder / "calls"),
            "PRELOADED": str(tools.folder / "preloaded.so"),
            "OUTSIDE_PID": str(pid),
            "OUTSIDE_SOCKET": str(base / "socket"),
        }
        _run(guarded, inner, base / "plan.json", folders)
    (session,) = guarded.sessions()
    tried = {
        way.id: Tried(
            way=way,
            folder=folders[way.id],
            value=values[_value_of(way)],
            printed=(base / "out" / way.id).read_bytes(),
            errors=(base / "err" / way.id).read_bytes(),
            pids=tuple(map(int, (base / "pids" / way.id).read_text().split())),
        )
        for way in ways
    }
    sensors = {sensor["sensor"]: sensor["reason"] or "" for sensor in session["coverage"]}
    return Trial(tried, sensors, guarded.events(), session["root_pid"], os.getuid() == 0 and not guarded.prefix)


def _value() -> str:
    return "tok" + "".join(secrets.choice(_LETTERS) for _ in range(32))


def _value_of(way: Way) -> str:
    if way.of_environment:
        return VARIABLE
    return _HELD_OUTSIDE if way.of_outside else way.id


def _plant(guarded: Guarded, way: Way, value: str) -> Path:
    folder = guarded.project / way.id
    folder.mkdir()
    known_form = "sk_" + "live_" + _value()[-24:]
    (folder / ".env").write_text(f"TOKEN={value}\nPORT=3000\nSTRIPE_SECRET_KEY={known_form}\n")
    pids = guarded.home.parent / "pids" / way.id
    pids.touch()
    pids.chmod(0o666)
    return folder


def _hand_over(guarded: Guarded, base: Path) -> None:
    """What root made belongs to the user whose session it is."""
    if guarded.prefix:
        for path in (base / "held.env", *guarded.project.rglob("*")):
            os.chown(path, UID, UID)


def _prepare(guarded: Guarded, ways: Sequence[Way], folders: dict[str, Path]) -> None:
    lines = [f"cd '{folders[way.id]}' && {{ {way.before}; }} > /dev/null || exit" for way in ways if way.before]
    subprocess.run([*guarded.prefix, "sh", "-c", "\n".join(lines)], env=guarded.environ, check=True)


def _planned(base: Path, way: Way, folder: Path) -> dict[str, object]:
    return {
        "script": way.script,
        "folder": str(folder),
        "environ": {"WAY": str(folder), "PIDS": str(base / "pids" / way.id)},
        "out": str(base / "out" / way.id),
        "err": str(base / "err" / way.id),
        "standard_input": way.standard_input,
    }


@contextmanager
def _outside(guarded: Guarded, held: Path, socket: Path) -> Iterator[int]:
    command = [*guarded.prefix, sys.executable, str(HERE / "outside.py"), str(held), str(socket)]
    with subprocess.Popen(
        command, env=guarded.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        word, pid = process.stdout.readline().split()
        assert word == "ready"
        yield int(pid)
        process.stdin.close()
        process.wait(10)


def _run(guarded: Guarded, inner: tuple[str, ...], plan: Path, folders: dict[str, Path]) -> None:
    command = guarded.command(sys.executable, str(HERE.parent / "driver.py"), str(plan), "1", options=("--quiet",))
    at = len(guarded.prefix)
    opened_before = next((folder for folder in folders.values() if folder.name == "inherited"), None)
    with open(opened_before / ".env" if opened_before else os.devnull) as standard_input, hurried_index():
        done = subprocess.run(
            [*command[:at], *inner, *command[at:]],
            cwd=guarded.project,
            env=guarded.environ,
            stdin=standard_input,
            capture_output=True,
            text=True,
            timeout=SESSION_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr


# --- what the record says -----------------------------------------------------------------------------


def observed(trial: Trial, tried: Tried) -> Claim:
    """What the record holds of a way.

    Raises:
        WrongRecordError: it names a process that did not read, or leaves out one that did.
    """
    way = tried.way
    assert tried.value.encode() in tried.printed, f"the way does not work: {tried.errors.decode(errors='replace')}"
    if way.seen is Seen.ENVIRONMENT:
        names = {match["name"] for event in of_kind(trial.events, "environment") for match in event["matches"]}
        return Claim.EXACT if VARIABLE in names else Claim.MISSED
    events = [event for event in of_kind(trial.events, way.seen) if _is_of(event, tried)]
    if events:
        return _quality(trial, tried, events)
    return Claim.GAP if any(_tells(event, tried) for event in of_kind(trial.events, "gap")) else Claim.MISSED


def _is_of(event: Event, tried: Tried) -> bool:
    """Whether it tells of this way: by its file, or where that has no telling place by its process."""
    by_noted = event["process"]["pid"] in tried.pids
    if tried.way.seen is Seen.COMMAND:
        return by_noted and bool(event["command_rule"])
    in_folder = event["path"].startswith(f"{tried.folder}/")
    return (in_folder or by_noted) and event["path"].endswith(tried.way.at)


def _quality(trial: Trial, tried: Tried, events: list[Event]) -> Claim:
    way, noted = tried.way, Counter(tried.pids)
    openers = Counter(event["process"]["pid"] for event in events)
    if way.below:
        strangers = [event for event in events if not noted.keys() & _line(event)]
    else:
        strangers = [event for event in events if event["process"]["pid"] not in noted]
        if noted - openers:
            raise WrongRecordError(f"{dict(noted - openers)} read and were not seen; seen: {dict(openers)}")
    if strangers:
        raise WrongRecordError(f"{[_who(event) for event in strangers]} did not read; {dict(noted)} did")
    if way.program and {event["process"]["name"] for event in events} != {way.program}:
        raise WrongRecordError(f"{[_who(event) for event in events]} is not what runs")
    whole = all(trial.root_pid in _line(event) for event in events)
    held = {(event["attribution"], event["confidence"]) for event in events} == {("exact", "exact-held")}
    valued = way.seen is not Seen.FILE or way.of_environment or all(event["matches"] for event in events)
    return Claim.EXACT if whole and held and valued else Claim.LOWER


def _tells(event: Event, tried: Tried) -> bool:
    gap, process = event["gap"], event["process"]
    if tried.way.gap and gap["type"] != tried.way.gap:
        return False
    return f"{tried.folder}/" in gap["detail"] or (process is not None and process["pid"] in tried.pids)


def _line(event: Event) -> set[int]:
    """The process and its ancestors."""
    process = event["process"]
    return {process["pid"], *(parent["pid"] for parent in process["ancestors"])}


def _who(event: Event) -> str:
    return f"{event['process']['pid']} {event['process']['name']}"


def follows(trial: Trial, tried: Tried) -> bool:
    """Whether the value was recognised on the command line of a process that never opened the file."""
    commands = of_kind(trial.events, "command")
    return any(match["source_path"] == str(tried.folder / ".env") for event in commands for match in event["matches"])
