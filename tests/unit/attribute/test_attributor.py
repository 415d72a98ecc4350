"""Who did it: the chain, the nearest agent, and what is said when nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentguard.attribute.attributor import Attributor
from agentguard.model.observation import (
    ExecObservation,
    FileObservation,
    GapObservation,
    GapType,
    Observation,
)
from agentguard.model.process import Ancestor, Attribution, Confidence, ProcessSnapshot


@dataclass(frozen=True)
class Known:
    id: str


class Catalogue:
    def identify(self, argv: Sequence[str], exe: str) -> Known | None:
        name = exe.rpartition("/")[2]
        return Known(name) if name in {"claude", "codex"} else None


def attributor() -> Attributor:
    return Attributor("s", "claude", Catalogue())


def executed(pid: int, exe: str, *ancestors: tuple[int, str], start: int = 1) -> ExecObservation:
    process = ProcessSnapshot(
        pid=pid, start_time=start, exe=exe, cmdline=(exe,), ancestors=tuple(Ancestor(*each) for each in ancestors)
    )
    return ExecObservation(time_ns=1, sensor="seccomp", process=process, confidence=Confidence.EXACT_HELD)


def read(
    pid: int, *ancestors: tuple[int, str], start: int = 1, confidence: Confidence = Confidence.EXACT_HELD
) -> Observation:
    process = ProcessSnapshot(pid=pid, start_time=start, ancestors=tuple(Ancestor(*each) for each in ancestors))
    return FileObservation(time_ns=2, sensor="x", process=process, confidence=confidence, path="/p/.env")


def test_a_chain_that_was_seen_early_outlives_the_parents() -> None:
    stage = attributor()
    stage.attribute(executed(30, "/bin/cat", (20, "sh"), (10, "claude")))
    orphan = stage.attribute(read(30))
    assert [ancestor.pid for ancestor in orphan.ancestors] == [20, 10]


def test_a_reused_pid_inherits_nothing() -> None:
    stage = attributor()
    stage.attribute(executed(30, "/bin/cat", (20, "sh"), (10, "claude")))
    assert stage.attribute(read(30, start=99)).ancestors == ()


def test_the_nearest_agent_owns_the_event() -> None:
    stage = attributor()
    stage.attribute(executed(10, "/opt/claude"))
    stage.attribute(executed(20, "/opt/codex", (10, "claude")))
    assert stage.attribute(read(30, (20, "codex"), (10, "claude"))).agent == "codex"
    assert stage.attribute(read(31, (10, "claude"))).agent == "claude"
    stage.attribute(executed(20, "/bin/sh", (10, "claude")))
    assert stage.attribute(read(30, (20, "sh"), (10, "claude"))).agent == "claude", "an exec ends an agent"


def test_the_session_s_agent_owns_what_no_one_else_does() -> None:
    assert attributor().attribute(read(5)).agent == "claude"


def test_attribution_follows_confidence() -> None:
    stage = attributor()
    said = {
        confidence: stage.attribute(read(number, confidence=confidence)).attribution
        for number, confidence in enumerate(Confidence, 100)
    }
    assert said == {
        Confidence.EXACT_HELD: Attribution.EXACT,
        Confidence.EXACT_PID: Attribution.EXACT,
        Confidence.FD_SEEN: Attribution.INFERRED,
        Confidence.PROBABLE: Attribution.INFERRED,
        Confidence.NONE: Attribution.UNKNOWN,
    }


def test_nobody_is_unknown() -> None:
    gap = GapObservation(time_ns=1, sensor="proxy", type=GapType.PROXY_RESTARTED, detail="it was restarted")
    assert attributor().attribute(gap).attribution is Attribution.UNKNOWN
