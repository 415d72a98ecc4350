"""Tries the ways in a guarded session, and says what its record holds of each."""

from __future__ import annotations

import json
import os
import secrets
import string
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.guarded import REPOSITORY, Event, Guarded, of_kind
from harness.ordinary_user import UID
from harness.planted import made_key

from evasion.claim import Claim
from evasion.scripts import HERE
from evasion.sends.way import Way

_LETTERS = string.ascii_letters + string.digits
AT_ONCE = "3"
"""They wait for each other's answers more than they work."""
_TREE = REPOSITORY / "tests"


@dataclass(frozen=True, slots=True)
class Tried:
    """One way, tried."""

    way: Way
    folder: Path
    fingerprint: str
    arrived: bool
    printed: str
    pids: tuple[int, ...]
    """Of the processes that sent it, by their own word."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A session of many ways."""

    tried: dict[str, Tried]
    events: list[Event]
    outcome: str
    root_pid: int


class WrongRecordError(Exception):
    """Raised where the record is not merely poor, but wrong."""


def try_ways(guarded: Guarded, tools: Path, ways: Sequence[Way], *, options: tuple[str, ...] = ()) -> Trial:
    """Run them all in one session. Ways with the same `variable` have one value.

    Args:
        tools: a folder for the front of PATH.
        options: further ones of `agentguard run`.
    """
    base = guarded.home.parent
    for name in ("pids", "out", "world", "world/git"):
        (base / name).mkdir()
        (base / name).chmod(0o777)
    values = {way.id: _value(way) for way in ways}
    variables = {way.variable: values[way.id] for way in ways if way.variable}
    values |= {way.id: variables[way.variable] for way in ways if way.variable}
    folders = {way.id: _plant(guarded, way, values[way.id]) for way in ways}
    _hand_over(guarded)
    guarded.extra = {
        **guarded.extra,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "WORLD_CA": str(base / "world" / "ca.pem"),
        "PYTHONPATH": f"{_TREE}{os.pathsep}{REPOSITORY}",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **variables,
    }
    _prepare(guarded, ways, folders)
    plan = [_planned(base, way, folders[way.id]) for way in ways]
    (base / "plan.json").write_text(json.dumps(plan))
    arrived = _run(guarded, base, values, options)
    (session,) = guarded.sessions()
    tried = {
        way.id: Tried(
            way=way,
            folder=folders[way.id],
            fingerprint=guarded.fingerprint(values[way.id]),
            arrived=way.id in arrived,
            printed=(base / "out" / way.id).read_text(errors="replace"),
            pids=tuple(map(int, (base / "pids" / way.id).read_text().split())),
        )
        for way in ways
    }
    return Trial(tried, guarded.events(), session["outcome"], session["root_pid"])


def _value(way: Way) -> str:
    """Of the form that the way asks for."""
    if way.variable == "OPENAI_API_KEY":
        return made_key()
    before, count = "tok", 32
    if way.variable == "GITHUB_TOKEN":
        before, count = "gh" + "p_", 36
    elif way.known_form:
        before, count = "sk_" + "live_", 24
    return before + "".join(secrets.choice(_LETTERS) for _ in range(count))


def _plant(guarded: Guarded, way: Way, value: str) -> Path:
    folder = guarded.project / way.id
    folder.mkdir()
    if way.data:
        (folder / "data").write_bytes(way.data())
    if not way.variable:
        (folder / ".env").write_text(f"TOKEN={value}\nPORT=3000\n")
    for name in ("pids", "out"):
        file = guarded.home.parent / name / way.id
        file.touch()
        file.chmod(0o666)
    return folder


def _hand_over(guarded: Guarded) -> None:
    """What root made belongs to the user whose session it is."""
    if guarded.prefix:
        for path in (guarded.project, *guarded.project.rglob("*")):
            os.chown(path, UID, UID)


def _prepare(guarded: Guarded, ways: Sequence[Way], folders: dict[str, Path]) -> None:
    base = guarded.home.parent
    lines = [f"cd '{folders[way.id]}' && {{ {way.before}; }} > /dev/null || exit" for way in ways if way.before]
    lines += [f"git init -q --bare '{base}/world/git/{way.id}.git' || exit" for way in ways if way.shown_by]
    lines += [f"git -C '{base}/world/git/{way.id}.git' config http.receivepack true" for way in ways if way.shown_by]
    subprocess.run([*guarded.prefix, "sh", "-c", "\n".join(lines)], env=guarded.environ, check=True)


def _planned(base: Path, way: Way, folder: Path) -> dict[str, object]:
    environ = {
        "WAY": str(folder),
        "PIDS": str(base / "pids" / way.id),
        "ID": way.id,
        "URL": f"https://collector.example/{way.id}",
        "TWO": f"https://two.example/{way.id}",
    }
    out = str(base / "out" / way.id)
    files = {"out": out, "err": out, "standard_input": False}
    return {"script": way.script, "folder": str(folder), "environ": environ, **files}


def _run(guarded: Guarded, base: Path, values: dict[str, str], options: tuple[str, ...]) -> set[str]:
    """The ids of the ways whose secret arrived."""
    driver = (sys.executable, str(HERE / "driver.py"), str(base / "plan.json"), AT_ONCE)
    command = guarded.command(*driver, options=("--quiet", *options))[len(guarded.prefix) :]
    described = {"world": str(base / "world"), "values": values, "command": command, "cwd": str(guarded.project)}
    (base / "stage.json").write_text(json.dumps(described))
    stage = subprocess.run(
        [*guarded.prefix, sys.executable, "-m", "evasion.sends.stage", str(base / "stage.json")],
        env=guarded.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert stage.returncode == 0, f"the stage failed: {stage.stderr}"
    came = json.loads(stage.stdout)
    assert came["status"] == 0, came["errors"]
    return set(came["arrived"])


# --- what the record says -----------------------------------------------------------------------------


def observed(trial: Trial, tried: Tried) -> Claim:
    """What the record holds of a way.

    Raises:
        WrongRecordError: it names a process that did not send, or a host that did not get it.
    """
    way = tried.way
    if way.stopped:
        assert not tried.arrived, "it arrived after all"
    else:
        assert tried.arrived, f"the way does not work: {tried.printed}"
    sends = [event for event in trial.events if event["activity"] == "send" and tried.fingerprint in _prints(event)]
    if sends:
        return _quality(trial, tried, sends)
    return Claim.GAP if any(_tells(event, tried) for event in of_kind(trial.events, "gap")) else Claim.MISSED


def _quality(trial: Trial, tried: Tried, sends: list[Event]) -> Claim:
    way, noted = tried.way, set(tried.pids)
    strangers = [event for event in sends if not (_line(event) if way.below else {_pid(event)}) & noted]
    if strangers:
        raise WrongRecordError(f"{[_who(event) for event in strangers]} did not send; {noted} did")
    elsewhere = [event["host"] for event in sends if not event["host"].endswith(way.host)]
    if elsewhere:
        raise WrongRecordError(f"{elsewhere} did not get it; {way.host} did")
    if not all(event["process"]["name"].startswith(way.program) for event in sends):
        raise WrongRecordError(f"{[_who(event) for event in sends]} is not what sent")
    whole = all(trial.root_pid in _line(event) for event in sends)
    held = {(event["attribution"], event["confidence"]) for event in sends} == {("exact", "exact-held")}
    linked = not way.from_read or any(_is_from(trial, tried, event) for event in sends)
    return Claim.EXACT if whole and held and linked else Claim.LOWER


def _is_from(trial: Trial, tried: Tried, send: Event) -> bool:
    """Whether its flow leads to a read in the folder of this way."""
    if not send["flow"]:
        return False
    source = next(event for event in trial.events if event["uid"] == send["flow"]["read"])
    return bool(source["path"].startswith(f"{tried.folder}/") and tried.fingerprint in _prints(source))


def _tells(event: Event, tried: Tried) -> bool:
    gap, process = event["gap"], event["process"]
    if gap["counts"] is tried.way.stopped or process is None:
        return False
    if tried.way.gap and gap["type"] != tried.way.gap:
        return False
    return bool(_line(event) & set(tried.pids) if tried.way.below else process["pid"] in tried.pids)


def _prints(event: Event) -> set[str]:
    return {match["fingerprint"] for match in event["matches"]}


def _pid(event: Event) -> int | None:
    return event["process"]["pid"] if event["process"] else None


def _line(event: Event) -> set[int]:
    """The process and its ancestors."""
    process = event["process"]
    return {process["pid"], *(parent["pid"] for parent in process["ancestors"])} if process else set()


def _who(event: Event) -> str:
    process = event["process"]
    return f"{process['pid']} {process['name']}" if process else "nobody"
