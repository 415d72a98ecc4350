"""What makes a file secret for what it holds, and what must not."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from content_support import PATTERNS, holding, judge
from detect_support import example, scanner
from value_support import made_up

from agentguard.detect.content import Look, Seen
from agentguard.detect.file_values import FileValues
from agentguard.detect.inventory import content_file
from agentguard.detect.value_index import ValueIndex
from agentguard.model.secret import CONTENT_KIND

KEY = example("openai-project-key")


def look(path: Path, **limits: int) -> Seen:
    """On a thread: a FIFO must not hold the test up."""
    seen: list[Seen] = []
    thread = threading.Thread(target=lambda: seen.append(judge(**limits).look(str(path))), daemon=True)
    thread.start()
    thread.join(10)
    assert seen, "it waits"
    return seen[0]


@pytest.mark.parametrize(
    "text",
    [
        f"api:\n  key: {KEY}\n",
        f"OPENAI = '{KEY}'  # for the demo\n",
        json.dumps({"cells": [{"source": [f'client = OpenAI(api_key="{KEY}")\n']}]}),
        f"2026-01-31 12:00:01 DEBUG Authorization: Bearer {KEY}\n",
        f"x = 1\n{example('pem-private-key')}\n",
        f"url = 'https://deploy:{made_up(24)}@git.shop.internal.net/app.git'\n",
        "\ufeff" + f"key = {KEY}",
    ],
    ids=["yaml", "python", "notebook", "log", "private key", "url", "byte order mark"],
)
def test_a_credential_of_a_known_form_makes_a_file_secret(text: str) -> None:
    assert judge().holds(text.encode())


def test_text_in_two_byte_characters_is_text() -> None:
    assert judge().holds(f"key = {KEY}\n".encode("utf-16"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password = request.form['password']\ntoken = get_token()\nSECRET = 'hunter22'\n",
        "OPENAI_API_KEY=sk-proj-your-key-here\nAWS=AKIA" + "IOSFODNN7" + "EXAMPLE\n",
        "DATABASE_URL=postgres://postgres:postgres@localhost:5432/shop\n",
        f"url: postgres://app:{made_up(20)}@db:5432/shop\n",
        "http://user:correct-password@proxy.company.com:8080\n",  # agentguard:allow
        example("jwt") + "\n",
        example("stripe-publishable-key") + "\n",
        '"integrity": "sha512-' + made_up(86, signs="+/") + '=="\n',
        "sha256:" + "0123456789abcdef" * 4 + "\n",
    ],
    ids=["empty", "code", "fill-ins", "weak", "service", "words", "jwt", "public", "integrity", "hash"],
)
def test_code_examples_public_keys_and_hashes_do_not(text: str) -> None:
    assert not judge().holds(text.encode())


def test_a_key_across_the_border_of_two_blocks_is_found() -> None:
    for before in range(262_144 - len(KEY) - 4, 262_144 + 4, 17):
        assert judge().holds(b"." * (before - 1) + b"\n" + KEY.encode() + b"\n" + b"." * 5000), before


def test_a_file_is_read_once_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"." * 2000 + b"\n" + holding())
    assert look(tmp_path / "a").look is Look.HOLDS
    short = look(tmp_path / "a", largest_bytes=1000)
    assert (short.look, short.cut, short.size) == (Look.CLEAN, True, 1000)


def test_what_is_no_text_file_is_passed_over_and_nothing_waits(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\0" + holding())
    (tmp_path / "large").write_bytes(b"\x7fELF\0\0" + b"." * 400_000 + holding())
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "real").write_bytes(holding())
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("binary", "large", "fifo", "folder", "link", "socket", "gone", "a\0b"):
            assert look(tmp_path / name).look is Look.PASSED, name


def test_our_look_leaves_no_trace_in_the_access_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(holding())
    before = path.stat().st_atime_ns
    time.sleep(0.02)
    look(path)
    assert path.stat().st_atime_ns == before


@pytest.mark.timed
def test_a_flood_of_keys_takes_no_longer_than_its_size(tmp_path: Path) -> None:
    few, many = (
        b"".join(f"key = {KEY[:-6]}{number}\n".encode() for number in range(123_456, 123_456 + count))
        for count in (500, 5000)
    )

    def seconds(data: bytes) -> float:
        start = time.process_time()
        assert len(scanner().locate(data)) == data.count(b"\n")
        return time.process_time() - start

    seconds(few)
    assert seconds(many) < 40 * seconds(few), "ten times the keys: a hundred times as long is quadratic"


def test_only_what_is_recognised_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "settings.py"
    path.write_bytes(holding() + b'password = "correct-horse-battery"\ntoken = request.headers.get("Authorization")\n')
    values = FileValues(scanner(), judge(), ValueIndex(), on_look=lambda *_: None, clock=time.time_ns)
    file = content_file(str(path))
    assert file is not None
    assert file.kind == CONTENT_KIND
    assert [(value.type, value.name) for value in values.of(file)[0]] == [("openai-project-key", "STRIPE_KEY")]
    assert not values.is_harmless(file)
    path.write_bytes(b"nothing is left\n")
    assert values.of(file)[0] == ()
    assert values.is_harmless(file)


def test_a_large_file_is_followed_as_far_as_it_is_looked_through(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(b"line of a log\n" * 150_000 + holding())
    values = FileValues(scanner(), judge(), ValueIndex(), on_look=lambda *_: None, clock=time.time_ns)
    file = content_file(str(path))
    assert file is not None
    assert len(values.of(file)[0]) == 1
    assert not values.cut_short(file)


def test_names_that_are_excluded_do_not_count() -> None:
    assert not PATTERNS.content_counts("/src/shop/.env.example")
    assert not PATTERNS.content_counts("/src/shop/settings.sample.py")
    assert not PATTERNS.content_counts("/src/shop/app.min.js")
    assert PATTERNS.content_counts("/src/shop/settings.py")
