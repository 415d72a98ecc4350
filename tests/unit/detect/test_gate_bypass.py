"""What goes round git's hooks, as git reads its command line, and what only looks like it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentguard.detect.gate_bypass import ENVIRONMENT, HOOKS_PATH, NO_VERIFY, PLUMBING, bypass, disabling_variables


@pytest.mark.parametrize(
    ("line", "how"),
    [
        ("git commit --no-verify -m x", NO_VERIFY),
        ("git commit -n -m x", NO_VERIFY),
        ("git commit -anm x", NO_VERIFY),
        ("git commit -m x -n", NO_VERIFY),
        ("git commit -m x --no-veri", NO_VERIFY),
        ("git -C /src -c user.name=x commit --amend --no-edit -n", NO_VERIFY),
        ("/usr/bin/git --git-dir .git commit -Sn -n", NO_VERIFY),
        ("/usr/lib/git-core/git-commit -n", NO_VERIFY),
        ("git push --no-verify origin main", NO_VERIFY),
        ("git merge --no-verify side", NO_VERIFY),
        ("git am -n x.patch", NO_VERIFY),
        ("git commit --author 'a <a@b>' -n", NO_VERIFY),
        ("git -c core.hooksPath=/dev/null commit -m x", HOOKS_PATH),
        ("git -c CORE.HOOKSPATH= commit -m x", HOOKS_PATH),
        ("git --config-env=core.hooksPath=X push", HOOKS_PATH),
        ("git --config-env core.hooksPath=X push", HOOKS_PATH),
        ("git config core.hooksPath /tmp/none", HOOKS_PATH),
        ("git config --global core.hookspath ''x", HOOKS_PATH),
        ("git config --unset core.hooksPath", HOOKS_PATH),
        ("git config unset core.hooksPath", HOOKS_PATH),
        ("git config set core.hooksPath /dev/null", HOOKS_PATH),
        ("git commit-tree 'HEAD^{tree}' -m x", PLUMBING),
        ("git update-ref refs/heads/main abc", PLUMBING),
        ("git fast-import", PLUMBING),
    ],
)
def test_round_the_hooks(line: str, how: str) -> None:
    assert bypass(shlex.split(line)) == how


@pytest.mark.parametrize(
    "line",
    [
        "git commit -m -n",
        "git commit -mn",
        "git commit -am 'no --no-verify'",
        "git commit --message --no-verify",
        "git commit -F -n",
        "git commit --no-verbose",
        "git commit -m x -- -n",
        "git commit -uno -m x",
        "git merge -n side",
        "git push -n",
        "git log -n 3",
        "git -c core.hooksPath=/dev/null diff --cached",
        "git config core.hooksPath",
        "git config --get core.hooksPath",
        "git config get core.hooksPath",
        "git config core.hooksPath .husky/_",
        "git config core.editor vi",
        "git update-ref refs/remotes/origin/main abc",
        "git",
        "git -C",
        "gitk -n",
        "grep -n commit",
        "hg commit -n",
    ],
)
def test_what_looks_like_it(line: str) -> None:
    assert bypass(shlex.split(line)) == ""


def test_nothing_at_all() -> None:
    assert bypass(()) == ""


def test_variables_that_switch_hooks_off() -> None:
    told = [
        ("HUSKY", "0"),
        ("SKIP", "ruff,agentguard-commit-msg"),
        ("GIT_CONFIG_KEY_3", "Core.HooksPath"),
        ("GIT_CONFIG_PARAMETERS", "'user.name'='secret' 'core.hooksPath'='/dev/null'"),
    ]
    shown = disabling_variables(
        [("PATH", "/bin"), *told, ("HUSKY", "1"), ("SKIP", "ruff"), ("GIT_CONFIG_KEY_0", "a.b")]
    )
    assert [one.partition("=")[0] for one in shown] == [name for name, _ in told]
    assert "secret" not in "".join(shown)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["-n", "--no-verify", "-m", "--", "-c", "commit", "git", "-am", "config", "x", ""])))
def test_any_words_can_be_asked(words: list[str]) -> None:
    assert bypass(["git", *words]) in ("", NO_VERIFY, HOOKS_PATH, PLUMBING, ENVIRONMENT)
