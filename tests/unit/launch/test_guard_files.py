"""The guard's own files, looked at: what counts as a change, and whose commands are the guard's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentguard.config import Home, open_home
from agentguard.launch.git_gate import WHERE_HOOKS_ARE
from agentguard.launch.guard_files import GuardFile, GuardWatch, guard_files
from agentguard.launch.own_commands import is_own_command
from agentguard.model.observation import ChangeObservation
from agentguard.model.process import ProcessSnapshot
from agentguard.record.looks import Looks
from agentguard.show.notify.told import ToldFile


class World:
    """A home, a repository and a run folder, watched."""

    def __init__(self, base: Path) -> None:
        self.home: Home = open_home(base / "home")
        self.home.fingerprint_key()
        self.home.chain_key()
        self.home.database.write_bytes(b"rows")
        self.workspace, run = base / "project", base / "run"
        for folder in (self.workspace, run):
            folder.mkdir()
        self.table = run / "table"
        self.table.write_bytes(b"table")
        self.told: list[ChangeObservation] = []
        files = guard_files(self.home, self.workspace, run)
        self.watch = GuardWatch(files, self.told.append, time.time_ns)

    @property
    def changes(self) -> list[tuple[str, bool]]:
        """(name, removed) of what is told by now."""
        self.told.clear()
        self.watch.check(final=True)
        return [(Path(one.path).name, one.removed) for one in self.told]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_nobody_but_the_guard_reads_is_a_secret_file(world: World) -> None:
    entries = {Path(entry.path).name: entry.kind for entry in world.watch.entries()}
    assert entries == {"fingerprint.key": "guard-key", "chain.key": "guard-key", "agentguard.db": "guard-file"}


def test_the_guards_ordinary_work_is_no_change(world: World) -> None:
    with world.home.database.open("ab") as database:
        database.write(b"more rows")
    for name in ("agentguard.db-wal", "agentguard.db-shm", "agentguard.log", "register.head"):
        (world.home.root / name).write_text("x")
    (world.home.root / "register.head").unlink()
    looks = Looks(world.home.looks, world.home.looks_key(), time.time_ns)
    looks.note(1, 2)
    told = ToldFile(world.home.notified, 60)
    told.remember(["a"], 1)
    assert world.changes == [], "a guard that finds no table of looks makes one"
    looks.note(1, 3)
    told.remember(["b"], 2)
    with world.table.open("r+b") as table:
        table.write(b"TABLE")
    world.home.fingerprint_key()
    (world.home.root / "chain.key").touch()
    assert world.changes == []


@pytest.mark.parametrize("how", ["write", "replace", "open to others"])
def test_a_key_that_changes_is_told_once(world: World, how: str) -> None:
    key = world.home.root / "chain.key"
    if how == "write":
        key.write_text("0" * 64)
    elif how == "replace":
        (world.home.root / "aside").write_text("1" * 64)
        (world.home.root / "aside").replace(key)
    else:
        key.chmod(0o644)
    assert world.changes == [("chain.key", False)]
    assert world.changes == []


def test_files_that_go_and_files_that_come(world: World) -> None:
    Looks(world.home.looks, world.home.looks_key(), time.time_ns).note(1, 2)
    assert world.changes == []
    assert "looks" in {Path(entry.path).name for entry in world.watch.entries()}
    for path in (world.home.database, world.home.looks, world.table):
        path.unlink()
    world.home.policy.write_text("version: 1\n")
    world.home.notify.write_text("version: 1\n")
    (world.workspace / ".agentguard.yaml").write_text("version: 1\n")
    assert world.changes == [
        ("policy.yaml", False),
        ("notify.yaml", False),
        ("agentguard.db", True),
        ("looks", True),
        (".agentguard.yaml", False),
        ("table", True),
    ]
    assert "policy.yaml" in {Path(entry.path).name for entry in world.watch.entries()}
    shutil.copy(world.home.root / "chain.key", world.home.database)
    world.home.policy.unlink()
    assert world.changes == [("policy.yaml", True)], "a guard that finds no database makes one"


def test_a_time_that_is_put_back_hides_nothing(world: World) -> None:
    key = world.home.root / "fingerprint.key"
    before = key.stat()
    key.write_text("0" * 64)
    os.utime(key, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert world.changes == [("fingerprint.key", False)]


def test_what_is_being_written_is_one_change(world: World) -> None:
    world.home.policy.touch()
    world.watch.check()
    world.home.policy.write_text("version: 1\n")
    world.watch.check()
    assert world.told == []
    time.sleep(0.35)
    world.watch.check()
    assert [Path(one.path).name for one in world.told] == ["policy.yaml"]


def snapshot(*argv: str, exe: str = sys.executable, cwd: Path = Path("/"), pid: int = 0) -> ProcessSnapshot:
    return ProcessSnapshot(pid=pid or os.getpid(), exe=exe, cmdline=argv, cwd=str(cwd))


def test_the_guards_own_commands_are_known_by_what_they_load(tmp_path: Path) -> None:
    assert is_own_command(snapshot("python", "-I", "-X", "agentguard=x", "-m", "agentguard", "report"))
    assert not is_own_command(snapshot("python", "-I", "-m", "agentguard", exe=shutil.which("sh") or "/bin/sh"))
    assert not is_own_command(snapshot("python", "-I", "-c", "import agentguard"))
    assert not is_own_command(snapshot("agentguard", "agentguard", "report", cwd=tmp_path))
    assert not is_own_command(snapshot("python", "-I"))
    assert not is_own_command(ProcessSnapshot(pid=1))
    (tmp_path / "agentguard.py").touch()
    assert not is_own_command(snapshot("python", "-m", "agentguard", cwd=tmp_path))


def test_with_other_modules_put_before_ours_it_is_somebody_else() -> None:
    for variables, own in (({}, True), ({"PYTHONPATH": "/elsewhere"}, False)):
        environ = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")} | variables
        child = subprocess.Popen([sys.executable, "-c", "input()"], env=environ, stdin=subprocess.PIPE)
        try:
            time.sleep(0.2)  # until it is python
            assert is_own_command(snapshot("python", "-m", "agentguard", pid=child.pid)) is own
        finally:
            child.communicate(b"\n")


def test_of_the_settings_of_git_only_where_hooks_are_counts(tmp_path: Path) -> None:
    told: list[ChangeObservation] = []
    config = tmp_path / "config"
    watch = GuardWatch([GuardFile(config, "guard-file", True, True, WHERE_HOOKS_ARE)], told.append, time.time_ns)

    def tells(text: str) -> int:
        told.clear()
        config.write_text(text)
        watch.check(final=True)
        return len(told)

    plain = '[core]\n\tbare = false\n[remote "there"]\n\turl = https://example.org/path/hooks\n'
    assert tells(plain) == 0
    assert tells(plain + "[core]\n\thooksPath = /x\n") == 1
    assert tells(plain.replace("false", "true") + "[core]\n\thooksPath = /x\n") == 0
    assert tells(plain) == 1
    assert tells("[include]\n\tpath = other\n" + plain) == 1
    assert tells("[include]\n\tpath = third\n" + plain) == 1


def test_a_hook_that_its_owner_can_no_longer_run_was_changed(tmp_path: Path) -> None:
    told: list[ChangeObservation] = []
    hook = tmp_path / "pre-commit"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    watch = GuardWatch([GuardFile(hook, "guard-file", True, True)], told.append, time.time_ns)
    hook.chmod(0o655)
    watch.check(final=True)
    assert [Path(one.path).name for one in told] == ["pre-commit"]
