"""A streamed body arrives as it was sent; where it is blocked, not a byte of the secret has left."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.gates import Gates
from agentguard.sense.proxy.upload import BACKLOG, HELD_BACK, UNIT, Lane, Upload

T = TypeVar("T")

SECRET = b"the-secret-" + b"0123456789" * 3
MATCH = SecretMatch(type="known-value", fingerprint="f", preview="•••", place="body")
RULE = "policy.yaml:closed"
CLIENT = "client"


class Finder:
    """Recognises one value, also across chunks."""

    opaque = ""

    def __init__(self) -> None:
        self._carry = b""

    def feed(self, chunk: bytes, /) -> list[SecretMatch]:
        data = self._carry + chunk
        self._carry = data[-HELD_BACK:]
        return [MATCH] if SECRET in data else []

    def finish(self) -> list[SecretMatch]:
        return []


class Broken(Finder):
    def feed(self, chunk: bytes, /) -> list[SecretMatch]:
        raise RuntimeError("quotes " + chunk.decode("latin-1"))


class InThread:
    """Every scan runs in a thread, as a long one does."""

    async def __call__(self, _size: int, work: Callable[[], T], /) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _send(upload: Upload, body: bytes, cuts: list[int]) -> bytes:
    """As the layer does."""
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})

    async def send() -> bytes:
        out = b""
        for start, end in itertools.pairwise(edges):
            if upload.holds:
                await upload.take(body[start:end])
            out += b"".join(upload(body[start:end]))
        await upload.take(b"")
        return out + b"".join(upload(b""))

    return asyncio.run(send())


def _lane(gates: Gates | None = None) -> Lane:
    return Lane(CLIENT, InThread(), gates or Gates())


bodies = st.tuples(st.integers(0, 20_000), st.integers(0, 20_000))
cuts = st.lists(st.integers(0, 50_000), max_size=12)


@given(sizes=bodies, at=cuts, holds=st.booleans())
def test_passes_unchanged_and_is_reported_once(sizes: tuple[int, int], at: list[int], holds: bool) -> None:
    told: list[list[SecretMatch]] = []

    def note(matches: list[SecretMatch], _size: int) -> str:
        told.append(matches)
        return ""

    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Finder(), _lane(), note, lambda _error: None, holds=holds)
    assert _send(upload, body, at) == body
    assert told == [[MATCH]]
    assert upload.size == len(body)


@given(sizes=bodies, at=cuts)
def test_blocked_leaves_nothing_of_the_secret(sizes: tuple[int, int], at: list[int]) -> None:
    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Finder(), _lane(), lambda _matches, _size: RULE, lambda _error: None, holds=True)
    out = _send(upload, body, at)
    assert out == b"a" * len(out)
    assert upload.rule == RULE


@given(sizes=bodies, at=cuts, holds=st.booleans())
def test_scanner_that_breaks_loses_no_byte(sizes: tuple[int, int], at: list[int], holds: bool) -> None:
    errors: list[Exception] = []
    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Broken(), _lane(), lambda _matches, _size: RULE, errors.append, holds=holds)
    assert _send(upload, body, at) == body
    assert len(errors) == 1


def test_pieces_that_come_together_are_scanned_together_and_none_waits_for_more_than_comes() -> None:
    sizes: list[int] = []
    looked = asyncio.Event()

    class Sizes(Finder):
        def feed(self, chunk: bytes, /) -> list[SecretMatch]:
            sizes.append(len(chunk))
            looked.set()
            return []

    async def here(_size: int, work: Callable[[], T], /) -> T:
        return work()

    async def send() -> None:
        lane = Lane(CLIENT, here, Gates())
        upload = Upload(Sizes(), lane, lambda _matches, _size: "", lambda _error: None, holds=False)
        for _ in range(8):
            upload(b"x" * (UNIT // 8))
        await asyncio.wait_for(looked.wait(), 30)
        looked.clear()
        upload(b"a few bytes")
        await asyncio.wait_for(looked.wait(), 30)
        await upload.take(b"")

    asyncio.run(send())
    assert sizes == [UNIT, len(b"a few bytes")]


def test_client_that_is_faster_than_the_scan_is_not_read_from_until_it_has_caught_up() -> None:
    go_on = threading.Event()

    class Slow(Finder):
        def feed(self, chunk: bytes, /) -> list[SecretMatch]:
            go_on.wait(30)
            return super().feed(chunk)

    async def send() -> None:
        gates = Gates()
        upload = Upload(Slow(), _lane(gates), lambda _matches, _size: "", lambda _error: None, holds=False)
        chunk = b"x" * (BACKLOG // 2)
        for _ in range(2):
            assert upload(chunk) == [chunk]  # goes on at once
        await asyncio.wait_for(gates.passage(CLIENT), 30)
        upload(chunk)
        reading = asyncio.create_task(gates.passage(CLIENT))
        assert not (await asyncio.wait({reading}, timeout=0.05))[0]
        go_on.set()
        await asyncio.wait_for(reading, 30)
        await upload.take(b"")
        await asyncio.wait_for(gates.passage(CLIENT), 30)

    asyncio.run(send())
