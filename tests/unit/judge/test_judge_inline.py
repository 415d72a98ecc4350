"""Code typed on a command line is told from a project's own program."""

from __future__ import annotations

import pytest

from agentguard.judge.inline import runs_inline_code


@pytest.mark.parametrize(
    "line",
    [
        "python -c x",
        "python3.12 -Ic x",
        "python -u -X dev -c x",
        "python -W ignore -c x",
        "python3 -",
        "python3",
        "node -e x",
        "node --eval=x",
        "node -r dotenv/config -p x",
        "bun -e x",
        "deno eval x",
        "ruby -e x",
        "ruby -rjson -ne x",
        "perl -pe x",
        "php -r x",
    ],
)
def test_inline(line: str) -> None:
    argv = line.split()
    assert runs_inline_code(argv[0], argv)


@pytest.mark.parametrize(
    "line",
    [
        "python app.py -c x",
        "python -m flask run -c x",
        "python -mflask -c",
        "python -X dev app.py",
        "node server.js -e production -p 3000",
        "node --env-file .env server.js",
        "node -r dotenv/config server.js",
        "deno run main.ts",
        "php -c php.ini artisan",
        "ruby -Ilib app.rb",
        "bash -c x",
        "cat -e .env",
        "pythonic -c x",
    ],
)
def test_not_inline(line: str) -> None:
    argv = line.split()
    assert not runs_inline_code(argv[0], argv)


def test_the_name_decides_not_the_first_word() -> None:
    assert runs_inline_code("python3.12", ("anything", "-c", "x"))
    assert not runs_inline_code("cat", ("python", "-c", "x"))
    assert runs_inline_code("python", ())
