"""The notifier's process: `python -m agentguard.notify_child`, a socket to the supervisor as its standard input.
Or `python -m agentguard.notify_child HOME SESSION AGENT [CHANNEL ...]`, started by the front when the supervisor died.

A process of its own, started when there is first something to tell, because the supervisor must not wait for a command
or a server, must reap the agent's tree and no one else's, and must be able to end while a message is still on its way.
Its first line is what it needs to know, each further one a notification; at the end of the lines it delivers the rest.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from agentguard.command_name import command
from agentguard.config import Home, home_option
from agentguard.errors import EXIT_ERROR, EXIT_OK, AgentGuardError
from agentguard.model.identity import new_uid
from agentguard.sense.seccomp.abi import PR_SET_CHILD_SUBREAPER
from agentguard.sense.seccomp.libc import prctl
from agentguard.show.notify.alarm import Need, guard_died
from agentguard.show.notify.channels.desktop import usable
from agentguard.show.notify.courier import Courier
from agentguard.show.notify.gather import Digest, Group
from agentguard.show.notify.settings import LONGEST_SECONDS, settings_of
from agentguard.show.notify.told import Result, ToldFile
from agentguard.show.notify.wire import notification_from, start_from
from agentguard.show.notify.words import notification
from agentguard.show.text import safe

FINISH_SECONDS = LONGEST_SECONDS
"""After the session's end: long enough that each command ends by itself, or is ended."""


def main(arguments: Sequence[str]) -> int:
    """Until the supervisor closes its end, or its death is told. Returns an exit status."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):  # the terminal's belong to the agent
        signal.signal(number, signal.SIG_IGN)
    # What a command leaves behind is ours, and not the supervisor's, who would take it for the agent's.
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    return _tell_death(*arguments) if arguments else _serve(sys.stdin.buffer)


def _serve(lines: BinaryIO) -> int:
    start = start_from(lines.readline())
    told = ToldFile(Path(start.told), 0)
    courier = Courier(start.channels, os.environ, lambda result: _record(told, result))
    for line in lines:
        if line.endswith(b"\n"):  # else its writer died in the middle of it
            courier.send(notification_from(line))
    courier.finish(FINISH_SECONDS)
    return EXIT_OK


def _tell_death(home_path: str, session: str, agent: str, *names: str) -> int:
    """Raises AgentGuardError: the settings are wrong, or name no such channel."""
    home = Home(Path(home_path))
    settings = settings_of(home.notify, names or None)
    told = ToldFile(home.notified, settings.repeat_seconds)
    if Need.SENSOR in settings.tell:
        now = time.time_ns()
        alarm = guard_died(session, agent, now)
        look = f"{command()} status{home_option(home)}"
        note = notification(Digest((Group(alarm),)), uid=new_uid(now), time_ns=now, agent_name=agent, look=look)
        courier = Courier(usable(settings.outgoing, os.environ), os.environ, lambda result: _record(told, result))
        courier.send(note)
        courier.finish(FINISH_SECONDS)
    return EXIT_OK


def _record(told: ToldFile, result: Result) -> None:
    """Failures in the log too, where everything else that went wrong stands."""
    told.record(result)
    if not result.delivered:
        _log(f"notify {result.channel}: not delivered: {safe(result.text)}")


def _log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    status = EXIT_ERROR
    try:
        status = main(sys.argv[1:])
    except AgentGuardError as error:
        _log(f"notify: {error}")
    except Exception as error:  # its text may quote what was to be told
        _log(f"notify: the notifier failed: {type(error).__name__}")
    finally:
        os._exit(status)  # a thread that still waits for a server must not keep us
