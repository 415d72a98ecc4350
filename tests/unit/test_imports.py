"""Imports cost time and blur the house's rooms: proved here on the running program, beside import-linter's static look.

Each question is put to a fresh Python with nothing but the answer's modules in it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from agentguard.cli import VERBS

HEAVY = {"textual", "mitmproxy", "sqlite_utils", "hyperscan", "yaml"}
STAGES = ("sense", "attribute", "detect", "judge", "record")
ABOVE = {
    "show",
    "commands",
    "detection",
    "monitor",
    "proxy_child",
    "index_worker",
    "index_child",
    "notify_child",
    "cli",
}

UNKNOWN = {
    "sense": {"textual", "sqlite_utils"},
    "attribute": {"textual", "mitmproxy", "sqlite_utils"},
    "detect": {"textual", "mitmproxy", "sqlite_utils"},
    "judge": {"textual", "mitmproxy", "sqlite_utils"},
    "record": {"textual", "mitmproxy"},
    "detection": {"textual", "mitmproxy"},
    "monitor": {"textual", "mitmproxy"},
    "proxy_child": {"textual"},
    "index_worker": {"textual"},
    "show": {"textual", "mitmproxy"},
    "show.tui": {"mitmproxy"},
}
"""Libraries that a room does not load. (Where Textual is one of them, show stands for all of it but the dashboard.)"""

WALK = """
import importlib, pkgutil, sys
def walk(name):
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", []), name + "."):
        if not found.name.startswith(tuple(sys.argv[2:])) and not found.name.endswith(".__main__"):
            walk(found.name)
walk(sys.argv[1])
"""
"""Imports a package with all its modules; the further arguments name those to leave out."""


def loaded(code: str, *arguments: str) -> set[str]:
    """Names of all modules that a fresh Python has after running the code."""
    report = "\nimport sys\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code + report, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def rooms(modules: set[str]) -> set[str]:
    """Which parts of the house are among the modules: `detect` of `agentguard.detect.rules`."""
    return {name.split(".")[1] for name in modules if name.startswith("agentguard.")}


def test_the_command_line_loads_nothing_heavy() -> None:
    modules = loaded("import agentguard.cli; agentguard.cli.build_parser().format_help()")
    assert modules & HEAVY == set()
    assert rooms(modules) == {"cli", "errors", "standard_streams"}


def test_the_commit_hook_loads_nothing_heavy() -> None:
    modules = loaded("import agentguard.hooks.closed, agentguard.hooks.gate, agentguard.hooks.looking")
    assert modules & {*HEAVY, "sqlite3", "subprocess", "re2", "ahocorasick_rs", "argparse"} == set()
    assert rooms(modules) == {"hooks", "detect", "scan", "model", "errors"}


def test_every_module_can_be_imported() -> None:
    assert rooms(loaded(WALK, "agentguard")) > {*STAGES, *ABOVE}


def test_the_model_loads_nothing_but_itself() -> None:
    assert rooms(loaded(WALK, "agentguard.model")) <= {"model", "errors"}


@pytest.mark.parametrize(("room", "unknown"), UNKNOWN.items())
def test_a_room_loads_no_other_stage_and_no_library_of_others(room: str, unknown: set[str]) -> None:
    left_out = ["agentguard.show.tui"] if "textual" in unknown else []
    modules = loaded(WALK, f"agentguard.{room}", *left_out)
    assert modules & unknown == set()
    if room in STAGES:
        assert room in rooms(modules)
        assert rooms(modules) & ({*STAGES, *ABOVE} - {room}) == set()


def test_the_proxy_leaves_out_the_addons_that_it_does_not_use() -> None:
    modules = loaded("import agentguard.sense.proxy.child")
    assert "mitmproxy" in modules
    assert modules & {"flask", "ldap3", "mitmproxy.addons.onboarding"} == set()


def test_reading_the_record_does_not_load_what_writes_it() -> None:
    """sqlite-utils takes longer to import than most verbs take to answer."""
    assert "sqlite_utils" not in loaded("import agentguard.record.reader, agentguard.show.report.data")


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_comes_without_its_machinery(verb: str) -> None:
    code = f"""
import contextlib, io, sys
from agentguard.cli import main
shown = io.StringIO()
with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
    main(["{verb}", "--help"])
assert "usage: agentguard {verb}" in shown.getvalue()
"""
    assert loaded(code) & {"textual", "mitmproxy", "hyperscan"} == set()


def test_help_answers_at_once(repository: Path) -> None:
    """Processor time, so that a busy machine does not matter; the best of five, so that a cold cache does not."""
    seconds = min(_cpu_of([sys.executable, "-I", "-c", _main_of(repository)]) for _ in range(5))
    assert seconds < 0.3


def _main_of(repository: Path) -> str:
    return f"import sys; sys.path.insert(0, {str(repository)!r}); from agentguard.cli import main; main(['--help'])"


def _cpu_of(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Path(os.devnull).open("w") as nowhere:
        subprocess.run(command, check=False, stdout=nowhere)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
