"""Who receives a send: label borders, disguised addresses, and text that is no host at all."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentguard.judge.destination import destinations, is_within, locality
from agentguard.judge.globs import glob_problem, glob_set
from agentguard.model.verdict import Destination

LOOPBACK, PRIVATE, OTHER = Destination.LOOPBACK, Destination.PRIVATE, Destination.OTHER


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", LOOPBACK),
        ("LOCALHOST.", LOOPBACK),
        ("api.localhost", LOOPBACK),
        ("127.0.0.1", LOOPBACK),
        ("127.255.3.4", LOOPBACK),
        ("127.1", LOOPBACK),
        ("2130706433", LOOPBACK),
        ("0x7f000001", LOOPBACK),
        ("0177.0.0.1", LOOPBACK),
        ("0.0.0.0", LOOPBACK),
        ("0", LOOPBACK),
        ("::1", LOOPBACK),
        ("[::1]", LOOPBACK),
        ("::", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("localhost.paste.example", OTHER),
        ("mylocalhost", PRIVATE),
        ("127.0.0.1.nip.io", OTHER),
        ("10.0.0.1", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.32.0.1", OTHER),
        ("192.168.1.1", PRIVATE),
        ("3232235777", PRIVATE),
        ("169.254.169.254", PRIVATE),
        ("fd00::1", PRIVATE),
        ("fe80::1%eth0", PRIVATE),
        ("::ffff:10.0.0.1", PRIVATE),
        ("printer.local", PRIVATE),
        ("metadata.google.internal", PRIVATE),
        ("db", PRIVATE),
        ("local", PRIVATE),
        ("134744072", OTHER),
        ("0x08080808", OTHER),
        ("99999999999", OTHER),
        ("8.8.8.8", OTHER),
        ("::ffff:8.8.8.8", OTHER),
        ("64:ff9b::a00:1", OTHER),
        ("203.0.113.9", OTHER),
        ("100.64.0.1", OTHER),
        ("paste.example", OTHER),
        ("10.0.0.1.evil.example", OTHER),
        ("notlocal", PRIVATE),
        ("x.notlocal", OTHER),
        ("", OTHER),
        ("a:b", OTHER),
    ],
)
def test_locality(host: str, expected: Destination) -> None:
    assert locality(host) is expected


def test_issuer_on_label_borders() -> None:
    assert is_within("api.x.com", ("x.com",))
    assert is_within("x.com", ("x.com",))
    assert not is_within("evil-x.com", ("x.com",))
    assert not is_within("x.com.evil.example", ("x.com",))
    assert not is_within("x.co", ("x.com",))


def test_a_host_may_be_issuer_and_model_at_once_and_other_only_when_it_is_nothing_else() -> None:
    models, none = glob_set(["api.openai.com", "*.openai.azure.com"]), glob_set([])
    both = destinations("API.openai.com.", ("openai.com",), None, models)
    assert both == (Destination.ISSUER, Destination.MODEL)
    assert destinations("shop.openai.azure.com", (), None, models) == (Destination.MODEL,)
    assert destinations("openai.azure.com", (), None, models) == (OTHER,)
    assert destinations("paste.example", ("x.com",), None, models) == (OTHER,)
    assert destinations("db", ("db",), None, none) == (Destination.ISSUER, PRIVATE)
    assert destinations("chat.example", (), glob_set(["chat.example"]), none) == (Destination.ISSUER,)


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(host: str) -> None:
    assert locality(host) in (LOOPBACK, PRIVATE, OTHER)


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_an_address_is_the_same_in_every_notation(number: int) -> None:
    dotted = IPv4Address(number)
    expected = locality(str(dotted))
    assert locality(str(number)) is expected
    assert locality(hex(number)) is expected
    assert locality(f"::ffff:{dotted}") is expected
    if dotted in ip_network("10.0.0.0/8"):
        assert expected is PRIVATE


@given(st.text(alphabet="ab.-", min_size=1, max_size=12), st.text(alphabet="ab.-", min_size=1, max_size=12))
def test_a_suffix_counts_only_behind_a_dot(host: str, domain: str) -> None:
    assert is_within(host, (domain,)) == (("." + host).endswith("." + domain))


def test_many_stars_cannot_make_matching_slow() -> None:
    hostile = glob_set(["*a" * 100 + "b"])
    assert not hostile.matches("a" * 4096)


@pytest.mark.parametrize("bad", ["", "[a]", "a]", "x" * 257])
def test_bad_globs_are_named(bad: str) -> None:
    assert glob_problem(bad)


@given(st.text(alphabet="ab*?/.", min_size=1, max_size=8), st.text(alphabet="ab/.", max_size=8))
def test_globs_mean_what_they_say(glob: str, text: str) -> None:
    def slow(g: str, t: str) -> bool:
        if not g:
            return not t
        if g[0] == "*":
            return any(slow(g[1:], t[cut:]) for cut in range(len(t) + 1))
        return bool(t) and g[0] in ("?", t[0]) and slow(g[1:], t[1:])

    assert glob_set([glob]).matches(text) == slow(glob, text)
