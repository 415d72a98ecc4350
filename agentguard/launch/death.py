"""The guard has died while its agent goes on: who is to be told is told by another process.

Called by the front, which carries nothing of what that takes, and answers for the agent's calls meanwhile.
"""

from __future__ import annotations

import contextlib
import os

from agentguard.launch.request import RunRequest


def tell_death(request: RunRequest) -> None:
    """Start that process, as far as anybody wants to be told. Returns at once, and never raises."""
    if request.quiet and request.notify is None:
        return
    from agentguard.launch.notifier import start_notifier  # noqa: PLC0415 - seldom

    program = os.path.basename(request.program)  # noqa: PTH119 - light
    words = (str(request.home), request.session, program, *(request.notify or ()))
    log = request.home / "agentguard.log"
    with contextlib.suppress(OSError), open(os.devnull, "rb") as nothing:
        start_notifier(*words, stdin=nothing.fileno(), log=log, environ=request.environ)
