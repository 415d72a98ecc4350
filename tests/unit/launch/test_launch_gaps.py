"""Gaps on their way to the pipeline: covered, counted, and those that only the supervisor can notice."""

from __future__ import annotations

from agentguard.launch.cover import Cover
from agentguard.launch.health import Health
from agentguard.model.observation import GapObservation, GapType, Observation
from agentguard.model.process import ProcessSnapshot
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.gap_log import GapLog

MS = 1_000_000


class Told(list[Observation]):
    """What reached the pipeline."""

    @property
    def gaps(self) -> list[tuple[GapType, str, int]]:
        return [(one.type, one.covered_by, one.count) for one in self if isinstance(one, GapObservation)]


def gap(kind: GapType, pid: int = 0, sensor: str = "seccomp", count: int = 1) -> GapObservation:
    process = ProcessSnapshot(pid=pid) if pid else None
    return GapObservation(time_ns=1, sensor=sensor, type=kind, detail="d", process=process, count=count)


class Covering:
    """Says who covers a gap, and remembers whether the watches had been relied on when it was asked."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.relied: list[bool] = []

    def __call__(self, gap: GapObservation, *, relied: bool) -> str | None:
        self.relied.append(relied)
        return self.answer


def test_what_another_sensor_may_cover_waits_until_that_is_known() -> None:
    told, covers = Told(), Covering(None)
    cover = Cover(told.append)
    cover.emit(gap(GapType.UNATTRIBUTED_OPEN))
    cover.emit(gap(GapType.IO_URING))
    assert told.gaps == [(GapType.UNATTRIBUTED_OPEN, "", 1)]
    cover.settle(covers, final=False)
    assert len(told) == 1
    covers.answer = "watchdog and inotify"
    cover.settle(covers, final=False)
    assert told.gaps[-1] == (GapType.IO_URING, "watchdog and inotify", 1)


def test_without_a_proof_the_gap_counts_in_the_end_and_says_what_would_close_it() -> None:
    told = Told()
    cover = Cover(told.append)
    cover.emit(gap(GapType.IO_URING))
    cover.settle(Covering(None), final=True)
    assert told.gaps == [(GapType.IO_URING, "", 1)]
    assert isinstance(told[0], GapObservation)
    assert "max_user_watches" in told[0].remedy


def test_once_the_watches_were_relied_on_a_loss_of_theirs_is_asked_for_as_such() -> None:
    told, covers = Told(), Covering("watchdog and inotify")
    cover = Cover(told.append)
    cover.emit(gap(GapType.EVENTS_LOST, sensor="inotify"))
    cover.settle(covers, final=False)
    cover.emit(gap(GapType.IO_URING))
    cover.emit(gap(GapType.EVENTS_LOST, sensor="inotify"))
    cover.settle(covers, final=False)
    assert covers.relied == [False, False, True]


def test_equal_gaps_of_a_process_are_one_event_and_then_a_count() -> None:
    told = Told()
    cover = Cover(told.append)
    for _ in range(200):
        cover.emit(gap(GapType.SCAN_FAILED, pid=7))
    cover.emit(gap(GapType.SCAN_FAILED, pid=8))
    assert told.gaps == [(GapType.SCAN_FAILED, "", 1)] * 2
    cover.settle(Covering(""), final=True)
    assert told.gaps[2:] == [(GapType.SCAN_FAILED, "", 199)]


def test_a_count_is_told_when_the_quiet_time_is_over_and_begins_anew() -> None:
    told = Told()
    now = [0.0]
    log = GapLog(told.append, clock=lambda: now[0])
    log.add(gap(GapType.EVENTS_LOST, count=3))
    log.add(gap(GapType.EVENTS_LOST, count=4))
    log.tell_overdue()
    assert [count for *_, count in told.gaps] == [3]
    now[0] = 31
    log.tell_overdue()
    log.add(gap(GapType.EVENTS_LOST))
    log.flush()
    assert [count for *_, count in told.gaps] == [3, 4, 1]


class Watched:
    """A session's health, at a time that the test sets."""

    def __init__(self) -> None:
        self.told = Told()
        self.now = 0
        self.health = Health(self.told.append, lambda: self.now)

    def look(self, at_ms: int, *coverage: Coverage) -> list[GapType]:
        self.now = at_ms * MS
        self.health.look(coverage)
        return [kind for kind, *_ in self.told.gaps]


RUNNING = Coverage(sensor="seccomp", state=SensorState.RUNNING, proved=True)
STOPPED = Coverage(sensor="seccomp", state=SensorState.STOPPED, proved=True)
FAILED = Coverage(sensor="seccomp", state=SensorState.FAILED, proved=True, reason="the listener failed: EBADF")


def test_a_sensor_that_ends_in_mid_session_is_told_within_a_second_and_once() -> None:
    watched = Watched()
    assert watched.look(500, RUNNING) == []
    assert watched.look(1000, FAILED) == []
    assert watched.look(1001, FAILED) == [], "it may have ended with the tree, a moment ago"
    assert watched.look(1500, FAILED) == [GapType.SENSOR_STOPPED]
    assert watched.look(9000, FAILED) == [GapType.SENSOR_STOPPED]
    (said,) = watched.told
    assert isinstance(said, GapObservation)
    assert said.detail == "the seccomp sensor has stopped: the listener failed: EBADF"


def test_a_sensor_that_came_back_has_not_ended() -> None:
    watched = Watched()
    for at_ms in range(500, 5000, 500):
        watched.look(at_ms, STOPPED if at_ms % 1000 else RUNNING)
    assert watched.told == []


def test_a_decoy_that_is_not_seen_in_time_is_told_at_once_and_not_again_at_the_end() -> None:
    blind = Coverage(sensor="watchdog", state=SensorState.RUNNING)
    missing = Coverage(sensor="proxy", state=SensorState.UNAVAILABLE)
    watched = Watched()
    slowly_opened = 60_000
    assert watched.look(slowly_opened, RUNNING, blind, missing) == []
    assert watched.look(slowly_opened + 9_500, RUNNING, blind, missing) == []
    assert watched.look(slowly_opened + 10_000, RUNNING, blind, missing) == [GapType.SENSOR_UNPROVED]
    assert watched.look(slowly_opened + 10_500, RUNNING, blind, missing) == [GapType.SENSOR_UNPROVED]
    watched.health.last_look([RUNNING, blind, missing])
    assert len(watched.told) == 1


def test_a_short_session_tells_it_at_its_end() -> None:
    watched = Watched()
    watched.health.last_look([Coverage(sensor="inotify", state=SensorState.STOPPED)])
    assert watched.told.gaps == [(GapType.SENSOR_UNPROVED, "", 1)]


def test_losses_are_told_as_they_grow() -> None:
    watched = Watched()
    for total in (0, 3, 3, 10):
        watched.health.count(total, "events could not be written")
    assert [count for *_, count in watched.told.gaps] == [3, 7]
