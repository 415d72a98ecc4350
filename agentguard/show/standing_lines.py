"""What `agentguard` alone says: what runs, what came of the last session, what waits, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentguard.command_name import command
from agentguard.model.session import DEMO_AGENT, Coverage, SensorState, Session
from agentguard.model.session_json import session_to_json
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Outcome
from agentguard.show.looks import OUTCOME, painted
from agentguard.show.phrases import ago, duration, plural
from agentguard.show.table import fitted
from agentguard.show.text import safe, shortened
from agentguard.show.urgency import DEMANDS, Cause, Task

MOST_RUNNING = 3
_SOFT, _BOLD = "2", "1"
_LABEL = 9
_NARROWEST = 20
_URGENT = frozenset({Cause.LEAKED, Cause.STILL_USED})
_LONGEST_FOLDER = 40

_QUESTION = "Which credentials did your coding agent touch, and where did they go?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that the lines are made of."""

    running: Sequence[Session] = ()
    """Newest first; each with its outcome so far."""
    died: Sequence[Session] = ()
    """Not sealed, and their guards have died."""
    last: Session | None = None
    """The one that ended last."""
    tasks: Sequence[Task] = ()
    """Keys to be rotated, the most urgent first."""
    now_ns: int
    user_home: str
    home_option: str = ""
    """What verbs that are told need to open this home folder (`agentguard.config.home_option`)."""

    @property
    def empty(self) -> bool:
        """Nothing was ever guarded, and no key waits."""
        return not (self.running or self.died or self.last or self.tasks)

    @property
    def gaps(self) -> int:
        """Moments of the last session in which a credential could have left unseen."""
        return self.last.counts.get("gaps_counted", 0) if self.last else 0

    @property
    def blind(self) -> tuple[Coverage, ...]:
        """Sensors of the newest session that did not run, or died."""
        newest = next(iter(self.running), self.last)
        dead = (SensorState.UNAVAILABLE, SensorState.FAILED)
        return tuple(one for one in newest.coverage if one.state in dead) if newest else ()


@dataclass(frozen=True, slots=True)
class Step:
    """What to type next, and what for."""

    command: str
    why: str


def next_step(now: Situation, agent: str) -> Step:
    """The one thing to do, the gravest first. `agent` is the program to start where nothing else is to be done."""
    first = next(iter(now.tasks), None)
    if first is not None and first.cause in _URGENT:
        return _step(now, "keys worklist", _demand(first))
    if any(one.outcome is Outcome.LEAKED and not _is_demo(one) for one in now.running):
        return _step(now, "tui", "a credential has just been sent to someone it was not meant for")
    if first is not None:
        return _step(now, "keys worklist", _demand(first))
    if now.running:
        return _step(now, "tui", "watch it live")
    if now.died:
        return _step(now, f"run -- {agent}", "the next start closes the record of the session whose guard died")
    demo = now.last is not None and _is_demo(now.last)
    if now.last is not None and now.last.outcome is not Outcome.CLEAN and not demo:
        return _step(now, "report --last", "what happened, and what to do about it")
    if any(one.state is SensorState.FAILED for one in now.blind):
        return _step(now, "doctor", "a sensor died: what can be watched here, proved")
    why = "that was the demo; now guard an agent of your own" if demo else "nothing waits; guard the next session"
    return _step(now, f"run -- {agent}", why)


def standing_lines(now: Situation, *, agent: str, room: int, color: bool) -> list[str]:
    """At most twelve lines of at most `room` columns."""
    if now.empty:
        return _quick_start(agent)
    step = next_step(now, agent)
    lines = [*_running(now), *_died(now), *_last(now), *_rotate(now), *_unseen(now)]
    shown = [_line(label, words, room, color=color) for label, words in lines]
    return [*shown, _line("next", step.command, room, color=color, sgr=_BOLD), _line("", step.why, room, color=color)]


def standing_json(now: Situation, agent: str) -> dict[str, Any]:
    """The same as an object; more fields may join it."""
    step = next_step(now, agent)
    first = next(iter(now.tasks), None)
    return {
        "running": [session_to_json(one) for one in now.running],
        "guard_died": [session_to_json(one) for one in now.died],
        "last": session_to_json(now.last) if now.last else None,
        "to_rotate": {
            "count": len(now.tasks),
            "first": None
            if first is None
            else {"fingerprint": first.credential.fingerprint, "name": valid_text(_name(first)), "cause": first.cause},
        },
        "gaps_counted": now.gaps,
        "sensors_down": [
            {"sensor": one.sensor, "state": one.state, "reason": valid_text(one.reason)} for one in now.blind
        ],
        "next": {"command": step.command, "why": step.why},
    }


def _quick_start(agent: str) -> list[str]:
    steps = (
        ("demo", "see it work: a scripted agent, made-up secrets"),
        (f"run -- {agent}", "guard your own agent; its terminal stays its own"),
        ("install", "put it on your PATH, and guard agents by their names"),
        ("doctor", "what can be watched on this machine"),
        ("--help", "everything else"),
    )
    width = max(len(verb) for verb, _ in steps)
    return [_QUESTION, "", *(f"  {command()} {verb:<{width}}  {words}" for verb, words in steps)]


def _step(now: Situation, verb: str, why: str) -> Step:
    name, mark, rest = verb.partition(" -- ")
    return Step(f"{command()} {name}{now.home_option}{mark}{rest}", why)


def _demand(task: Task) -> str:
    return DEMANDS[task.cause].short.format(name=_name(task))


def _name(task: Task) -> str:
    return shortened(safe(task.credential.name or task.issuer.name), 40)


_Lines = Iterator[tuple[str, str]]


def _running(now: Situation) -> _Lines:
    for one in now.running[:MOST_RUNNING]:
        since = duration(max(0, now.now_ns - one.start_ns) // 1_000_000_000)
        how = "in the background, " if one.in_background else ""
        yield "running", f"{_outcome(one)} so far   {_who(now, one)}, {how}{since}"
    if len(now.running) > MOST_RUNNING:
        yield "", f"and {len(now.running) - MOST_RUNNING:,} more: {command()} sessions{now.home_option}"


def _died(now: Situation) -> _Lines:
    if now.died:
        more = f", and {plural(len(now.died) - 1, 'other')}" if len(now.died) > 1 else ""
        yield "stopped", f"? the guard of {_who(now, now.died[0])}{more} died: what followed was not seen"


def _last(now: Situation) -> _Lines:
    if now.last is not None:
        when = ago(now.now_ns - (now.last.end_ns or now.last.start_ns))
        yield "last", f"{_outcome(now.last)}   {_who(now, now.last)}, {when}"
        if now.last.outcome is not Outcome.CLEAN and now.last.outcome_reason:
            yield "", safe(now.last.outcome_reason)


def _rotate(now: Situation) -> _Lines:
    if now.tasks:
        first = now.tasks[0]
        rest = f"; {_name(first)} is the most urgent" if len(now.tasks) > 1 else f": {_name(first)}"
        yield "rotate", plural(len(now.tasks), "key") + rest


def _unseen(now: Situation) -> _Lines:
    if now.gaps:
        yield "gaps", f"{plural(now.gaps, 'moment')} of the last session in which a credential could have left unseen"
    if now.blind:
        first = now.blind[0]
        more = f", and {plural(len(now.blind) - 1, 'other sensor')}" if len(now.blind) > 1 else ""
        yield "sensors", f"✕ {safe(first.sensor)} did not watch{more}: {safe(first.reason) or 'no reason was given'}"


def _outcome(session: Session) -> str:
    look = OUTCOME[session.outcome]
    return f"{look.glyph} {look.word}"


def _is_demo(session: Session) -> bool:
    return session.agent == DEMO_AGENT


def _who(now: Situation, session: Session) -> str:
    """Agent and folder; of the demo, whose folder is gone, that it was that."""
    if _is_demo(session):
        return "the demo, with made-up keys"
    folder = session.cwd
    if folder == now.user_home or folder.startswith(now.user_home.rstrip("/") + "/"):
        folder = "~" + folder[len(now.user_home.rstrip("/")) :]
    return f"{safe(session.agent_name)} in {shortened(safe(folder), _LONGEST_FOLDER)}"


def _line(label: str, words: str, room: int, *, color: bool, sgr: str = "") -> str:
    """The label softly; an outcome's words, or the whole where `sgr` is given, in their colour."""
    words = fitted(words, max(_NARROWEST, room - _LABEL)).rstrip()
    if color and sgr:
        words = painted(words, sgr, color=True)
    for look in OUTCOME.values():
        if color and words.startswith(f"{look.glyph} {look.word}"):
            words = look.text(color=True) + words[len(look.glyph) + 1 + len(look.word) :]
    return painted(f"{label:<{_LABEL}}", _SOFT, color=color and bool(label)) + words
