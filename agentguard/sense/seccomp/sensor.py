"""The supervisor's side of the filter: one of two loops receives the held calls, the same handlers look at them."""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
from typing import Protocol

from agentguard.model.session import Coverage, SensorState
from agentguard.sense.seccomp.abi import IOCTL_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
from agentguard.sense.seccomp.handlers import NAME, Handlers, SeccompSetup
from agentguard.sense.seccomp.libc import ioctl
from agentguard.sense.seccomp.native import NativeLoop
from agentguard.sense.seccomp.python_loop import PythonLoop

CHOICE = "AGENTGUARD_LOOP"
"""Environment variable: `python` has the Python loop serve where the native one could."""

_SWITCH_SECONDS = 0.0005
"""How long another thread may keep Python's lock from the one for which a call is held. (By itself: ten times that.)"""


class _Loop(Protocol):
    def run(self) -> None: ...
    def settle(self, timeout: float) -> bool: ...
    def abandon(self) -> None: ...


class SeccompSensor:
    """Answers for the tree until its last process has gone."""

    def __init__(self, setup: SeccompSetup) -> None:
        self._setup = setup
        self._handlers = Handlers(setup)
        self._loop: _Loop | None = None
        self._which = ""
        self.proved = self._handlers.proved
        self.gate_proved = self._handlers.gate_proved
        self.tree_ended = threading.Event()
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="seccomp", daemon=True)

    def start(self) -> None:
        """Begin to answer. From now on the tree depends on this (or on the keeper)."""
        ioctl(self._setup.listener, IOCTL_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.freeze()  # what is there now stays: the collector need not go through it while somebody is held
        self._loop, self._which = _choose(self._setup, self._handlers)
        self._thread.start()

    def settle(self, timeout: float) -> bool:
        """Wait until all that was received so far has been looked at; False when that took longer than `timeout` s."""
        return self._loop is None or self._loop.settle(timeout)

    def coverage(self) -> Coverage:
        state = SensorState.RUNNING if self._thread.is_alive() else SensorState.STOPPED
        return Coverage(
            sensor=NAME,
            state=SensorState.FAILED if self._error else state,
            proved=self.proved.is_set(),
            proved_ns=self.proved.time_ns,
            events=self._handlers.events,
            drops=self._handlers.failures,
            reason=self._error or self._which,
        )

    def saw(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether a supervised process opened this file since then (presence, never a count)."""
        return self._handlers.saw(device, inode, since_ns)

    def _run(self) -> None:
        assert self._loop is not None
        try:
            self._loop.run()
        except OSError as error:
            self._error = f"the listener failed: {errno.errorcode.get(error.errno or 0, 'unknown')}"
        except Exception as error:  # the agent must go on, unwatched
            self._error = f"the loop failed: {type(error).__name__}"
        finally:
            self._loop.abandon()
            self.tree_ended.set()


def _choose(setup: SeccompSetup, handlers: Handlers) -> tuple[_Loop, str]:
    """The native loop where it can serve; else the Python one, and why."""
    if os.environ.get(CHOICE) == "python":
        return PythonLoop(setup, handlers), f"Python loop: {CHOICE} says so"
    try:
        return NativeLoop(setup, handlers), "native loop"
    except OSError as error:
        return PythonLoop(setup, handlers), f"Python loop, which is slower: {error.strerror}"
