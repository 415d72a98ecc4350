"""A text that counts as plain holds nothing that the gate's look would find; and ordinary messages are plain."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from harness.repository import made_up_key
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.confirm import users_of
from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.locator import Locator
from agentguard.detect.rules import load_types
from agentguard.detect.templates import expand
from agentguard.hooks.plain import LONGEST, is_plain, passes, sieve_of
from agentguard.hooks.scripts import Program
from agentguard.paths import policies_dir

if TYPE_CHECKING:
    from agentguard.hooks.plain import Sieve

KEY = made_up_key(4)
LINE = f"token = {KEY}\n"
BELOW = """
# Please enter the commit message for your changes. Lines starting
# with '#' will be ignored, and an empty message aborts the commit.
#
# Author:    Ada Lovelace <ada@example.org>
# Date:      Mon Mar 2 10:31:58 2026 +0100
#
# On branch token-refresh
# Your branch is ahead of 'origin/token-refresh' by 2 commits.
#   (use "git push" to publish your local commits)
#
# Changes to be committed:
#\tnew file:   services/billing/src/password_reset.py
#\tmodified:   services/billing/src/keys_and_secrets.py
#
"""


@cache
def types():  # type: ignore[no-untyped-def]
    return load_types(policies_dir() / "secrets.yaml", at_rest=True)


@cache
def sieve() -> Sieve:
    return sieve_of(types(), users_of(types()))


@cache
def scanner() -> FileScanner:
    return FileScanner(Locator(types(), build_engine(types(), prefer="ahocorasick"), Fingerprinter(bytes(32))))


def test_no_example_of_any_type_is_plain() -> None:
    """Whatever stands around it: a message, and what git writes below it."""
    held = [
        (kind.id, template)
        for kind in types()
        for template in kind.examples.match
        if passes(f"Take the new one\n\n{expand(template, kind.id)}\n{BELOW}".encode(), sieve())
    ]
    assert held == []


@pytest.mark.parametrize(
    "hide",
    [
        lambda text: text,
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.encodebytes(text.encode() * 3).decode(),
        lambda text: base64.b32encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
        lambda text: quote(text, safe="").replace("h", "%68"),
        lambda text: "".join(rf"\u{ord(char):04x}" for char in text),
        lambda text: text[:9] + "\x1b[1m" + text[9:],
        lambda text: text.encode("utf-16").decode("latin-1"),
        lambda text: text.encode("utf-16-le").decode("latin-1"),
    ],
)
def test_nothing_that_is_decoded_before_it_is_looked_at_is_plain(hide: Callable[[str], str]) -> None:
    assert not passes(f"A change\n\n{hide(LINE)}\n".encode("latin-1"), sieve())
    assert not passes(hide(LINE).encode("latin-1"), sieve())


@pytest.mark.parametrize(
    "message",
    [
        "a change",
        "Keep the API key out of the log\n\nThe token (see #412) was written by `auth.login()`; fixes 3 tests.",
    ],
)
def test_an_ordinary_message_is_plain_with_what_an_editor_shows_below_it(program: Program, message: str) -> None:
    assert is_plain(f"{message}\n{BELOW}".encode(), program.home)


def test_where_the_types_are_not_compiled_and_of_a_long_text_nothing_is_said(
    program: Program, tmp_path: object
) -> None:
    assert not is_plain(b"a change\n", str(tmp_path))
    assert not is_plain(b"a change\n" * (LONGEST // 8), program.home)


PIECES = st.one_of(
    st.deferred(lambda: st.sampled_from([word for kind in types() for word in kind.keywords])),
    st.sampled_from(["password", "API_KEY", "token", "secret", "https://", "--user", "curl -u", "Bearer", "Basic"]),
    st.sampled_from([" ", "\n", "=", ": ", " = ", '"', "'", "/", ".", "-", "_", "@", ":", "# "]),
    st.from_regex(r"[A-Za-z0-9+/_-]{1,44}", fullmatch=True),
    st.from_regex(r"[0-9a-f]{8,40}", fullmatch=True),
    st.from_regex(r"[a-zäé#!$]{3,14}[0-9]{0,4}", fullmatch=True),
    st.text(max_size=6),
)


@settings(max_examples=250, deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=14))
def test_in_what_is_plain_the_look_finds_nothing(pieces: list[str]) -> None:
    text = "".join(pieces).encode("utf-8", "surrogateescape")
    if passes(text, sieve()):
        assert not scanner().scan("message", text)
