"""Start a coding agent under guard.

Its terminal stays its own, and its exit status is returned.
"""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import os
import sys
import time
from pathlib import Path

from agentguard.config import Home, home_path, open_home, working_folder
from agentguard.errors import AgentGuardError, ConfigError
from agentguard.launch.front import run_front
from agentguard.launch.request import RunRequest, find_program
from agentguard.model.identity import new_uid
from agentguard.terminal import takes_color
from agentguard.upgrade import bring_up_to_date


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quiet", "-q", action="store_true", help="no banner before, no summary after, no notification"
    )
    parser.add_argument(
        "--notify",
        metavar="CHANNEL",
        action="append",
        help="tell what needs a person now by this channel, instead of those of notify.yaml: desktop, terminal, the "
        "name of one that stands there, or none; may be repeated",
    )
    parser.add_argument(
        "--dashboard",
        action="store_true",
        help="inside tmux: open the dashboard beside the agent, on its right or below. It leaves when the session has "
        "ended clean, and else stays until you press q",
    )
    parser.add_argument(
        "--print-session", metavar="FD", type=int, help="write the session's uid to this file descriptor"
    )
    parser.add_argument(
        "--allow-privileged",
        action="store_true",
        help="let sudo, su and other set-uid programs work: the agent starts without the seccomp filter. As root opens "
        "are held as before (fanotify); else readers are looked for after the open and short ones are missed. "
        "Connections round the proxy are not noticed",
    )
    parser.add_argument(
        "--capture",
        action="store_true",
        help="take TCP connections that go round the proxy to it, so that what they send is seen too. The program does "
        "not notice; but a server elsewhere that refuses is found out after it was connected",
    )
    parser.add_argument(
        "--resolve",
        metavar="HOST=ADDRESS:PORT",
        action="append",
        default=[],
        help="send connections for HOST to a loopback address; every other host is refused (for tests and demos)",
    )
    parser.add_argument("--demo", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--upstream-ca", metavar="FILE", help="trust this CA too when servers are verified")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="the agent and its arguments"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit status: the agent's own; 128 + N when signal N ended it; 127 not found, 126 not executable, 2 our error."""
    argv = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not argv:
        raise AgentGuardError("no command was given; try `agentguard run -- claude`")
    if arguments.capture and arguments.allow_privileged:
        raise ConfigError("--capture needs the seccomp filter, which --allow-privileged leaves out; choose one of them")
    if arguments.demo and not arguments.resolve:
        raise ConfigError("--demo is for made-up credentials only: play every host with --resolve HOST=ADDRESS:PORT")
    environ = dict(os.environ)
    program = find_program(argv[0], environ.get("PATH"))
    home = home_path(arguments.home)
    open_home(home)
    if _inside_a_session(environ):
        print("agentguard: already inside a guarded session; this command joins it", file=sys.stderr)
        os.execve(program, argv, environ)  # noqa: S606 - the outer guard sees it
    bring_up_to_date(Home(home))
    request = RunRequest(
        home=home,
        program=program,
        argv=tuple(argv),
        environ=environ,
        cwd=working_folder(),
        session=new_uid(time.time_ns()),
        allow_privileged=arguments.allow_privileged,
        capture=arguments.capture,
        quiet=arguments.quiet,
        color=takes_color(sys.stderr, environ),
        terminal=sys.stderr.isatty(),
        notify=None if arguments.notify is None else tuple(arguments.notify),
        session_descriptor=_descriptor(arguments.print_session),
        demo=arguments.demo,
        redirects=dict(_redirect(entry) for entry in arguments.resolve),
        upstream_ca=_readable(arguments.upstream_ca),
    )
    return run_front(_with_dashboard(request) if arguments.dashboard else request)


def _with_dashboard(request: RunRequest) -> RunRequest:
    """Whatever becomes of it, the session goes on."""
    from agentguard.launch.dashboard import DashboardError, open_dashboard

    try:
        opened = open_dashboard(request.home, request.session, request.environ)
    except DashboardError as error:
        print(f"agentguard: {error}", file=sys.stderr)
        return request
    if opened.said:
        print(f"agentguard: {opened.said}", file=sys.stderr)
    return dataclasses.replace(request, dashboard=opened.pane)


def _inside_a_session(environ: dict[str, str]) -> bool:
    """The environment says so, and so does the kernel: the outer supervisor is an ancestor of ours."""
    supervisor = environ.get("AGENTGUARD_SUPERVISOR", "")
    if not environ.get("AGENTGUARD_SESSION") or not supervisor.isdigit():
        return False
    from agentguard.sense.procfs import read_stat

    pid = os.getppid()
    while pid > 1:
        if pid == int(supervisor):
            return True
        stat = read_stat(pid)
        pid = stat.parent_pid if stat else 0
    return False


def _descriptor(number: int | None) -> int | None:
    if number is None:
        return None
    try:
        os.fstat(number)
    except OSError:
        raise ConfigError(f"--print-session {number}: this descriptor is not open; use `{number}>FILE`") from None
    return number


def _redirect(entry: str) -> tuple[str, tuple[str, int]]:
    host, _, target = entry.partition("=")
    address, _, port = target.rpartition(":")
    try:
        loopback = ipaddress.ip_address(address.strip("[]")).is_loopback
        number = int(port)
    except ValueError:
        loopback, number = False, 0
    if not host or not loopback or not 0 < number < 65536:
        raise ConfigError(f"--resolve {entry}: write HOST=ADDRESS:PORT with a loopback address")
    return host.lower(), (address.strip("[]"), number)


def _readable(path: str | None) -> str | None:
    if path is not None and not os.access(path, os.R_OK):
        raise ConfigError(f"--upstream-ca {path}: cannot be read")
    return str(Path(path).absolute()) if path else None
