"""A supervisor that is killed while it holds several opens, and the keeper that lets them go.

    python dying_supervisor.py SECRET READERS

The readers all open the secret; the supervisor never lets one go. Prints how many it held when it was killed; the
readers print the file.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

from under_seccomp import Table, filtered_child

from agentguard.launch.channel import Channel
from agentguard.sense.seccomp.abi import NOTIFICATION_SIZE, PR_SET_CHILD_SUBREAPER, machine
from agentguard.sense.seccomp.handlers import SeccompSetup
from agentguard.sense.seccomp.keeper import Keeper, shared_notification
from agentguard.sense.seccomp.libc import prctl
from agentguard.sense.seccomp.sensor import SeccompSensor


def main() -> int:
    secret, readers = sys.argv[1], int(sys.argv[2])
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    shared = shared_notification()
    ours, theirs = Channel.pair()
    supervisor = os.fork()
    if supervisor == 0:
        supervise(secret, readers, theirs, shared)
    theirs.close()
    answer = ours.receive()
    assert answer
    assert answer[1], "no listener"
    keeper = Keeper(answer[1][0], shared)
    held = wait_until_held(shared, readers)
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    print(f"held {held}", flush=True)
    keeper.take_over()
    poll = select.poll()
    poll.register(keeper.listener, select.POLLIN)
    while any(event & select.POLLIN and keeper.serve() for _, event in poll.poll(20_000)):
        pass
    return os.waitstatus_to_exitcode(os.wait()[1])


def supervise(secret: str, readers: int, channel: Channel, shared: object) -> None:
    script = f"for n in $(seq {readers}); do cat '{secret}' & done; wait"
    child, go, listener = filtered_child(["sh", "-c", script])
    here = machine()
    assert here
    files = Table([secret])
    with tempfile.TemporaryDirectory() as scratch:
        table = files.watched(Path(scratch))
    sensor = SeccompSensor(
        SeccompSetup(
            machine=here,
            listener=listener,
            shared=shared,
            table=table,
            gate_decoy=None,
            root_pid=child,
            files=files,
            decoy=(0, 0),
            proxy_port=lambda: 0,
            emit=lambda _: None,
            on_change=lambda _: None,
            on_hold=lambda _: time.sleep(60) is None,
            clock=time.time_ns,
        )
    )
    channel.send({}, (listener,))
    sensor.start()
    go.send({"go": True})
    time.sleep(60)
    os._exit(1)


def wait_until_held(shared: object, wanted: int) -> int:
    """The Python loop holds one at a time; the others wait in the kernel."""
    deadline = time.monotonic() + 10
    while True:
        ids = {*struct.iter_unpack("=Q", shared[NOTIFICATION_SIZE:]), struct.unpack_from("=Q", shared)} - {(0,)}
        if len(ids) >= wanted or time.monotonic() > deadline:
            return len(ids)
        if os.environ["AGENTGUARD_LOOP"] == "python" and ids and time.monotonic() > deadline - 9:
            return len(ids)
        time.sleep(0.01)


if __name__ == "__main__":
    raise SystemExit(main())
