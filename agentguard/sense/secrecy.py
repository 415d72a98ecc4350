"""For the two processes that hold values: nobody else of the same user may look inside, and no core is left."""

from __future__ import annotations

import resource

from agentguard.sense.seccomp.abi import PR_SET_DUMPABLE
from agentguard.sense.seccomp.libc import prctl


def hide_memory() -> None:
    """Before the first secret arrives. /proc/PID/{mem,environ,fd} then belong to root, and ptrace(2) is refused."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl(PR_SET_DUMPABLE, 0)
