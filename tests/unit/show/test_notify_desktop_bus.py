"""The real notify-send on a real session bus, heard by a service that keeps what a desktop would be asked to show.

Runs where dbus-daemon, notify-send and the system Python's D-Bus module are installed.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from notify_builders import alarm, note
from record_builders import match

from agentguard.show.notify.channels import desktop
from agentguard.show.notify.channels.interface import ChannelError
from agentguard.show.notify.settings import BUILT_IN

SYSTEM_PYTHON = "/usr/bin/python3"
SERVICE = """
import json, sys
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
name = "org.freedesktop.Notifications"

class Desktop(dbus.service.Object):
    @dbus.service.method(name, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, body, actions, hints, expires):
        with open(sys.argv[1], "a") as kept:
            kept.write(json.dumps([app, title, body, int(hints["urgency"])]) + "\\n")
        return 1

    @dbus.service.method(name, out_signature="ssss")
    def GetServerInformation(self):
        return "tests", "tests", "1", "1.2"

    @dbus.service.method(name, out_signature="as")
    def GetCapabilities(self):
        return ["body", "body-markup"]

bus = dbus.SessionBus()
owned = dbus.service.BusName(name, bus)
desktop = Desktop(bus, "/org/freedesktop/Notifications")
open(sys.argv[1], "a").close()
GLib.MainLoop().run()
"""


def why_not() -> str:
    for program in ("dbus-daemon", "notify-send"):
        if not shutil.which(program):
            return f"{program} is not installed"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", "import dbus, gi.repository.GLib"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "the system's Python has no D-Bus module"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A session bus of its own."""
    missing = why_not()
    if missing:
        pytest.skip(missing)
    address = f"unix:path={tmp_path}/bus"
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--address", address], stderr=subprocess.DEVNULL)
    until((tmp_path / "bus").exists)
    yield {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": address}
    daemon.kill()
    daemon.wait()


@pytest.fixture
def kept(tmp_path: Path, bus: dict[str, str]) -> Iterator[Path]:
    """What the service was asked to show, a line each."""
    path = tmp_path / "kept"
    service = subprocess.Popen([SYSTEM_PYTHON, "-c", SERVICE, str(path)], env=bus)
    until(path.exists)
    yield path
    service.kill()
    service.wait()


def until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_arrives_is_what_was_meant(bus: dict[str, str], kept: Path) -> None:
    """Markup, options and the backslashes that notify-send resolves: all arrive as text."""
    hostile = match(name=r"--urgency=low <b>KEY</b> \033[31m \074i\076 \n&amp;", place="body")
    sent = note(alarm(1, matches=(hostile,), host="h\x1b]0;x\x07.example"), agent_name="-u")
    assert desktop.deliver(BUILT_IN["desktop"], sent, bus, platform="linux") == "shown by notify-send"
    ((app, title, body, urgency),) = map(json.loads, kept.read_text().splitlines())
    assert (app, urgency) == ("AgentGuard", 2)
    assert title == sent.title
    assert "<" not in body
    assert html.unescape(body) == sent.text


def test_a_bus_without_a_desktop_says_so(bus: dict[str, str]) -> None:
    with pytest.raises(ChannelError, match=r"notify-send: exit status 1: .*org.freedesktop.Notifications"):
        desktop.deliver(BUILT_IN["desktop"], note(), bus, platform="linux")
