"""Every command line of README.md and policies/README.md, run as it stands there.

In a project with a repository and a home with sessions, by a shell that finds `agentguard` on its PATH, and
stand-ins for the agent and for programs of others.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from harness import compiled_rules
from harness.documentation import (
    REPOSITORY,
    Line,
    longest_part,
    named_commands,
    texts_of_the_program,
    typed_lines,
    words_of,
)
from harness.repository import made_up_key, new_repository
from tui.tui_sample import fill

from agentguard.cli import VERBS, Parser

README = (REPOSITORY / "README.md").read_text()
ELSEWHERE = {
    r"^git clone ": "test_bootstrap makes a clone and starts it",
    r"agentguard uninstall --purge-data": "test_setup_install: nothing would be left for the lines that follow",
    r"agentguard events --follow --format ocsf": "test_cmd_events follows, test_ocsf reads what comes",
    r"agentguard run --dashboard": "test_run_dashboard, inside tmux",
    r"agentguard demo$": "test_demo",
    r"agentguard tui$": "test_tui_command, in a terminal",
    r"^\./scripts/test$": "this is what runs the tests",
    r"^\./scripts/bench$": "test_bench",
    r"^\./scripts/dashboard-picture": "test_tui_snapshots and test_report_browser look at what they draw",
    r"^\./scripts/coverage-page$": "evasion/test_page checks what it writes",
}
"""Lines that other tests run, by what they look like; a line that none of these fits is run here."""

STATUS = {
    r"agentguard scan$": 1,
    r"agentguard scan --staged": 1,
    r"agentguard scan --history": 1,
    r"kubectl .*\| agentguard scan": 1,
    r"agentguard check": 1,
}
"""The exit statuses that are not 0: something is found in the project, and the page says that it is 1 then."""


ASKS = (r"agentguard install$", r"agentguard uninstall$", r"agentguard purge --older-than \S+$")
"""Lines that ask a person, who says yes here."""


class Scene:
    """One project, one home and one PATH for all lines: what a line leaves behind is there for the next."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.guard = self.home / ".agentguard"
        fill(self.guard, live=False)
        compiled_rules.put_into(self.guard, ())
        self.bin = folder / "bin"
        self._programs()
        self.shop = new_repository(folder / "shop", self.home)
        self._project()
        self.meant = self._placeholders()

    def _programs(self) -> None:
        key = made_up_key(3)
        self.bin.mkdir()
        programs = {
            "agentguard": f'exec {shlex.quote(sys.executable)} -m agentguard "$@"',
            "claude": "cat .env >/dev/null",
            "codex": "",
            "kubectl": f"echo token: {key}",
        }
        for name, text in programs.items():
            path = self.bin / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    def _project(self) -> None:
        self.shop.stage("pay.py", f"key = '{made_up_key(1)}'\n")
        self.shop.commit()
        self.shop.stage("send.py", f"key = '{made_up_key(2)}'\n")
        (self.shop.top / ".env").write_text(f"GITHUB_TOKEN={made_up_key(4)}\n")
        (self.shop.top / "rules.yaml").write_text((REPOSITORY / "policies/strict.yaml").read_text())
        (self.shop.top / ".agentguard.yaml").write_text("version: 1\nrules: []\n")

    def _placeholders(self) -> dict[str, str]:
        """What a reader puts for the words of a page."""
        (newest,) = self._json("events", "--session", "last", "--format", "json", "--limit", "1")
        older = str(self._json("sessions", "--format", "json")[-1]["uid"])
        key = self._json("keys", "--format", "json")["credentials"][0]["fingerprint"]
        return {"UID": str(newest["uid"]), "FILE": "rules.yaml", "7f3a91c2": str(key)[:8], "0198c2": older}

    def _json(self, *words: str) -> list[dict[str, object]]:
        done = self.run(shlex.join(["agentguard", *words]))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "AGENTGUARD_HOME": str(self.guard),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.shop.top,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_command_line_does_what_the_page_says(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    ran = 0
    for line in typed_lines():
        if any(re.search(pattern, line.text) for pattern in ELSEWHERE):
            continue
        done = scene.run(_meant(line.text, scene))
        want = next((status for pattern, status in STATUS.items() if re.search(pattern, line.text)), 0)
        assert done.returncode == want, f"{line}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr, line
        ran += 1
    assert ran > 20, "the pages hold their command lines in another form now"


def test_each_exception_is_one_of_a_line() -> None:
    texts = [line.text for line in typed_lines()]
    assert not [pattern for pattern in (*ELSEWHERE, *STATUS) if not any(re.search(pattern, text) for text in texts)]


def test_the_table_of_verbs_names_each() -> None:
    table = README[README.index("## The verbs") : README.index("**Exit status.**")]
    assert not [verb for verb in VERBS if f"`{verb}`" not in table and f"`{verb} " not in table]


@pytest.mark.parametrize("line", named_commands(), ids=str)
def test_a_command_that_is_named_exists(line: Line) -> None:
    verb, *options = words_of(line.text)
    if verb == "help":  # `help VERB` is `VERB --help`.
        return
    assert verb in VERBS
    known = _options(verb)
    assert not [word for word in options if word.startswith("-") and word.partition("=")[0] not in known]


def test_what_the_troubleshooting_quotes_is_said_by_the_program() -> None:
    said = "\n".join(texts_of_the_program())
    table = README[README.index("| it says |") : README.index("## Security model")]
    quoted = [text for row in table.splitlines()[2:] for text in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(quoted) > 20
    assert not [text for text in quoted if longest_part(text) not in said]


def _meant(text: str, scene: Scene) -> str:
    for placeholder, value in scene.meant.items():
        text = re.sub(rf"\b{placeholder}\b", value, text)
    if any(re.search(pattern, text) for pattern in ASKS):
        text += " --yes"
    return text.replace("./scripts/agentguard", "agentguard")


def _options(verb: str) -> set[str]:
    parser = Parser(prog=verb)
    importlib.import_module(f"agentguard.commands.{verb}").add_arguments(parser)
    return set(_option_strings(parser)) | {"--home", "--help"}


def _option_strings(parser: argparse.ArgumentParser) -> list[str]:
    found: list[str] = []
    for action in parser._actions:
        found += action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                found += _option_strings(each)
    return found
