"""`agentguard doctor` says what `run` would refuse. (What it proves live is in the e2e tests.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from agentguard.commands import doctor


def states(home: Path) -> dict[str, tuple[str, str]]:
    checks = [*doctor._home(str(home)), *doctor._policy(str(home))]
    return {check.name: (check.state, check.detail) for check in checks}


def test_a_new_home_is_fine(tmp_path: Path) -> None:
    assert {state for state, _ in states(tmp_path / "home").values()} == {"ok"}


@pytest.mark.parametrize(
    ("name", "content", "check", "said"),
    [
        ("agentguard.db", "no database at all, and long enough to be looked at", "home", "not a database"),
        ("chain.key", "zz", "home", "damaged"),
        ("policy.yaml", "rules: 3", "policy", "policy.yaml:1"),
    ],
)
def test_what_is_broken_is_bad(tmp_path: Path, name: str, content: str, check: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    state, detail = states(tmp_path)[check]
    assert state == "bad"
    assert said in detail
