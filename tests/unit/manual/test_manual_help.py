"""Help: each verb has examples that parse, exit statuses and a way on; it fits the terminal, and guesses."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable

import pytest

from agentguard.cli import VERBS, main, verb_parser
from agentguard.manual.pages import PAGES
from agentguard.manual.spec import commands, everything

Helped = Callable[..., str]


@pytest.fixture
def helped(capsys: pytest.CaptureFixture[str]) -> Helped:
    def call(*words: str) -> str:
        assert main([*words, "--help"]) == 0
        return capsys.readouterr().out

    return call


def test_every_verb_has_a_page_and_no_page_is_of_nothing() -> None:
    assert list(PAGES.keys() ^ VERBS.keys()) == []
    for verb, page in PAGES.items():
        assert 2 <= len(page.examples) <= 5, verb
        assert set(page.see) <= VERBS.keys() - {verb}, verb


@pytest.mark.parametrize(("verb", "line"), [(verb, line) for verb, page in PAGES.items() for line, _ in page.examples])
def test_an_example_is_a_command_line_that_works(verb: str, line: str) -> None:
    """It parses, as far as it is ours: what stands behind `>` or another `|` is not."""
    words = shlex.split(line, comments=True)
    start = words.index("agentguard")
    ours = words[start + 1 :]
    for mark in ("|", ">"):
        ours = ours[: ours.index(mark)] if mark in ours else ours
    if ours:
        assert ours[0] == verb
        verb_parser(verb).parse_args(ours[1:])


@pytest.mark.parametrize("columns", ["64", "80", "300"])
@pytest.mark.parametrize("verb", ["scan", "keys", "uninstall"])
def test_help_is_as_wide_as_the_terminal(
    helped: Helped, verb: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = helped(verb)
    prose = [
        line for line in text.splitlines() if not line.startswith("  agentguard") and "agentguard scan" not in line
    ]
    assert max(map(len, prose)) <= min(int(columns), 100)
    for part in ("examples:", "exit status:", "  130", "see also: agentguard "):
        assert part in text


def test_an_action_shows_its_own_examples(helped: Helped) -> None:
    text = helped("keys", "rotated")
    assert "agentguard keys rotated 7f3a91" in text
    assert "agentguard keys worklist" not in text
    assert "ACTION --help" in helped("keys")


def test_help_as_a_word(helped: Helped, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "run"]) == 0
    assert capsys.readouterr().out == helped("run")
    assert main(["help"]) == 0
    assert capsys.readouterr().out == helped()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evnts"], "there is no verb 'evnts'; did you mean events?"),
        (["help", "kyes"], "did you mean keys?"),
        (["qqqq"], "the verbs are status, run, watch"),
        (["events", "--formt", "json"], "unrecognized arguments: --formt json; did you mean --format?"),
        (["keys", "show", "7f", "--frmat=json"], "did you mean --format?"),
        (["keys", "shwo"], "did you mean show?"),
        (["report", "--format", "htlm"], "did you mean html?"),
        (["sessions", "--zzzzzz"], "unrecognized arguments: --zzzzzz; see `agentguard sessions --help`"),
    ],
)
def test_what_was_perhaps_meant(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("checker", [["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-ww", "-Tutf8"]])
def test_the_manual_page_is_sound(checker: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(checker[0]) is None:
        pytest.skip(f"{checker[0]} is not installed here")
    assert main(["man"]) == 0
    page = capsys.readouterr().out
    done = subprocess.run(checker, input=page, capture_output=True, text=True, check=False)
    complaints = done.stdout if checker[0] == "mandoc" else done.stderr
    assert [line for line in complaints.splitlines() if "missing date" not in line] == []


def test_the_manual_page_says_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man"]) == 0
    page = capsys.readouterr().out.replace("\\-", "-")
    for command in everything(commands()):
        assert " ".join(command.path) in page
        for option in command.options:
            assert option.names[0] in page or option.names[0] == "--help"
