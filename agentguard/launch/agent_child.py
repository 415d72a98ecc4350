"""The agent between fork and exec. Forked before the supervisor has threads or secrets in memory.

It waits for word, puts itself under the filter, opens the decoy that proves the sensor alive, and becomes
the agent. If the supervisor dies first, it becomes the agent all the same: the guard never stops the work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Mapping
from typing import Any, NoReturn

from agentguard.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND
from agentguard.launch.channel import Channel
from agentguard.launch.request import RunRequest


def become_agent(request: RunRequest, channel: Channel, group: int, ignored: frozenset[int]) -> NoReturn:
    """Never returns. `group` is the front's process group, which the terminal belongs to."""
    try:
        _join_group(group)
        _restore_signals(ignored)
        environ = _prepare(channel) or request.environ
        _exec(request, environ)
    except OSError as error:
        channel.send({"type": "failed", "errno": error.errno or 0})
        os._exit(EXIT_NOT_FOUND if error.errno == errno.ENOENT else EXIT_NOT_EXECUTABLE)
    finally:
        os._exit(EXIT_NOT_EXECUTABLE)


def _join_group(group: int) -> None:
    with contextlib.suppress(OSError):  # The front has gone already: we stay where we are.
        os.setpgid(0, group)


def _restore_signals(ignored: frozenset[int]) -> None:
    """As the shell set them: Python ignores SIGPIPE and SIGXFSZ for itself, and we ignore the terminal's."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if number in ignored or signal.getsignal(number) is None:
            continue
        try:
            signal.signal(number, signal.SIG_DFL)
        except OSError:
            continue


def _prepare(channel: Channel) -> Mapping[str, str] | None:
    """The environment to run with; None when nobody is there to give one."""
    start = channel.receive()
    if start is None:
        return None
    if start[0]["guard"]:
        _enter_guard(channel, start[0]["gate"])
    go = channel.receive()
    if go is None:
        return None
    message = go[0]
    if message.get("decoy"):
        _open_decoy(message["decoy"])
    environ: dict[str, str] = message["environ"]
    gate = message["gate"]
    if gate is not None and _gate_works(gate, channel):
        return {**environ, **gate["environ"]}
    return environ


def _enter_guard(channel: Channel, gate: int | None) -> None:
    from agentguard.sense.seccomp import gate_proof  # noqa: F401, PLC0415 - an import costs more under the filter
    from agentguard.sense.seccomp.install import install_filter, why_unavailable  # noqa: PLC0415 - Linux only

    try:
        install_filter(gate, lambda listener: channel.send({"type": "listener"}, (listener,)))
    except OSError as error:
        channel.send({"type": "unavailable", "reason": why_unavailable(error)})


def _open_decoy(path: str) -> None:
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def _gate_works(gate: Mapping[str, Any], channel: Channel) -> bool:
    from agentguard.sense.seccomp.gate_proof import prove_gate  # noqa: PLC0415 - loaded with the filter

    works = prove_gate(gate["library"], gate["ordinary"], gate["decoy"])
    channel.send({"type": "gate", "used": works})
    return works


def _exec(request: RunRequest, environ: Mapping[str, str]) -> NoReturn:
    try:
        os.execve(request.program, request.argv, environ)  # noqa: S606 - starting the agent, without a shell, is the point
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    # A script without a first line: execvp(3) hands it to the shell, and so do we.
    os.execve("/bin/sh", ("sh", request.program, *request.argv[1:]), environ)  # noqa: S606
