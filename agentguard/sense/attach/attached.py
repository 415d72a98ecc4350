"""The sensors of an agent that was not put under the seccomp filter: the best of what can run here."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.errors import SensorError
from agentguard.model.session import Coverage, SensorState
from agentguard.sense.attach.fanotify import NAME as FANOTIFY
from agentguard.sense.attach.fanotify import FanotifySensor
from agentguard.sense.attach.lease import LeaseSensor
from agentguard.sense.attach.told import Told
from agentguard.sense.attach.tree_watch import TreeSetup, TreeWatch
from agentguard.sense.interface import FolderSetup


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What runs."""

    tree: TreeWatch
    told: Told
    fanotify: FanotifySensor | None
    """None: opens are not held, and who made them is looked for."""
    lease: LeaseSensor | None
    missing: tuple[Coverage, ...]

    def running(self) -> tuple[FanotifySensor | LeaseSensor, ...]:
        """Those that hold opens."""
        return tuple(sensor for sensor in (self.fanotify, self.lease) if sensor is not None)

    def coverage(self) -> tuple[Coverage, ...]:
        return (*(sensor.coverage() for sensor in self.running()), self.tree.coverage(), *self.missing)

    def proved(self, timeout: float) -> bool:
        """Wait for the decoy to be seen by each; seconds."""
        return all(sensor.proved.wait(timeout) for sensor in self.running())

    def stop(self) -> None:
        for sensor in self.running():
            sensor.stop()
        self.tree.stop()


def attach(setup: FolderSetup, *, hold: bool = False) -> Attached:
    """Follow the tree, and hold opens where that is allowed.

    `hold`: with leases, if it cannot be done otherwise.
    """
    tree = TreeWatch(TreeSetup(root_pid=setup.root_pid, emit=setup.emit, clock=setup.clock))
    tree.start()
    told = Told()
    missing: list[Coverage] = []
    fanotify = lease = None
    try:
        fanotify = FanotifySensor(setup, tree)
        fanotify.start()
    except SensorError as error:
        fanotify = None
        missing.append(Coverage(sensor=FANOTIFY, state=SensorState.UNAVAILABLE, reason=str(error)))
        if hold:
            lease = LeaseSensor(setup, tree, told)
            lease.start()
    return Attached(tree=tree, told=told, fanotify=fanotify, lease=lease, missing=tuple(missing))
