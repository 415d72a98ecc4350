"""The walk finds what is there, ends in time, and opens nothing that could hold it up."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from agentguard.birth import birth_time_ns
from agentguard.detect.files import load_file_patterns
from agentguard.detect.inventory import Limits, inventory, secret_file
from agentguard.detect.secret_table import SecretTable
from agentguard.model.secret import SecretFile
from agentguard.paths import policies_dir

PATTERNS = load_file_patterns(policies_dir() / "files.yaml")


def put(path: Path, text: str = "A=1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    workspace = tmp_path / "shop"
    put(workspace / ".env")
    put(workspace / "api" / "deep" / ".env.local")
    put(workspace / "readme.md")
    put(workspace / ".env.example")
    put(workspace / "node_modules" / "x" / ".env")
    put(workspace / ".git" / "objects" / ".env")
    return workspace


def found(files: tuple[SecretFile, ...], below: Path) -> set[str]:
    return {os.path.relpath(file.path, below) for file in files if file.path.startswith(str(below))}


def test_workspace_and_home(shop: Path, home: Path) -> None:
    put(home / ".aws" / "credentials")
    put(home / ".ssh" / "id_ed25519")
    put(home / ".ssh" / "id_ed25519.pub")
    put(home / ".ssh" / "known_hosts")
    put(home / ".netrc")
    put(home / ".config" / "anthropic" / "a" / "key")
    put(home / "src" / "other" / ".env")
    result = inventory(PATTERNS, home=home, workspace=shop)
    assert found(result.files, shop) == {".env", "api/deep/.env.local"}
    assert found(result.files, home) == {".aws/credentials", ".ssh/id_ed25519", ".netrc", ".config/anthropic/a/key"}
    assert result.cut_short == ""
    by_name = {Path(file.path).name: file for file in result.files}
    assert by_name["credentials"].kind == "aws-credentials"
    assert "aws" in by_name["credentials"].expected_readers
    assert by_name["key"].agent == "claude"


def test_an_entry_is_known_as_the_kernel_knows_it(shop: Path, home: Path) -> None:
    info = (shop / ".env").stat()
    file = secret_file(str(shop / ".env"), PATTERNS.patterns[0])
    assert file is not None
    assert (file.device, file.inode) == (info.st_dev, info.st_ino)
    assert file.birth_time_ns == birth_time_ns(file.path)


def test_links_lead_to_one_entry_and_loops_end(shop: Path, home: Path) -> None:
    target = put(shop.parent / "vault" / "real")
    (shop / "linked.env").symlink_to(target)
    (shop / "again.env").symlink_to(target)
    (shop / "loop").symlink_to(shop)
    (shop / "self.env").symlink_to(shop / "self.env")
    (shop / "gone.env").symlink_to(shop / "nowhere")
    os.link(shop / ".env", shop / "hard.env")
    result = inventory(PATTERNS, home=home, workspace=shop)
    paths = [file.path for file in result.files]
    assert str(target) in paths
    assert len(paths) == len(set(paths)) == 3


def test_a_fifo_a_socket_folder_and_a_device_are_never_opened(shop: Path, home: Path) -> None:
    os.mkfifo(shop / "pipe.env")
    os.mkfifo(shop / "other-pipe")
    (shop / "folder.env").mkdir()
    (shop / "null.env").symlink_to("/dev/null")
    done: list[set[str]] = []

    def walk() -> None:
        result = inventory(PATTERNS, home=home, workspace=shop)
        done.append(found(result.files, shop))

    thread = threading.Thread(target=walk, daemon=True)
    thread.start()
    thread.join(10)
    assert done == [{".env", "api/deep/.env.local"}]


def test_limits_are_said(shop: Path, home: Path) -> None:
    deep = inventory(PATTERNS, home=home, workspace=shop, limits=Limits(depth=1))
    assert found(deep.files, shop) == {".env"}
    assert "1 folders more than 1 deep" in deep.cut_short
    for number in range(40):
        put(shop / "many" / f"{number}.txt")
    few = inventory(PATTERNS, home=home, workspace=shop, limits=Limits(entries=20))
    assert "more than 20" in few.cut_short
    assert few.entries <= 22


def test_a_workspace_that_is_gone_or_unreadable_yields_nothing(tmp_path: Path, home: Path) -> None:
    assert inventory(PATTERNS, home=home / "none", workspace=tmp_path / "none").files == ()


def test_names_that_are_no_text(shop: Path, home: Path) -> None:
    name = os.fsencode(shop) + b"/\xff\xfe.env"
    with open(name, "wb"):
        pass
    result = inventory(PATTERNS, home=home, workspace=shop)
    assert os.fsdecode(name) in {file.path for file in result.files}


def test_birth_time_is_that_of_stat(shop: Path) -> None:
    path = shop / ".env"
    shown = subprocess.run(["stat", "-c", "%W", path], capture_output=True, text=True, check=True).stdout.strip()
    assert birth_time_ns(str(path)) // 1_000_000_000 == int(shown if shown != "-" else 0)
    assert birth_time_ns(str(shop / "gone")) == 0
    assert birth_time_ns("a\0b") == 0


def test_birth_time_tells_an_inode_used_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("1")
    first = birth_time_ns(str(path))
    if first == 0:
        pytest.skip("this file system keeps no birth time")
    path.unlink()
    path.write_text("2")
    assert birth_time_ns(str(path)) > first


def entry(path: str, inode: int, **more: object) -> SecretFile:
    return SecretFile(path=path, device=1, inode=inode, **more)  # type: ignore[arg-type]


def test_table_looks_up_replaces_and_forgets() -> None:
    table = SecretTable(PATTERNS, [entry("/a/.env", 1)])
    assert table.lookup(1, 1) == entry("/a/.env", 1)
    assert table.lookup(2, 1) is None
    assert not table.add(entry("/a/.env", 1))
    assert table.add(entry("/b/.env", 1, birth_time_ns=5))
    assert len(table) == 1
    table.add(entry("/c/x.pem", 2))
    assert table.directories() == ("/b", "/c")
    table.discard(1, 1)
    table.discard(1, 1)
    assert [file.path for file in table.files()] == ["/c/x.pem"]
    assert table.match_name("/z/.env") is PATTERNS.match_name("/z/.env")


def test_table_is_read_while_it_is_written() -> None:
    table = SecretTable(PATTERNS)
    stop = threading.Event()
    seen: list[BaseException] = []

    def read() -> None:
        try:
            while not stop.is_set():
                table.lookup(1, 5)
                table.files()
                table.directories()
        except BaseException as error:
            seen.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1500):
        table.add(entry(f"/f/{number}", number))
        table.discard(1, number - 3)
    stop.set()
    for reader in readers:
        reader.join()
    assert seen == []
    assert len(table) == 3
