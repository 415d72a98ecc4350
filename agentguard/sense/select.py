"""Chooses the file sensors: the one place that knows which can run here, and says why one cannot."""

from __future__ import annotations

import dataclasses
import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import SensorError
from agentguard.model.observation import GapObservation, GapType
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.attach.attached import Attached, attach
from agentguard.sense.attach.fanotify import FanotifySensor
from agentguard.sense.cross_check import NAME as WATCHDOG
from agentguard.sense.cross_check import CrossCheck
from agentguard.sense.inode_watch import NAME as INOTIFY
from agentguard.sense.inode_watch import InodeWatch
from agentguard.sense.interface import FolderSetup, SecretFiles
from agentguard.sense.open_scan import OpenScan
from agentguard.sense.seccomp.abi import machine
from agentguard.sense.seccomp.capture import WayIn
from agentguard.sense.seccomp.gate import SessionGate
from agentguard.sense.seccomp.handlers import NAME as SECCOMP
from agentguard.sense.seccomp.handlers import SeccompSetup
from agentguard.sense.seccomp.sensor import SeccompSensor
from agentguard.sense.watch_table import WatchTable

UNHELD = frozenset({GapType.IO_URING, GapType.UNREADABLE_PATH})
"""Opens that seccomp cannot hold, or whose file it cannot name: the watches see them, and not who made them."""


_LEASE_SECONDS = 0.05
"""A lease tells of an open this soon, if it held it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """How the agent stands under the seccomp filter."""

    listener: int
    """-1, and `why_not` says why, when it could not be put under it."""
    why_not: str
    shared: mmap.mmap
    """The page of the notification in hand, shared with the keeper."""
    table: WatchTable | None
    """From `open_table`."""
    gate: SessionGate
    wanted: bool = True
    """False: the user asked for an agent without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSensors:
    """What watches files in this session."""

    seccomp: SeccompSensor | None
    folders: CrossCheck | OpenScan | None
    inodes: InodeWatch | None
    gate: SessionGate | None = None
    """Of the seccomp sensor."""
    attached: Attached | None = None
    """Where the agent does not stand under the seccomp filter."""
    missing: tuple[Coverage, ...] = ()
    """Those that cannot run here, with the reason."""

    def coverage(self) -> tuple[Coverage, ...]:
        running = [sensor.coverage() for sensor in self._running()]
        if self.seccomp is not None and self.gate is not None:
            reason = "; ".join(filter(None, (running[0].reason, self.gate.note())))
            running[0] = dataclasses.replace(running[0], reason=reason)
        return (*running, *(self.attached.coverage() if self.attached else ()), *self.missing)

    def gate_tried(self, *, used: bool) -> None:
        """By the agent's process, which is about to become the agent. `used`: it has found it good, and preloads it."""
        if self.seccomp is not None and self.gate is not None:
            self.gate.settle(used=used, proved=self.seccomp.gate_proved.is_set())

    def saw(self, device: int, inode: int, since_ns: int) -> bool:
        """Whether a sensor that holds openers saw this file opened since then."""
        holder = self._holder()
        return holder is not None and holder.saw(device, inode, since_ns)

    def second_opinion(self) -> str:
        """The sensors that have proved they would see an open which seccomp cannot hold; "" when one has not, or has
        lost something."""
        if not isinstance(self.folders, CrossCheck) or self.inodes is None:
            return ""
        sure = all(watch.proved.is_set() and watch.complete for watch in (self.folders, self.inodes))
        return f"{WATCHDOG} and {INOTIFY}" if sure else ""

    def settle(self, timeout: float) -> None:
        """Wait until all that they have received is told; seconds."""
        if self.seccomp is not None:
            self.seccomp.settle(timeout)

    def covers(self, gap: GapObservation, *, relied: bool) -> str | None:
        """The proved sensors that saw what this gap's sensor could not; "" when none did, None while that is open.

        The watches confirm what the holder sees, so a loss of theirs costs nothing while it sees everything. That ends
        where they were relied on: a ring that was made earlier may open files now.
        """
        if gap.type in UNHELD:
            return self.second_opinion() or _open(self.folders, self.inodes)
        holder = self._holder()
        if gap.sensor in {WATCHDOG, INOTIFY} and not relied and holder is not None:
            now = holder.coverage()
            return now.sensor if now.state is not SensorState.FAILED and now.proved else _open(holder)
        return ""

    def stop(self) -> None:
        if self.attached is not None:
            self.attached.stop()
        for watch in (self.inodes, self.folders):
            if watch is not None:
                watch.stop()

    def proved(self, timeout: float) -> bool:
        """Wait for the decoy to be seen by all that run; seconds, each. One that has failed is not waited for."""
        patience = {SensorState.FAILED: 0.0}
        seen = all(one.proved.wait(patience.get(one.coverage().state, timeout)) for one in self._running())
        return seen and (self.attached is None or self.attached.proved(timeout))

    def _holder(self) -> SeccompSensor | FanotifySensor | None:
        """What names every opener."""
        return self.seccomp or (self.attached.fanotify if self.attached else None)

    def _running(self) -> list[SeccompSensor | CrossCheck | OpenScan | InodeWatch]:
        return [sensor for sensor in (self.seccomp, self.folders, self.inodes) if sensor is not None]


def _open(*sensors: SeccompSensor | FanotifySensor | CrossCheck | OpenScan | InodeWatch | None) -> str | None:
    """None while one of them may still prove itself; "" when that is over."""
    waits = [one for one in sensors if one and not one.proved.is_set() and one.coverage().state is SensorState.RUNNING]
    return None if waits else ""


def open_table(folder: Path, files: SecretFiles) -> WatchTable | None:
    """The table of secret files as C reads it, kept live; None where nothing would read it, or it cannot be made."""
    if machine() is None:
        return None
    try:
        table = WatchTable(folder / "table", files.name_filter())
    except OSError:
        return None
    files.follow(table)
    return table


def start_file_sensors(
    *, filtered: Filtered, proxy_port: Callable[[], int], way_in: WayIn | None, setup: FolderSetup
) -> FileSensors:
    """For an agent of our own. Without the seccomp filter the session goes on with the next best; that is told as a
    gap, unless the user wanted it so."""
    here = machine()
    if filtered.listener < 0 or here is None:
        return _without_filter(filtered, setup)
    seccomp = SeccompSensor(
        SeccompSetup(
            machine=here,
            listener=filtered.listener,
            shared=filtered.shared,
            table=filtered.table,
            gate_decoy=filtered.gate.gate.decoy_key if filtered.gate.gate else None,
            root_pid=setup.root_pid,
            files=setup.files,
            decoy=setup.decoy,
            proxy_port=proxy_port,
            way_in=way_in,
            emit=setup.emit,
            on_hold=setup.on_hold,
            on_change=setup.on_change,
            clock=setup.clock,
        )
    )
    seccomp.start()
    sensors = FileSensors(seccomp=seccomp, folders=None, inodes=None, gate=filtered.gate)
    return _with_watches(sensors, CrossCheck(setup), setup)


def start_attached_sensors(setup: FolderSetup, *, hold: bool = False) -> FileSensors:
    """For an agent that runs without the filter; `hold` as `attach` takes it."""
    attached = attach(setup, hold=hold)
    patience = _LEASE_SECONDS if attached.lease else 0.0
    folders = (
        CrossCheck(setup) if attached.fanotify else OpenScan(setup, attached.tree, attached.told, patience=patience)
    )
    return _with_watches(FileSensors(seccomp=None, folders=None, inodes=None, attached=attached), folders, setup)


def _without_filter(filtered: Filtered, setup: FolderSetup) -> FileSensors:
    if filtered.wanted:
        missing = _tell_missing(setup, SECCOMP, filtered.why_not, "run on Linux 5.9 or newer, outside other sandboxes")
    else:
        missing = Coverage(sensor=SECCOMP, state=SensorState.UNAVAILABLE, reason=filtered.why_not)
    sensors = start_attached_sensors(setup)
    return dataclasses.replace(sensors, missing=(missing, *sensors.missing))


def _with_watches(sensors: FileSensors, folders: CrossCheck | OpenScan, setup: FolderSetup) -> FileSensors:
    """Watch the folders and the inodes too, as far as the system grants it."""
    inodes = InodeWatch(setup, folders.touched)
    try:
        folders.start((*setup.files.directories(), os.path.dirname(setup.decoy_path)))
    except SensorError as error:
        missing = _tell_missing(setup, WATCHDOG, str(error), "")
        return dataclasses.replace(sensors, missing=(*sensors.missing, missing))
    setup.files.follow(folders.watch)
    try:
        inodes.start(setup.decoy_path)
    except SensorError as error:
        missing = _tell_missing(setup, INOTIFY, str(error), "")
        return dataclasses.replace(sensors, folders=folders, missing=(*sensors.missing, missing))
    return dataclasses.replace(sensors, folders=folders, inodes=inodes)


def _tell_missing(setup: FolderSetup, sensor: str, reason: str, remedy: str) -> Coverage:
    setup.emit(
        GapObservation(
            time_ns=setup.clock(),
            sensor=sensor,
            type=GapType.SENSOR_UNAVAILABLE,
            detail=f"the {sensor} sensor cannot run: {reason}",
            remedy=remedy,
        )
    )
    return Coverage(sensor=sensor, state=SensorState.UNAVAILABLE, reason=reason)
