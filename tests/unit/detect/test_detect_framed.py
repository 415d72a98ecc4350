"""Pushes and crates as real programs make them: what is packed in them is read, and nothing else is taken for one."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import string
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest
from detect_support import scanner

from agentguard.detect.framed import SHORTEST, Framed, FrameError, added, frame_of

NOBODY = {f"GIT_{who}_{what}": "nobody@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
PUSH = "application/x-git-receive-pack-request"


def made_token(seed: int) -> str:
    return "ghp" + "_" + "".join(random.Random(seed).choices(string.ascii_letters + string.digits, k=36))


class Repository:
    """A repository of git's own making, and the body that `git push` would send."""

    def __init__(self, folder: Path, *options: str) -> None:
        if shutil.which("git") is None:
            pytest.skip("no git")
        self.folder = folder
        self._git("init", "-q", *options)

    def commit(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        self._git("add", name)
        self._git("commit", "-q", "-m", "a change")
        return self._git("rev-parse", "HEAD").decode().strip()

    def push(self, since: str = "") -> bytes:
        """`since`: what the server has already; the pack is thin then, as over the network."""
        head = self._git("rev-parse", "HEAD").decode().strip()
        wanted = f"{head}\n" + (f"^{since}\n" if since else "")
        pack = self._git("pack-objects", "--stdout", "--revs", "--thin", "--delta-base-offset", "-q", stdin=wanted)
        form = "object-format=sha256" if len(head) == 64 else "object-format=sha1"
        line = f"{since or '0' * len(head)} {head} refs/heads/main\0 report-status {form}\n".encode()
        return b"%04x" % (len(line) + 4) + line + b"0000" + pack

    def _git(self, *words: str, stdin: str = "") -> bytes:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1", **NOBODY}
        return subprocess.run(
            ["git", *words], cwd=self.folder, env=env, input=stdin.encode(), capture_output=True, check=True
        ).stdout


def found(body: bytes, *, chunk: int = 0) -> tuple[list[tuple[str, tuple[str, ...]]], str]:
    stream = scanner().stream(content_type=PUSH)
    size = chunk or len(body)
    matches = [match for at in range(0, len(body), size) for match in stream.feed(body[at : at + size])]
    matches += stream.finish()
    return [(match.type, match.encoding) for match in matches], stream.opaque


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
@pytest.mark.parametrize("chunk", [0, 1, 61])
def test_a_committed_secret_is_seen_in_the_pack(tmp_path: Path, options: tuple[str, ...], chunk: int) -> None:
    repository = Repository(tmp_path, *options)
    repository.commit("README.md", "hello\n" * 50)
    repository.commit(".env", f"GITHUB_TOKEN={made_token(1)}\n")
    body = repository.push()
    assert found(body, chunk=chunk) == ([("github-personal-token", ("git-push",))], "")


def test_a_secret_that_a_later_commit_took_away_is_still_pushed(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("a.py", f"token = '{made_token(2)}'\n")
    repository.commit("a.py", "token = os.environ['TOKEN']\n")
    assert found(repository.push())[0] == [("github-personal-token", ("git-push",))]


def test_a_secret_in_a_difference_to_what_the_server_has(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    lines = [f"line {number} {random.Random(number).random()}\n" for number in range(400)]
    base = repository.commit("settings.py", "".join(lines))
    lines[200] = f"note = '{'x ' * 90}'\ntoken = '{made_token(3)}'\n"
    repository.commit("settings.py", "".join(lines))
    body = repository.push(base)
    assert len(body) < 1500, "the pack holds the difference only"
    assert found(body) == ([("github-personal-token", ("git-push",))], "")


def test_a_clean_push_is_quiet_and_a_damaged_one_is_said_to_be(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("README.md", "hello " * 5000)
    body = repository.push()
    assert found(body) == ([], "")
    at = body.index(b"\x78", body.index(b"PACK") + 12)
    assert found(body[:at] + b"\0" + body[at + 1 :])[1] == "what is packed in it is damaged"


def test_a_deletion_sends_no_pack() -> None:
    line = ("a" * 40 + " " + "0" * 40 + " refs/heads/old\0 report-status\n").encode()
    assert found(b"%04x" % (len(line) + 4) + line + b"0000") == ([], "")


def test_a_crate(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"GITHUB_TOKEN={made_token(4)}\n")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(tmp_path / ".env", "shop-0.1.0/.env")
    about = b'{"name":"shop","vers":"0.1.0","deps":[]}'
    body = struct.pack("<I", len(about)) + about + struct.pack("<I", len(packed.getvalue())) + packed.getvalue()
    assert found(body) == ([("github-personal-token", ("crate",))], "")
    assert found(body, chunk=7) == ([("github-personal-token", ("crate",))], "")


def test_a_bomb_comes_out_in_pieces() -> None:
    about = b'{"name":"x"}' + b" " * 50
    bomb = gzip.compress(bytes(200 << 20), compresslevel=1)
    body = struct.pack("<I", len(about)) + about + struct.pack("<I", len(bomb)) + bomb
    pieces = Framed("crate").feed(body)
    assert max(len(next(pieces)) for _ in range(100)) <= 256 << 10


@pytest.mark.parametrize(
    "text",
    [
        "0000",
        "beef" * 20,
        "{" * 80,
        '\x00\x00\x00\x7f{"a"',
        "0123 some text " * 20,
        "ab12" * 9 + "  file\n" + "cd34" * 40,
    ],
)
def test_what_is_no_frame(text: str) -> None:
    body = text.encode("latin-1")
    assert frame_of(body[:SHORTEST]) in ("", "crate")
    assert found(body) == ([], "")


@pytest.mark.parametrize("difference", [b"\x05\x05\x00", b"\x80"])
def test_a_damaged_difference(difference: bytes) -> None:
    if difference.endswith(b"\x00"):
        with pytest.raises(ValueError, match="reserved"):
            added(difference)
    else:
        assert added(difference) == b""


def test_an_object_of_an_unknown_kind() -> None:
    pack = b"PACK" + struct.pack(">II", 2, 1) + bytes([5 << 4])
    with pytest.raises(FrameError, match="unknown kind"):
        list(Framed("git-push").feed(b"0000" + pack))
