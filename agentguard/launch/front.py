"""The front: what the shell sees. It holds the terminal and job control, and keeps the listener.

The agent shares its process group, so the terminal's signals and window changes reach the agent directly;
the front ignores them and follows the agent instead: stops when it stops, and ends as it ended. It stays
tiny and imports nothing of the pipeline, because it must survive whatever happens there.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

from agentguard.errors import EXIT_ERROR
from agentguard.launch.channel import Channel
from agentguard.launch.death import tell_death
from agentguard.launch.notes import leave_note
from agentguard.launch.request import RunRequest
from agentguard.sense.seccomp.abi import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE
from agentguard.sense.seccomp.keeper import Keeper, shared_notification
from agentguard.sense.seccomp.libc import prctl

_FOLLOWED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""The terminal sends these to the whole group; the agent decides."""
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Sent to us alone; meant for the agent."""


def run_front(request: RunRequest) -> int:
    """Start the supervisor and follow the agent. Returns the exit status, or ends by the agent's own signal."""
    ignored = frozenset(number for number in signal.valid_signals() if signal.getsignal(number) == signal.SIG_IGN)
    ignored -= {signal.SIGPIPE, signal.SIGXFSZ}
    shared = shared_notification()
    ours, theirs = Channel.pair()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    group = os.getpgrp()
    sys.stdout.flush()
    sys.stderr.flush()
    supervisor = os.fork()
    if supervisor == 0:
        ours.close()
        _become_supervisor(request, theirs, shared, group, ignored)
    theirs.close()
    prctl(PR_SET_DUMPABLE, 0)  # the agent could take the listener out of our descriptors, and answer in our place
    front = _Front(request, ours, supervisor, Keeper(-1, shared))
    return front.follow()


def _become_supervisor(
    request: RunRequest, channel: Channel, shared: Any, group: int, ignored: frozenset[int]
) -> NoReturn:
    from agentguard.launch.supervisor import supervise  # noqa: PLC0415 - the front must not carry the pipeline

    try:
        supervise(request, channel, shared, group, ignored)
    finally:
        os._exit(EXIT_ERROR)


@dataclass(slots=True)
class _Ending:
    """How the agent ended."""

    wait_status: int
    text: str = ""
    background: bool = False


class _Front:
    """The loop."""

    def __init__(self, request: RunRequest, channel: Channel, supervisor: int, keeper: Keeper) -> None:
        self._request = request
        self._channel: Channel | None = channel
        self._supervisor = supervisor
        self._keeper = keeper
        self._agent = 0
        self._ending: _Ending | None = None
        self._failure: int | None = None
        self._keeping = False
        self._over = False
        self._poll = select.poll()
        self._wake, wake_end = os.pipe()
        os.set_blocking(wake_end, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        self._terminal = _Terminal()

    def follow(self) -> int:
        for number in _FOLLOWED:
            signal.signal(number, signal.SIG_IGN)
        for number in _PASSED_ON:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._pass_on)
        signal.signal(signal.SIGCONT, self._continued)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        assert self._channel is not None
        self._poll.register(self._wake, select.POLLIN)
        self._poll.register(self._channel, select.POLLIN)
        while self._ending is None and self._failure is None:
            for descriptor, event in self._poll.poll():
                self._attend(descriptor, event)
        return self._finish()

    # --- what happens -----------------------------------------------------------------------------

    def _attend(self, descriptor: int, event: int) -> None:
        if descriptor == self._wake:
            os.read(self._wake, 512)
            if self._channel is None and self._ending is None:
                self._reap()
        elif self._channel is not None and descriptor == self._channel.fileno():
            self._listen()
        elif self._keeping and not (event & select.POLLIN and self._keeper.serve()):
            self._poll.unregister(descriptor)  # The last process of the tree has gone.
            self._keeping = False

    def _listen(self) -> None:
        assert self._channel is not None
        while True:
            received = self._channel.receive()
            if received is None:
                self._take_over()
                return
            self._obey(*received)
            if not self._channel.pending():
                return

    def _obey(self, message: dict[str, Any], descriptors: list[int]) -> None:
        match message["type"]:
            case "listener":
                self._keeper.listener = descriptors[0]
            case "started":
                self._agent = message["pid"]
            case "stopped":
                self._stop()
            case "ended":
                self._ending = _Ending(message["status"], message["text"], message["background"])
            case "failed":
                print(f"agentguard: {message['text']}", file=sys.stderr)
                self._failure = message["status"]
            case "over":
                self._over = True

    def _take_over(self) -> None:
        """The supervisor died. Its calls are answered here; the kernel makes the agent our child."""
        assert self._channel is not None
        self._poll.unregister(self._channel)
        self._channel.close()
        self._channel = None
        leave_note(self._request.home, self._request.session)
        if self._keeper.listener >= 0:
            self._keeper.take_over()
            self._poll.register(self._keeper.listener, select.POLLIN)
            self._keeping = True
        if self._ending is not None:
            return
        if not self._request.quiet:
            print("agentguard: the guard died; the agent goes on unwatched, and the log says so", file=sys.stderr)
        if self._agent:
            tell_death(self._request)
        self._reap()

    def _reap(self) -> None:
        """Only after a take-over: until then the supervisor is the agent's parent."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                if self._ending is None:
                    self._failure = EXIT_ERROR  # Neither supervisor nor agent: it never started.
                return
            if pid == 0:
                return
            if pid == self._agent:
                if os.WIFSTOPPED(status):
                    self._stop()
                else:
                    self._ending = _Ending(status, background=True)
                    return

    # --- job control ------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Stop as the agent did, so the shell takes the terminal back. Continues when the shell says so."""
        os.kill(os.getpid(), signal.SIGSTOP)

    def _continued(self, *_: object) -> None:
        """`fg` and `bg` continue our group; an agent that made a group of its own must be told."""
        group = _group_of(self._agent)
        if group and group != os.getpgrp():
            self._terminal.give_to(group)
            _kill_group(group, signal.SIGCONT)

    def _pass_on(self, number: int, _frame: object) -> None:
        if self._agent:
            _kill(self._agent, number)

    # --- the end ----------------------------------------------------------------------------------

    def _finish(self) -> int:
        self._terminal.take_back()
        if self._ending is None:
            return self._failure if self._failure is not None else EXIT_ERROR
        if self._ending.text:
            print(self._ending.text, file=sys.stderr)
        if self._ending.background:
            self._leave_keeper()
        return _end_as(self._ending.wait_status)

    def _leave_keeper(self) -> None:
        """Children of the agent live on, and the listener needs its second holder."""
        if self._keeper.listener < 0 or os.fork() != 0:
            return
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(quiet, standard)
        while not self._over and (self._channel is not None or self._keeping):
            for descriptor, event in self._poll.poll():
                self._attend(descriptor, event)
        os._exit(0)


class _Terminal:
    """The controlling terminal, where there is one."""

    def __init__(self) -> None:
        self._descriptor = next((number for number in (0, 1, 2) if os.isatty(number)), -1)
        self._group = os.getpgrp()

    def give_to(self, group: int) -> None:
        """To an agent with a group of its own, when we were brought to the foreground."""
        with contextlib.suppress(OSError):
            if self._descriptor >= 0 and self._foreground() == self._group:
                os.tcsetpgrp(self._descriptor, group)

    def take_back(self) -> None:
        """From an agent that died holding it."""
        with contextlib.suppress(OSError):
            if self._descriptor >= 0 and self._foreground() != self._group and not _group_lives(self._foreground()):
                os.tcsetpgrp(self._descriptor, self._group)

    def _foreground(self) -> int:
        return os.tcgetpgrp(self._descriptor)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _group_of(pid: int) -> int:
    """0 when there is no such process (yet)."""
    try:
        return os.getpgid(pid) if pid else 0
    except OSError:
        return 0


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _kill_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, number)


def _end_as(wait_status: int) -> int:
    """Exit as the agent did. A death by signal is repeated, so that the shell sees it; never with a core file."""
    if not os.WIFSIGNALED(wait_status):
        return os.WEXITSTATUS(wait_status)
    import resource  # noqa: PLC0415 - only now

    number = os.WTERMSIG(wait_status)
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
