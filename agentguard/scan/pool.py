"""Several processes look at once. Each has the rules from its parent, and hands its tally back."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from agentguard.errors import AgentGuardError
from agentguard.scan.look import Looker
from agentguard.scan.setting import Setting
from agentguard.scan.tally import Tally

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_MOST_JOBS = 16
_WAITING = 3
"""Batches for each process that are on their way, so that none is ever without work."""

Batch = TypeVar("Batch")

_looker: Looker | None = None
"""Of this process: a child that was forked has its parent's."""


class WorkerLostError(AgentGuardError):
    """A process of the scan has gone."""


def default_jobs() -> int:
    """One for each processor that we may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_JOBS)


class Pool:
    """Does batches of work.

    Args:
        setting: what each process works with.
        jobs: processes; of one batch, or with one job, it is done in this one.
    """

    def __init__(self, setting: Setting, jobs: int) -> None:
        self._setting = setting
        self._jobs = jobs
        self.looker = _begin(setting)
        """This process's own."""

    def run(self, work: Callable[[Looker, Batch], None], batches: Iterable[Batch]) -> Iterator[Tally]:
        """What each batch came to, in their order.

        Args:
            work: a function of a module; it looks at one batch.
            batches: taken as they are needed.

        Raises:
            WorkerLostError: a process was killed.
        """
        ahead = iter(batches)
        first = list(islice(ahead, 2))
        executor = self._executor() if self._jobs > 1 and len(first) > 1 else None
        gc.freeze()
        if executor is None:
            for batch in chain(first, ahead):
                work(self.looker, batch)
                yield self.looker.handed_over()
            return
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 (most scans need one process)

        try:
            yield from _ordered(executor, work, chain(first, ahead), self._jobs * _WAITING)
        except BrokenProcessPool:
            raise WorkerLostError(
                "a process of the scan was killed, perhaps for want of memory; try again with --jobs 1"
            ) from None
        finally:
            executor.shutdown(cancel_futures=True)

    def _executor(self) -> ProcessPoolExecutor | None:
        """None where there can be no further processes."""
        try:
            from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

            method = "fork" if sys.platform == "linux" else "spawn"
            context = multiprocessing.get_context(method)
            return ProcessPoolExecutor(self._jobs, context, initializer=_begin_child, initargs=(self._setting,))
        except (ImportError, OSError):  # no semaphores here, or no more processes
            return None


def _ordered(
    executor: ProcessPoolExecutor, work: Callable[[Looker, Batch], None], batches: Iterator[Batch], most: int
) -> Iterator[Tally]:
    waiting: deque[Future[Tally]] = deque()
    for batch in batches:
        waiting.append(executor.submit(_do, work, batch))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _begin(setting: Setting) -> Looker:
    global _looker  # noqa: PLW0603 (what this process works with: a batch does not bring it along)
    _looker = setting.looker()
    return _looker


def _begin_child(setting: Setting) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    gc.disable()  # nothing here refers to itself, and a collection writes to every page that is shared with the parent
    if _looker is None:
        _begin(setting)


def _do(work: Callable[[Looker, Any], None], batch: Any) -> Tally:
    assert _looker is not None
    work(_looker, batch)
    return _looker.handed_over()
