"""What was taken apart is put together: deltas of a stream, pieces in arrays, literals that are added, codes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from detect_support import example, scanner
from hypothesis import given, settings
from hypothesis import strategies as st
from value_support import made_up, secret_value
from value_support import scanner_with as scanner_over

from agentguard.detect.codes import FEWEST, codes, decode_codes
from agentguard.detect.native_loops import Loops
from agentguard.detect.pieces import MOST, MOST_GAP, NEAREST, join, join_pieces
from agentguard.detect.value_index import ValueIndex
from agentguard.native import build

SECRET = example("github-personal-token")
PASSWORD = made_up(31, 5, "_-")
SAID = f"Sure! The token is {SECRET} and the password {PASSWORD}, as far as I can see."
INDEX = ValueIndex()
INDEX.add([secret_value(PASSWORD)])
SCANNER = scanner_over(INDEX)

Pieces = list[str]


def events(payloads: list[object]) -> str:
    return "".join(f"event: delta\ndata: {json.dumps(payload)}\n\n" for payload in payloads)


def anthropic(pieces: Pieces) -> str:
    start = {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}
    deltas = [
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}} for text in pieces
    ]
    return events([start, *deltas])


def anthropic_tool_beside_text(pieces: Pieces) -> str:
    """Two blocks whose deltas take turns."""
    out: list[object] = []
    for piece in pieces:
        out.append({"index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}})
        out.append({"index": 1, "delta": {"type": "input_json_delta", "partial_json": "x"}})
    return events(out)


def openai(pieces: Pieces) -> str:
    return events([{"choices": [{"index": 0, "delta": {"content": text}}], "usage": None} for text in pieces])


def openai_tool_call(pieces: Pieces) -> str:
    calls = [{"tool_calls": [{"index": 0, "function": {"arguments": text}}]} for text in pieces]
    return events([{"choices": [{"index": 0, "delta": call}]} for call in calls])


def openai_responses(pieces: Pieces) -> str:
    return events([{"type": "x.delta", "output_index": 0, "delta": text, "sequence_number": 4} for text in pieces])


def gemini(pieces: Pieces) -> str:
    return events([{"candidates": [{"content": {"parts": [{"text": text}]}, "index": 0}]} for text in pieces])


def lines_of_json(pieces: Pieces) -> str:
    return "".join(json.dumps({"model": "m", "response": text, "done": False}) + "\n" for text in pieces)


def content_parts(pieces: Pieces) -> str:
    parts = [{"type": "text", "text": text} for text in pieces]
    return json.dumps({"messages": [{"role": "user", "content": parts}]}, indent=1)


def array(pieces: Pieces) -> str:
    return json.dumps({"args": pieces})


def array_over_lines(pieces: Pieces) -> str:
    return json.dumps({"args": pieces}, indent=2)


def added(pieces: Pieces) -> str:
    return "KEY = " + " + ".join(json.dumps(piece) for piece in pieces) + ";\n"


def side_by_side(pieces: Pieces) -> str:
    return "KEY = (\n" + "".join(f"    '{piece}'\n" for piece in pieces) + ")\n"


def array_in_single_quotes(pieces: Pieces) -> str:
    return f"parts = {pieces!r}"


FORMS: tuple[Callable[[Pieces], str], ...] = (
    anthropic,
    anthropic_tool_beside_text,
    openai,
    openai_tool_call,
    openai_responses,
    gemini,
    lines_of_json,
    content_parts,
    array,
    array_over_lines,
    added,
    side_by_side,
    array_in_single_quotes,
)


def cut(text: str, size: int) -> Pieces:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("echoed", [False, True], ids=["as it came", "echoed in JSON"])
@pytest.mark.parametrize("form", FORMS)
def test_text_in_pieces_is_put_together(form: Callable[[Pieces], str], echoed: bool) -> None:
    for size in (1, 3, 9, 26):
        body = form(cut(SAID, size))
        if echoed:
            body = json.dumps({"messages": [{"role": "tool", "content": body}]})
        found = {match.type for match in SCANNER.scan_body(body.encode()).matches}
        assert found == {"github-personal-token", "known-value"}, size


@pytest.mark.parametrize("before", [0, 5000, 100_000])
def test_every_place_of_one_cut(before: int) -> None:
    """In a message of any length: of a long string the ends count."""
    filler = ("It is as it was, and so on. " * (before // 28 + 1))[:before]
    for at in range(1, len(SECRET)):
        body = content_parts([f"{filler} the key: {SECRET[:at]}", f"{SECRET[at:]} {filler}"])
        assert [match.type for match in scanner().scan(body.encode())] == ["github-personal-token"]


def test_pieces_over_the_border_of_a_window() -> None:
    for shift in (0, 700, 1400):
        filler = json.dumps({"n": "x" * 60}) + "\n"
        start = filler * (((1 << 20) - shift) // len(filler))
        body = start + lines_of_json(cut(SAID, 12)) + filler * 3
        assert SECRET[:8] not in body
        found = {match.type for match in SCANNER.scan(body.encode())}
        assert found == {"github-personal-token", "known-value"}, shift


def listed(numbers: str, data: bytes) -> Iterator[str]:
    for join_with in (",", ", ", ",\n  "):
        yield join_with.join(numbers.format(byte) for byte in data)


def test_codes_in_a_list() -> None:
    for numbers in ("{}", "0x{:02x}", "0x{:02X}"):
        for text in listed(numbers, SAID.encode()):
            for form in (f"[{text}]", f"String.fromCharCode( {text} )", f'{{"type":"Buffer","data":[{text}]}}'):
                found = {match.type for match in SCANNER.scan(form.encode())}
                assert found == {"github-personal-token", "known-value"}


def test_numbers_are_no_text() -> None:
    for numbers in ([1, 2, 3] * 40, [200, 300, 65] * 20, [65] * (FEWEST - 1), [65, -1] * 20):
        assert decode_codes(json.dumps(numbers).encode()) == b""


def test_only_the_ends_of_a_long_string_count() -> None:
    text = "word " * 2000
    joined = join_pieces(content_parts([text, text]).encode())
    assert len(joined) < 3 * (NEAREST + MOST)
    assert b"word word word" in joined


def test_different_names_and_blocks_are_kept_apart() -> None:
    assert join_pieces(b'{"a": "x", "b": "y", "c": {"d": "z"}}') == b""
    assert join_pieces(b'{"index": 0, "t": "x"} {"index": 1, "t": "y"} {"index": 0, "t": "z"}') == b"xz "
    assert join_pieces(b'don\'t say "x"; it\'s "y"') == b""


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(b'"|\'|\\|\n| |:|,|+|a|index|"index":1|"t":"ab"|{|}|"x"|[|(|115|0x41|32, 33|,65'.split(b"|")),
        st.binary(max_size=9),
    ),
    max_size=40,
).map(b"".join)


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Loops:
    return Loops(str(build.build("views", tmp_path_factory.mktemp("native"))))


@pytest.mark.skipif(not build.compiler(), reason="no C compiler")
@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_the_loops_in_c_do_the_same(loops: Loops, data: bytes) -> None:
    for quote, (gap, nearest, most) in itertools.product((b'"', b"'"), ((MOST_GAP, NEAREST, MOST), (3, 1, 2))):
        assert loops.join(data, quote, gap, nearest, most) == join(data, quote, gap, nearest, most)
    for bracket in (b"[", b"("):
        assert loops.codes(data, bracket, 2) == codes(data, bracket, 2)


HOSTILE = (
    b'"' + b'\\"' * 300_000,
    b'"\n' * 300_000,
    b"\"'" * 300_000,
    b'"a":' * 150_000,
    b"[" * 600_000,
    b"[65," * 150_000,
)


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: data[:6].decode())
def test_hostile_text_takes_linear_time(data: bytes) -> None:
    """Half a megabyte is a matter of milliseconds; one that is looked at again and again would take minutes."""
    join_pieces(data)
    join(data[:60_000], b'"', MOST_GAP, NEAREST, MOST)
    decode_codes(data)
    codes(data[:60_000], b"[", FEWEST)
