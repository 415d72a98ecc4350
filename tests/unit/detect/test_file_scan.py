"""A credential is found in a file in whatever form it stands there, and its line and column are those of the file."""

from __future__ import annotations

import base64
import json

import pytest
from detect_support import FINGERPRINTER, Values, example, scanner

from agentguard.detect.engine import build_engine
from agentguard.detect.file_scan import FileScanner
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.model.at_rest import SecretAtRest
from agentguard.model.verdict import Severity
from agentguard.paths import policies_dir

TOKEN = example("github-personal-token").encode()


def scan(data: bytes) -> list[SecretAtRest]:
    return FileScanner(scanner()).scan("src/x.py", data)


def place(data: bytes) -> tuple[int, int, tuple[str, ...]]:
    (secret,) = scan(data)
    assert secret.match.type == "github-personal-token"
    assert secret.path == "src/x.py"
    return secret.line, secret.column, secret.match.encoding


def test_line_and_column_are_those_of_its_first_character() -> None:
    assert place(b"import os\n\nkey = '" + TOKEN + b"'\n") == (3, 8, ())


def test_the_same_value_at_two_places_is_told_twice() -> None:
    first, second = scan(TOKEN + b"\n  " + TOKEN + b"\n")
    assert (first.line, first.column) == (1, 1)
    assert (second.line, second.column) == (2, 3)
    assert first.match.fingerprint == second.match.fingerprint


def test_behind_an_escape_it_stands_where_it_stands_in_the_file() -> None:
    line, column, _ = place(json.dumps({"a": "one\n" + TOKEN.decode()}, indent=1).encode())
    assert (line, column) == (2, 13)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, lambda value: value.hex().encode()])
def test_an_encoded_one_has_the_line_of_its_run(encode: object) -> None:
    line, _, encoding = place(b"a\nb\nkey: " + encode(b"user name:" + TOKEN + b":more") + b"\n")  # type: ignore[operator]
    assert line == 3
    assert encoding


def test_one_in_many_lines_of_base64_has_the_first_line_it_needs() -> None:
    text = b"head\nkey: |\n" + base64.encodebytes(b"plain words " * 20 + TOKEN + b" plain words" * 20) + b"end\n"
    line, _, encoding = place(text)
    assert encoding == ("base64",)
    assert 3 < line < 12


def test_utf_16_has_the_lines_of_its_text() -> None:
    assert place(("a\nb\n  " + TOKEN.decode() + "\n").encode("utf-16")) == (3, 3, ("utf-16",))


def test_a_binary_file_has_no_lines() -> None:
    assert place(b"\0\1\2\n\n" + TOKEN + b"\n")[:2] == (0, 0)
    assert place(b"\0\1\2" + b"key " + TOKEN.decode().encode("utf-16-le"))[:2] == (0, 0)


@pytest.mark.parametrize("comment", [b"# agentguard:allow", b"// gitleaks:allow"])
def test_a_comment_on_its_line_allows_it_and_no_other(comment: bytes) -> None:
    finds = FileScanner(scanner()).find("x.py", b"a = " + TOKEN + b"  " + comment + b"\nb = " + TOKEN + b"\n")
    assert [(placed.line, placed.allowed) for placed in finds.placed] == [(1, True), (2, False)]


def test_a_public_key_is_a_remark_and_a_wrong_checksum_hardly_a_key() -> None:
    wrong = TOKEN[:-1] + (b"a" if TOKEN[-1:] != b"a" else b"b")
    assert [secret.severity for secret in scan(wrong)] == [Severity.LOW]
    public = example(next(kind.id for kind in scanner().types if kind.public))
    assert [secret.severity for secret in scan(public.encode())] == [Severity.INFO]


def test_a_long_file_is_looked_through_to_its_end() -> None:
    lines = b"plain words in a line\n" * 60_000
    hidden = base64.b64encode(b"user name:" + TOKEN)
    assert [secret.line for secret in scan(lines + TOKEN + b"\n" + hidden + b"\n")] == [60_001]
    assert [secret.line for secret in scan(lines + hidden + b"\n" + lines)] == [60_001]


def test_a_lock_file_holds_hashes_and_no_passwords() -> None:
    types = load_types(policies_dir() / "secrets.yaml", at_rest=True)
    files = FileScanner(Scanner(types, build_engine(types, prefer="ahocorasick"), FINGERPRINTER, Values()))
    text = b"pass" + b"word = 'tR9x-Kq2mVz7Lw'\nother = '" + TOKEN + b"'\n"
    assert len(files.scan("app.toml", text)) == 2
    assert [secret.match.type for secret in files.scan("x/poetry.lock", text)] == ["github-personal-token"]


def test_a_notebook_names_the_cell() -> None:
    text = TOKEN.decode()
    cells = [
        {"cell_type": "markdown", "source": ['# A title with "cell_type": in it\n']},
        {"cell_type": "code", "outputs": [{"text": [f"key {text}\n"]}], "source": ["print(key)\n"]},
        {"cell_type": "code", "outputs": [], "source": [f"key = '{text}'\n"]},
    ]
    notebook = json.dumps({"cells": cells, "nbformat": 4}, indent=1, sort_keys=True).encode()
    finds = FileScanner(scanner()).scan("a/work.ipynb", notebook)
    assert [secret.match.place for secret in finds] == ["cell 2 output", "cell 3 source"]
    assert [secret.match.place for secret in FileScanner(scanner()).scan("a/work.json", notebook)] == ["file"] * 2
