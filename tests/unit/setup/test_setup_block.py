"""Our lines in a file of the user's: whatever it holds, it is the same afterwards."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agentguard.setup.block import has_block, with_block, without_block
from agentguard.setup.shells import own_meaning

LINES = ["# a note", "alias claude='agentguard run -- claude'"]
MARKS = [b"# >>> agentguard >>>", b"# <<< agentguard <<<"]
START_FILES = st.lists(
    st.sampled_from([b"export A=1", b"", b"\n", b"\r\n", b"\xff\x00", b"# >>> conda >>>", b" ", *MARKS])
).map(b"".join)


@given(text=START_FILES | st.binary(max_size=40), later=START_FILES)
def test_it_is_taken_out_without_a_trace(text: bytes, later: bytes) -> None:
    assume(not has_block(text + b"\n" + later))
    put = with_block(text, LINES)
    assert has_block(put)
    assert without_block(put) == text
    assert with_block(put, LINES) == put
    assert without_block(with_block(put, ["other"])) == text
    written_below = b"" if not later else (b"\n" if text and not text.endswith(b"\n") else b"")
    assert without_block(put + later) == text + written_below + later


def test_a_block_that_was_copied_goes_too() -> None:
    put = with_block(b"one\n", LINES)
    assert without_block(put + b"two\n" + put[4:]) == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (b"alias claude='claude --verbose'", True),
        (b"  alias -g claude=x", True),
        (b"claude() { :; }", True),
        (b"function claude {", True),
        (b"alias claude 'x'", True),
        (b"# alias claude=x", False),
        (b"alias claude-next=x", False),
        (b"export PATH=/opt/claude", False),
        (b"claude --version", False),
    ],
)
def test_what_the_user_made_of_a_name_is_noticed(text: bytes, taken: bool) -> None:
    assert own_meaning(b"first\n" + text + b"\n", "claude") is taken
