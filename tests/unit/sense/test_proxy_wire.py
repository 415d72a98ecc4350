"""What crosses the socketpair arrives as it was, whatever bytes a program's name holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.model.observation import GapObservation, GapType, HttpObservation
from agentguard.model.process import Ancestor, Confidence, ProcessSnapshot
from agentguard.model.secret import SecretMatch, SecretValue
from agentguard.sense.proxy import wire
from agentguard.sense.proxy.config import ChildStart, ProxyConfig

texts = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
matches = st.builds(
    SecretMatch,
    type=texts,
    fingerprint=texts,
    preview=texts,
    encoding=st.lists(texts, max_size=3).map(tuple),
    checksum_valid=st.none() | st.booleans(),
)
processes = st.builds(
    ProcessSnapshot,
    pid=st.integers(1, 1 << 22),
    exe=texts,
    cmdline=st.lists(texts, max_size=4).map(tuple),
    cwd=texts,
    ancestors=st.lists(st.builds(Ancestor, st.integers(1, 99), texts), max_size=3).map(tuple),
)


@given(process=st.none() | processes, found=st.lists(matches, max_size=3), url=texts)
def test_observation_round_trip(process: ProcessSnapshot | None, found: list[SecretMatch], url: str) -> None:
    sent = HttpObservation(
        time_ns=1,
        sensor="proxy",
        process=process,
        confidence=Confidence.EXACT_HELD,
        protocol="h2",
        method="POST",
        scheme="https",
        host="a.example",
        port=443,
        url=url,
        matches=tuple(found),
    )
    line = wire.encode_observation(sent)
    assert line.count(b"\n") == 1
    op, body = wire.decode(line)
    assert op == "observation"
    assert wire.observation(body) == sent


def test_gap_round_trip() -> None:
    sent = GapObservation(time_ns=5, sensor="proxy", type=GapType.OPAQUE_BODY, detail="x", count=3)
    assert wire.observation(wire.decode(wire.encode_observation(sent))[1]) == sent


@given(raw=st.binary(max_size=80))
def test_start_round_trip(raw: bytes) -> None:
    value = SecretValue(value=raw, fingerprint="f", preview="p")
    config = ProxyConfig(
        confdir=Path("/a"),
        roots=(1, 2),
        uid=3,
        fingerprint_key=raw,
        policies=Path("/p"),
        redirects={"a.example": ("127.0.0.1", 4)},
    )
    sent = ChildStart(config=config, ca_certificate=b"c", ca_key=raw, listen_fd=5, values=(value,))
    assert wire.typed(wire.decode(wire.encode("start", sent))[1], ChildStart) == sent


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"[1,2]", b'"x"', b'["a"]', b"\xff"])
def test_what_is_no_message_is_refused_without_being_quoted(line: bytes) -> None:
    with pytest.raises(wire.WireError, match="not a message"):
        wire.decode(line)


def test_wrong_body_is_refused_without_being_quoted() -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.typed({"config": "value-that-is-secret"}, ChildStart)
    assert "secret" not in str(caught.value)
    with pytest.raises(wire.WireError):
        wire.observation(["other", {}])
    assert "hidden" not in repr(SecretValue(value=b"hidden", fingerprint="f", preview="p"))
