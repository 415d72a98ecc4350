"""Secrets in the names that are asked for in the DNS."""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Callable

import pytest
from detect_support import FINGERPRINTER, scanner_with

from agentguard.detect.fingerprint import preview
from agentguard.detect.lookups import Labels, questions, scan_lookup
from agentguard.model.secret import SecretValue

VALUE = "".join(random.Random(53).choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789", k=40)).encode()
KNOWN = SecretValue(
    value=VALUE, fingerprint=FINGERPRINTER.of(VALUE), preview=preview(VALUE), name="TOKEN", source_path="/p/.env"
)
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda value: value,
    "base64": lambda value: base64.urlsafe_b64encode(value).rstrip(b"="),
    "base32": lambda value: base64.b32encode(value).rstrip(b"="),
    "base32 in small letters": lambda value: base64.b32encode(value).rstrip(b"=").lower(),
    "hex": lambda value: value.hex().encode(),
}


def query(*names: Labels) -> bytes:
    head = struct.pack("!HHHHHH", 7, 0x0100, len(names), 0, 0, 0)
    ends = struct.pack("!HH", 1, 1)
    return head + b"".join(b"".join(bytes([len(label)]) + label for label in name) + b"\0" + ends for name in names)


def split(text: bytes, size: int) -> Labels:
    return tuple(text[start : start + size] for start in range(0, len(text), size))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [63, 30, 7])
@pytest.mark.parametrize("before", [(), (b"0",)])
@pytest.mark.parametrize("domain", [(b"intranet",), (b"evil", b"example"), (b"evil", b"co", b"example")])
def test_a_secret_in_labels_is_found(form: str, size: int, before: Labels, domain: Labels) -> None:
    asked = query((*before, *split(FORMS[form](VALUE), size), *domain))
    lookup = scan_lookup(scanner_with(KNOWN), asked)
    assert [match.fingerprint for match in lookup.matches] == [KNOWN.fingerprint]
    assert lookup.matches[0].place == "dns"
    if len(domain) > 1:
        assert lookup.domain == b".".join(domain[-2:]).decode()


def test_ordinary_names_are_quiet() -> None:
    names = (
        "api.openai.com",
        "d3f9a1c2b4e5.cloudfront.net",
        "_dmarc.example.com",
        "1.0.0.127.in-addr.arpa",
        "localhost",
    )
    message = query(*(tuple(name.encode().split(b".")) for name in names))
    assert len(questions(message)) == len(names)
    assert scan_lookup(scanner_with(KNOWN), message).matches == ()


def test_what_is_no_question_is_none() -> None:
    asked = query((VALUE, b"evil", b"example"))
    answer = asked[:2] + b"\x81\x80" + asked[4:]
    assert questions(answer) == ()
    noise = random.Random(1)
    for length in range(200):
        for message in (asked[:length], noise.randbytes(length)):
            questions(message)
