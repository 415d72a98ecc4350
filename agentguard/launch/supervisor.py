"""The supervisor: an ancestor of the agent that answers for its calls, reaps its tree and keeps the record.

It has a process group of its own, so that neither Ctrl-C nor Ctrl-Z reaches it: while it does not answer,
the agent's tree cannot open a file.
"""

from __future__ import annotations

import errno
import mmap
import os
import selectors
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

from agentguard.errors import EXIT_ERROR, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, AgentGuardError
from agentguard.launch.agent_child import become_agent
from agentguard.launch.channel import Channel
from agentguard.launch.detaching import close_inherited, leave_terminal
from agentguard.launch.log import log
from agentguard.launch.request import RunRequest
from agentguard.sense.seccomp.abi import PR_SET_CHILD_SUBREAPER
from agentguard.sense.seccomp.libc import prctl
from agentguard.sense.secrecy import hide_memory

if TYPE_CHECKING:
    from agentguard.launch.opening import Opening

_NOT_OURS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP)
_TICK_SECONDS = 0.5
_GRACE_SECONDS = 0.06
"""After the agent's end, children that are about to end too are given this long."""


def supervise(request: RunRequest, front: Channel, shared: mmap.mmap, group: int, ignored: frozenset[int]) -> NoReturn:
    """Runs in the process that the front forked. Never returns."""
    os.setpgid(0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    if request.session_descriptor is not None:
        os.set_inheritable(request.session_descriptor, False)
    ours, theirs = Channel.pair()
    agent = os.fork()
    if agent == 0:
        ours.close()
        front.close()
        become_agent(request, theirs, group, ignored)
    theirs.close()
    front.send({"type": "started", "pid": agent})
    for number in _NOT_OURS:
        signal.signal(number, signal.SIG_IGN)
    _tell_session(request)
    close_inherited(frozenset({front.fileno(), ours.fileno()}))
    terminal = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    leave_terminal(request.home / "agentguard.log")
    hide_memory()
    supervisor = _Supervisor(request, front, ours, agent, shared)
    try:
        supervisor.run(terminal)
    except AgentGuardError as error:
        supervisor.abandon()
        _refuse(front, agent, str(error), error.exit_status)
    except BaseException as error:
        log(f"the supervisor failed: {type(error).__name__} at {_place(error)}")
        raise
    os._exit(0)


def _tell_session(request: RunRequest) -> None:
    if request.session_descriptor is not None:
        os.write(request.session_descriptor, f"{request.session}\n".encode())
        os.close(request.session_descriptor)


def _refuse(front: Channel, agent: int, text: str, status: int) -> NoReturn:
    """Nothing was started: say why, and take the agent-to-be away."""
    os.kill(agent, signal.SIGKILL)
    os.waitpid(agent, 0)
    front.send({"type": "failed", "text": text, "status": status})
    os._exit(EXIT_ERROR)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119


class _Supervisor:
    """The life of one session, from the agent's start to the end of its tree."""

    def __init__(
        self, request: RunRequest, front: Channel, agent_channel: Channel, agent: int, shared: mmap.mmap
    ) -> None:
        self._request = request
        self._front: Channel | None = front
        self._agent_channel = agent_channel
        self._agent = agent
        self._shared = shared
        self._status: int | None = None
        self._opening: Opening | None = None
        self._wake, wake_end = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)

    def run(self, terminal: TextIO) -> None:
        from agentguard.launch.opening import begin  # noqa: PLC0415 - not in the front

        assert self._front is not None
        opening = self._opening = begin(self._request)
        from agentguard.launch.guarded import GuardedSession  # noqa: PLC0415 - 0.2 s, while the proxy starts

        self._session = GuardedSession(opening, self._agent, self._shared)
        self._session.open()
        guard = self._enter_guard()
        if guard.listener >= 0:
            self._front.send({"type": "listener"}, (guard.listener,))
        self._session.start_sensors(guard.listener, guard.why_not)
        if not self._request.quiet:
            print(self._session.banner(), file=terminal, flush=True)
        terminal.close()
        environ = dict(self._session.environment())
        gate = self._session.gate() if guard.listener >= 0 else None
        self._agent_channel.send({"type": "go", "decoy": self._session.decoy(), "environ": environ, "gate": gate})
        self._session.agent_started()
        self._watch_agent()
        self._agent_ended()
        self._watch_rest()

    def abandon(self) -> None:
        """It could not be opened: leave nothing behind."""
        if self._request.dashboard:
            from agentguard.launch.dashboard import close_dashboard  # noqa: PLC0415 - seldom

            close_dashboard(self._request.dashboard, self._request.environ)
        if self._opening is not None:
            self._opening.network.stop()
            self._opening.run_folder.remove()

    def _enter_guard(self) -> _Guard:
        if self._request.allow_privileged:
            self._agent_channel.send({"type": "start", "guard": False})
            return _Guard(-1, "--allow-privileged: sudo and su work, and opens are watched from outside")
        guard = sys.platform == "linux"
        self._agent_channel.send({"type": "start", "guard": guard, "gate": self._session.gate_call()})
        if not guard:
            return _Guard(-1, "this system has no seccomp")
        answer = self._agent_channel.receive()
        if answer is None:
            return _Guard(-1, "the agent's process ended before it began")
        message, descriptors = answer
        return _Guard(descriptors[0], "") if descriptors else _Guard(-1, message["reason"])

    # --- while it runs ----------------------------------------------------------------------------

    def _watch_agent(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._wake, selectors.EVENT_READ)
        selector.register(self._agent_channel, selectors.EVENT_READ)
        while self._status is None:
            for key, _ in selector.select(_TICK_SECONDS):
                if key.fd == self._wake:
                    os.read(self._wake, 512)
                elif not self._hear_agent():
                    selector.unregister(self._agent_channel)
            self._reap()
            self._session.tick()

    def _hear_agent(self) -> bool:
        """What its process says before it is the agent. False at end of file: from now on it is, or has ended."""
        answer = self._agent_channel.receive()
        if answer is None:
            return False
        message = answer[0]
        if message["type"] == "gate":
            self._session.gate_tried(used=message["used"])
        else:
            self._not_started(message["errno"])
        return True

    def _not_started(self, error: int) -> None:
        reason = os.strerror(error)
        self._session.not_started(reason)
        if self._front is not None:
            name = self._request.argv[0]
            status = EXIT_NOT_FOUND if error == errno.ENOENT else EXIT_NOT_EXECUTABLE
            self._front.send({"type": "failed", "text": f"cannot start {name}: {reason}", "status": status})
            self._front = None

    def _reap(self) -> None:
        """The agent, its orphans, and its stops. (A Popen whose child is taken here copes: ECHILD means it ended.)"""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid != self._agent:
                continue
            if os.WIFSTOPPED(status):
                if self._front is not None:
                    self._front.send({"type": "stopped", "signal": os.WSTOPSIG(status)})
            else:
                self._status = status

    # --- the end ----------------------------------------------------------------------------------

    def _agent_ended(self) -> None:
        """The shell gets its status now; what still runs is watched on."""
        assert self._status is not None
        background = not self._session.tree_ended(_GRACE_SECONDS, self._reap)
        text = ""
        try:
            text = self._session.agent_ended(self._status, background=background)
        finally:  # Whatever becomes of the record, the shell gets the agent's own status.
            if self._front is not None:
                sent = {"type": "ended", "status": self._status, "text": text, "background": background}
                self._front.send(sent)

    def _watch_rest(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self._wake, selectors.EVENT_READ)
        while not self._session.tree_ended(0, self._reap):
            if selector.select(_TICK_SECONDS):
                os.read(self._wake, 512)
            self._session.tick()
        self._session.close()
        if self._front is not None:
            self._front.send({"type": "over"})


class _Guard:
    """The listener, or why there is none."""

    def __init__(self, listener: int, why_not: str) -> None:
        self.listener = listener
        self.why_not = why_not
