"""A streamed body arrives as it was sent; where it is blocked, not a byte of the secret has left."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.secret import SecretMatch
from agentguard.sense.proxy.upload import HELD_BACK, Upload

SECRET = b"the-secret-" + b"0123456789" * 3
MATCH = SecretMatch(type="known-value", fingerprint="f", preview="•••", place="body")


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


def _send(upload: Upload, body: bytes, cuts: list[int]) -> bytes:
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    out = b""
    for start, end in itertools.pairwise(edges):
        out += b"".join(upload(body[start:end]))
    return out + b"".join(upload(b""))


bodies = st.tuples(st.integers(0, 9000), st.integers(0, 9000))
cuts = st.lists(st.integers(0, 20_000), max_size=12)


@given(sizes=bodies, at=cuts, hold=st.booleans())
def test_passes_unchanged_and_is_reported_once(sizes: tuple[int, int], at: list[int], hold: bool) -> None:
    told: list[list[SecretMatch]] = []

    def note(matches: list[SecretMatch], _size: int) -> bool:
        told.append(matches)
        return False

    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Finder(), note, lambda _error: None, hold=hold)
    assert _send(upload, body, at) == body
    assert told == [[MATCH]]
    assert upload.size == len(body)


@given(sizes=bodies, at=cuts)
def test_blocked_leaves_nothing_of_the_secret(sizes: tuple[int, int], at: list[int]) -> None:
    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Finder(), lambda _matches, _size: True, lambda _error: None, hold=True)
    out = _send(upload, body, at)
    assert out == b"a" * len(out)


@given(sizes=bodies, at=cuts, hold=st.booleans())
def test_scanner_that_breaks_loses_no_byte(sizes: tuple[int, int], at: list[int], hold: bool) -> None:
    errors: list[Exception] = []
    body = b"a" * sizes[0] + SECRET + b"b" * sizes[1]
    upload = Upload(Broken(), lambda _matches, _size: True, errors.append, hold=hold)
    assert _send(upload, body, at) == body
    assert len(errors) == 1
