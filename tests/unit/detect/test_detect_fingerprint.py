"""Fingerprints and previews tell values apart and tell nothing of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentguard.detect.fingerprint import HIDDEN, Fingerprinter, preview


def test_the_same_value_has_the_same_name_under_one_key_only() -> None:
    one, other = Fingerprinter(b"a" * 32), Fingerprinter(b"b" * 32)
    assert one.of(b"value") == one.of(b"value") != one.of(b"value2")
    assert one.of(b"value") != other.of(b"value")
    assert len(one.of(b"")) == 32
    assert int(one.of(b"value"), 16) >= 0


def test_the_key_is_in_no_repr() -> None:
    assert "secretkey" not in repr(Fingerprinter(b"secretkey" * 4))


@given(st.binary(max_size=80))
def test_a_preview_shows_little(value: bytes) -> None:
    shown = preview(value, public_prefix=4)
    assert shown.isprintable()
    assert len(shown) <= 7
    if len(value) < 16:
        assert shown == HIDDEN


def test_a_preview_is_recognisable() -> None:
    assert preview(b"sk-" + b"proj-" + b"a" * 30 + b"9Q") == "sk-p…9Q"
    assert preview(b"AK" + b"IA" + b"Z" * 14 + b"3F", 4) == "AKIA…3F"
    assert preview(b"correct-horse-bat") == "co…at"
