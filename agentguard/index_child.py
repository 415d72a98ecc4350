"""The index worker's process: `python -m agentguard.index_child FD`; FD is one end of a socketpair whose other end the
supervisor holds. Started before the agent, it hides and says so; told to begin, it steps back behind everyone else
before anything is loaded.
"""

from __future__ import annotations

import signal
import socket
import sys

from agentguard.sense.idle import run_when_idle
from agentguard.sense.seccomp.abi import PR_SET_PDEATHSIG
from agentguard.sense.seccomp.libc import prctl
from agentguard.sense.secrecy import hide_memory

_HIDDEN = b'["hidden",null]\n'
"""A message of `agentguard.sense.proxy.wire`, which is not loaded yet."""


def main(arguments: list[str]) -> int:
    """Work until the supervisor is gone. Returns an exit status."""
    hide_memory()
    # Last at the processor, it would be long in finding out, and the proxy waits for the last process of the session.
    # (The kernel means the thread that started us: the supervisor's first.)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):  # the terminal's signals belong to the agent
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(arguments[0])) as link:
        link.sendall(_HIDDEN)
        link.recv(1, socket.MSG_PEEK)
        run_when_idle()
        from agentguard.index_worker import work  # noqa: PLC0415 (loading takes a tenth of a second: be nice first)

        return work(link)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
