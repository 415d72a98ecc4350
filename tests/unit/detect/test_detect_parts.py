"""Of a text with few codes only what lies around them is decoded and looked at again."""

from __future__ import annotations

import random

import pytest
from detect_support import example, scanner, types
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import made_up

from agentguard.detect import decode
from agentguard.detect.decode import Views
from agentguard.detect.parts import CUT, REACH, resolve_parts

CODERS = dict(decode._TEXT_DECODERS)
KEY = example("gitlab-personal-token")
TEXTS = st.lists(
    st.one_of(
        st.sampled_from([b"\\n", b"\\u0041", b"%41", b"%2541", b"%", b"\x1b[1m", b"\n", b" ", b"=", b'"', CUT]),
        st.sampled_from([0, 1, 30, REACH - 40, REACH, 2 * REACH + 9]).map(lambda count: b"words and " * (count // 10)),
        st.sampled_from([100, REACH, 3 * REACH]).map(lambda count: b"word" * (count // 4)),
    ),
    max_size=10,
).map(b"".join)


@pytest.mark.parametrize("coding", CODERS)
@settings(max_examples=50, deadline=None)
@given(text=TEXTS)
def test_the_whole_is_as_if_it_were_decoded_at_once(coding: str, text: bytes) -> None:
    codes = CODERS[coding]
    resolved = resolve_parts(text, codes)
    at_once = codes.resolve(text)
    assert (resolved.whole if resolved else text) == (text if at_once is None else at_once)
    if resolved is not None and resolved.changed is not resolved.whole:
        assert len(resolved.changed) < len(text)
        assert all(part in resolved.whole for part in resolved.changed.split(CUT))


def test_a_program_with_one_code_is_not_looked_at_twice() -> None:
    text = b"a line of a program, and so on\n" * 10_000
    views = {view.encoding: view for view in Views(text + b"'\\n'\n" + text)}
    changed = views[("json",)].data
    assert b"'\n'\n" in changed
    assert 2 * REACH < len(changed) < 3 * REACH


@pytest.mark.parametrize("before", [0, 1, REACH // 2, REACH - 60])
@pytest.mark.parametrize(("plain", "code"), [("-", "\\u002d"), ("-", "%2D"), ("-", "\x1b[0m-")])
def test_a_key_with_a_code_in_it_is_found_at_every_distance_from_another(plain: str, code: str, before: int) -> None:
    coded = KEY.replace(plain, code, 1).encode()
    filler = b"some text of no interest\n" * 1000
    text = filler + code.encode() + b" " + b"." * before + b" " + coded + b"\n" + filler
    assert [match.type for match in scanner().scan(text)] == ["gitlab-personal-token"]


def test_what_a_cut_shortens_is_no_other_key() -> None:
    """A token of any length, whole in the text, lies over the end of the part around a code."""
    source = random.Random(1)
    long = next(kind for kind in types() if kind.id == "github-app-installation-token").id
    token = example(long).encode()
    filler = b"some text of no interest\n" * 1000
    for distance in range(REACH - len(token) - 8, REACH + 8, 7):
        gap = bytes(source.choice(b"abc \n") for _ in range(distance))
        found = scanner().scan(filler + b"\\n" + gap + b" " + token + b" " + filler)
        assert [match.type for match in found] == [long], distance


def test_what_lies_hidden_over_a_cut_is_no_other_key() -> None:
    """UTF-16 takes twice the bytes: a part around a code in its first line ends within a long key."""
    lines = "\n".join(made_up(64, seed) for seed in range(40))
    label = "PRIVATE " + "KEY-----"
    key = f"-----BEGIN RSA {label}\n{lines}\n-----END RSA {label}\n"
    text = b"words and more\n" * 1000 + b"\\u0041\n" + key.encode("utf-16-le") + b"\nwords and more" * 1000
    assert len(scanner().scan(text)) == 1
