"""What seeing files opened costs, and how much of it each sensor sees.

A worker process is started once under each sensor, so that its start-up is in no figure; then each does the same work
in turn, round by round, in a copy of the project of its own: what one sensor watches is not stirred by another's work.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench_ground import own_ground
from bench_sensors import SIGN, Sensor, sensors
from bench_setting import Setting
from bench_table import Seen, Table
from bench_workloads import FULL, QUICK, Sizes, Workload, cat_scripts, make_project, workloads

WORKER = Path(__file__).with_name("bench_worker.py")
SLOW_EVERY = 3
"""The rounds in which a file is opened 100,000 times: one of so many; it takes seconds under some sensors."""


@dataclass(slots=True)
class Worker:
    """A process under a sensor that runs what it is asked to."""

    sensor: Sensor
    project: Path
    pid: int
    ask: Callable[[str], float]
    """Runs a script; its seconds."""


@dataclass(slots=True)
class Measured:
    """Seconds, by workload and sensor."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, workload: str, sensor: str, seconds: float) -> None:
        self.seconds.setdefault((workload, sensor), []).append(seconds)


def bench_files(setting: Setting) -> None:
    """Measure, and print the table."""
    ground = setting.base / "ground"
    ground.mkdir()
    with own_ground(ground) as why_no_ground:
        _bench(setting.at(ground), why_no_ground)


def _bench(setting: Setting, why_no_ground: str) -> None:
    sizes = QUICK if setting.quick else FULL
    template = make_project(setting, sizes)
    usable, notes = sensors(setting, why_no_ground)
    for sensor in usable:
        shutil.copytree(template, _project(setting, sensor), symlinks=True)
    work: list[Workload] = []
    for one in workloads(setting, sizes):
        if isinstance(one, Workload):
            work.append(one)
        else:
            notes.append(one)
    seen = {sensor.name: _count_seen(setting, sensor, sizes) for sensor in usable if sensor.needs}
    measured = _measure(setting, usable, work)
    _say("")
    print(Table(usable, work, measured.seconds, seen, notes, setting.rounds).text(markdown=setting.markdown))


def _project(setting: Setting, sensor: Sensor) -> Path:
    return setting.base / f"project-{sensor.name.translate(str.maketrans(' ,', '--'))}"


@contextmanager
def _worker(setting: Setting, sensor: Sensor, output: Path) -> Iterator[Worker]:
    project = _project(setting, sensor)
    process = subprocess.Popen(
        [*sensor.words(output), sys.executable, str(WORKER)],
        cwd=project,
        env=setting.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(script: str) -> float:
        assert process.stdin
        assert process.stdout
        process.stdin.write(script + "\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        yield Worker(sensor, project, process.pid, ask)
    finally:
        process.communicate()


def _looking(worker: Worker, output: Path) -> AbstractContextManager[None]:
    return worker.sensor.looking(worker.pid, worker.project, output, lambda: worker.ask(f": <{SIGN}"))


def _count_seen(setting: Setting, sensor: Sensor, sizes: Sizes) -> Seen:
    """How many of many reads of a secret the sensor tells of, and of how many the right process."""
    _say(f"counting what {sensor.name} sees")
    scripts = cat_scripts(sizes)
    output = setting.base / "told"
    with _worker(setting, sensor, output) as worker, _looking(worker, output):
        for script in scripts.values():
            worker.ask(script)
    told = sensor.reports(output)
    output.unlink(missing_ok=True)
    shares = []
    for name in scripts:
        real = Counter(int(line) for line in (worker.project / "cats" / f"{name}.pids").read_text().split())
        reported = Counter(one.pid for one in told if one.path.endswith(f"cats/{name}/.env"))
        assert real.total() == sizes.cats
        found = min(reported.total(), sizes.cats)
        shares.append((found / sizes.cats, (real & reported).total() / sizes.cats))
    return Seen(*shares)


def _measure(setting: Setting, usable: list[Sensor], work: list[Workload]) -> Measured:
    measured = Measured()
    with ExitStack() as stack:
        # strace writes what it sees to nowhere here: it would fill the disk.
        workers = [stack.enter_context(_worker(setting, sensor, Path("/dev/null"))) for sensor in usable]
        first = 1 if setting.quick else 0  # round 0 warms the caches and is not counted
        for number in range(first, setting.rounds + 1):
            _say(f"round {number} of {setting.rounds}")
            turn = number % len(workers)
            for worker in workers[turn:] + workers[:turn]:
                chosen = [one for one in work if not one.opens or number % SLOW_EVERY == 1]
                output = setting.base / "told"
                with _looking(worker, output):
                    for workload in chosen:
                        seconds = worker.ask(workload.script)
                        if number:
                            measured.add(workload.name, worker.sensor.name, seconds)
    return measured


def _say(text: str) -> None:
    """Progress, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
