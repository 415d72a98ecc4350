"""Installing beside what is there, and leaving no trace: real repositories, real hooks of others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from harness.repository import Repository, made_up_key, new_repository
from schema_check import faults

from agentguard.cli import main
from agentguard.errors import ConfigError
from agentguard.hooks.install import install, uninstall
from agentguard.hooks.place import HOOKS, PlaceKind, find_place
from agentguard.hooks.program import problem_of
from agentguard.hooks.scripts import BEFORE, Program, own_hook, program_of
from agentguard.hooks.status import HookState, status, watched_files

LINE = f"token = '{made_up_key()}'\n"
THEIRS = '#!/bin/sh\necho "theirs $(basename "$0")" >>"$LOG"\n'


def states(repository: Repository) -> list[HookState]:
    return [one.state for one in status(find_place(repository.top))]


def put_hook(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def trace(folder: Path) -> dict[str, tuple[str, int]]:
    """Every file below, with its text and its mode."""
    return {
        str(path.relative_to(folder)): (path.read_text(), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_stood_there_is_run_first_and_comes_back(bare: Repository, program: Program, tmp_path: Path) -> None:
    hooks, log = bare.top / ".git" / "hooks", tmp_path / "log"
    for name in (*HOOKS, "post-commit"):
        put_hook(hooks / name, THEIRS)
    (hooks / "target").write_text(THEIRS)
    (hooks / "target").chmod(0o755)
    (hooks / "commit-msg").unlink()
    (hooks / "commit-msg").symlink_to("target")
    before = trace(hooks)
    bare.guard(program)
    bare.stage("a.py", "a = 1\n")
    assert bare.commit(LOG=str(log)).returncode == 0
    assert log.read_text().split("\n")[:3] == [
        "theirs pre-commit" + BEFORE,
        "theirs commit-msg" + BEFORE,
        "theirs post-commit",
    ]
    bare.stage("a.py", LINE)
    assert bare.commit(LOG=str(log)).returncode == 1
    put_hook(hooks / ("pre-commit" + BEFORE), "#!/bin/sh\nexit 7\n")
    bare.stage("a.py", "a = 2\n")
    assert bare.commit().returncode == 1
    put_hook(hooks / ("pre-commit" + BEFORE), THEIRS)
    assert install(find_place(bare.top), program) == []
    uninstall(find_place(bare.top))
    assert trace(hooks) == before
    assert (hooks / "commit-msg").is_symlink()
    assert uninstall(find_place(bare.top)) == []


def test_a_push_hook_of_others_hears_what_ours_hears(bare: Repository, program: Program, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    put_hook(bare.top / ".git/hooks/pre-push", f'#!/bin/sh\nprintf "%s\\n" "$1" >"{heard}"\ncat >>"{heard}"\n')
    bare.git("init", "--quiet", "--bare", str(tmp_path / "there.git"))
    bare.guard(program)
    bare.stage("a.py", "a = 1\n")
    bare.commit()
    bare.git("push", str(tmp_path / "there.git"), "main")
    commit = bare.git("rev-parse", "HEAD").stdout.strip()
    assert heard.read_text() == f"{tmp_path}/there.git\nrefs/heads/main {commit} refs/heads/main {'0' * 40}\n"


def test_hooks_in_the_work_tree_get_lines_that_name_no_machine(
    bare: Repository, program: Program, tmp_path: Path
) -> None:
    bare.git("config", "core.hooksPath", ".githooks")
    shell = put_hook(bare.top / ".githooks/pre-commit", "#!/usr/bin/env bash\nset -e\necho theirs >&2\nexit 0\n", 0o755)
    other = put_hook(bare.top / ".githooks/commit-msg", "#!/usr/bin/env python3\nprint('theirs')\n")
    before = trace(bare.top / ".githooks")
    bare.guard(program)
    place = find_place(bare.top)
    assert place.kind is PlaceKind.TREE
    assert states(bare) == [HookState.INSTALLED] * 3
    for hook in HOOKS:
        assert program.home not in place.hook(hook).read_text()
        assert program.python not in place.hook(hook).read_text()
    assert shell.read_text().startswith("#!/usr/bin/env bash\n# >>> agentguard")
    bare.git("add", ".githooks")
    assert bare.commit("the hooks").returncode == 0
    bare.stage("a.py", LINE)
    assert bare.commit().returncode == 1
    assert bare.git("commit", check=False, GIT_EDITOR="sed -i 1s/^/words/").returncode == 1
    second = Repository(tmp_path / "second", bare.home)
    bare.git("worktree", "add", "--quiet", str(second.top))
    second.git("rm", "--quiet", ".githooks/commit-msg")
    second.stage("b.py", LINE)
    assert second.commit().returncode == 1
    clone = Repository(tmp_path / "clone", bare.home)
    bare.git("clone", "--quiet", str(bare.top), str(clone.top))
    clone.git("config", "core.hooksPath", ".githooks")
    clone.stage("a.py", "a = 1\n")
    done = clone.commit()
    assert done.returncode == 0
    assert "no gate in this clone" in done.stderr
    install(place, program)
    uninstall(place)
    assert trace(bare.top / ".githooks") == before
    assert other.read_text().endswith("print('theirs')\n")
    assert not place.launcher.parent.exists()


def test_the_push_hook_in_the_work_tree_leaves_its_input_to_the_rest(
    bare: Repository, program: Program, tmp_path: Path
) -> None:
    bare.git("config", "core.hooksPath", ".githooks")
    put_hook(bare.top / ".githooks/pre-push", f'#!/bin/sh\ncat >"{tmp_path}/heard"\n')
    bare.git("init", "--quiet", "--bare", str(tmp_path / "there.git"))
    bare.stage("a.py", LINE)
    bare.commit()
    bare.guard(program)
    assert "push stopped" in bare.git("push", str(tmp_path / "there.git"), "main", check=False).stderr
    assert not (tmp_path / "heard").exists()
    bare.stage("a.py", "a = 1\n")
    bare.git("commit", "--quiet", "--amend", "--no-edit")
    bare.git("push", str(tmp_path / "there.git"), "main")
    assert (tmp_path / "heard").read_text().startswith("refs/heads/main ")


HUSKY = """#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
[ "${HUSKY-}" = "0" ] && exit 0
sh -e "$s" "$@"
"""
"""What husky 9 has git run: the script of the same name in the folder above, by `sh -e`."""


def test_with_husky_the_scripts_of_the_project_are_used(bare: Repository, program: Program) -> None:
    bare.git("config", "core.hooksPath", ".husky/_")
    for hook in HOOKS:
        put_hook(bare.top / ".husky/_" / hook, HUSKY)
    mine = put_hook(bare.top / ".husky/pre-commit", "echo tests ran >&2\n", 0o644)
    bare.guard(program)
    assert states(bare) == [HookState.INSTALLED] * 3
    bare.stage("a.py", LINE)
    assert bare.commit().returncode == 1
    bare.stage("a.py", "a = 1\n")
    assert "tests ran" in bare.commit().stderr
    uninstall(find_place(bare.top))
    assert mine.read_text() == "echo tests ran >&2\n"
    assert sorted(path.name for path in (bare.top / ".husky").iterdir()) == ["_", "pre-commit"]


def test_a_folder_of_hooks_for_all_repositories_is_used_and_named(
    bare: Repository, program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.git("config", "--global", "core.hooksPath", str(tmp_path / "all hooks"))
    bare.guard(program)
    assert find_place(bare.top).kind is PlaceKind.SHARED
    bare.stage("a.py", LINE)
    assert bare.commit().returncode == 1
    assert main(["hook", "status", "git", "--repository", str(bare.top)]) == 0
    assert "hooks of every repository that uses it" in capsys.readouterr().out
    bare.git("config", "--global", "core.hooksPath", "/dev/null")
    with pytest.raises(ConfigError, match="/dev/null"):
        find_place(bare.top)


FRAMEWORK = """#!/bin/sh
echo "framework ran" >&2
PRE_COMMIT_RUNNING_LEGACY=1 "${0%/*}/pre-commit.legacy" "$@"
"""
"""What the pre-commit framework does once it has been installed over another hook."""


def test_the_framework_over_the_gate_runs_it_and_the_gate_over_the_framework_does_not_run_in_circles(
    guarded: Repository, program: Program
) -> None:
    hooks = guarded.top / ".git" / "hooks"
    ours = (hooks / "pre-commit").read_text()
    (hooks / "pre-commit").rename(hooks / "pre-commit.legacy")
    put_hook(hooks / "pre-commit", FRAMEWORK)
    assert states(guarded) == [HookState.INSTALLED] * 3
    assert hooks / "pre-commit" in watched_files(find_place(guarded.top))
    assert install(find_place(guarded.top), program) == []
    guarded.stage("a.py", LINE)
    assert guarded.git("hook", "run", "pre-commit", check=False).returncode == 1
    put_hook(hooks / ("pre-commit" + BEFORE), FRAMEWORK)
    guarded.stage("a.py", "a = 1\n")
    assert guarded.git("hook", "run", "pre-commit").stderr.count("framework ran") == 1
    assert (hooks / "pre-commit.legacy").read_text() == ours
    (hooks / ("pre-commit" + BEFORE)).unlink()
    uninstall(find_place(guarded.top))
    assert {path.name for path in hooks.iterdir() if not path.name.endswith(".sample")} == {"pre-commit"}


def test_status_tells_what_is_wrong_with_a_hook(guarded: Repository, program: Program) -> None:
    hooks = guarded.top / ".git" / "hooks"
    assert states(guarded) == [HookState.INSTALLED] * 3
    assert watched_files(find_place(guarded.top)) == [hooks / hook for hook in HOOKS]
    (hooks / "pre-commit").chmod(0o644)
    (hooks / "commit-msg").write_text((hooks / "commit-msg").read_text().replace("exit 1", "exit 0"))
    (hooks / "pre-push").unlink()
    assert states(guarded) == [HookState.NOT_EXECUTABLE, HookState.EDITED, HookState.MISSING]
    put_hook(hooks / "pre-push", THEIRS)
    with pytest.raises(ConfigError, match="commit-msg was edited"):
        uninstall(find_place(guarded.top))
    assert states(guarded)[2] is HookState.FOREIGN
    uninstall(find_place(guarded.top), even_changed=True)
    assert states(guarded) == [HookState.MISSING, HookState.MISSING, HookState.FOREIGN]
    put_hook(hooks / ("pre-push" + BEFORE), THEIRS)
    with pytest.raises(ConfigError, match="keep one of them"):
        guarded.guard(program)


def test_a_gate_without_its_program_stops_and_says_how_to_go_on(bare: Repository, program: Program) -> None:
    bare.guard(replace(program, python="/nowhere/python"))
    assert states(bare) == [HookState.NO_PROGRAM] * 3
    bare.stage("a.py", "a = 1\n")
    done = bare.commit()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "agentguard hook install git" in done.stderr


def test_a_gate_that_starts_another_program_does_not_count_as_one_and_is_not_started(
    bare: Repository, program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lax = put_hook(tmp_path / "lax.py", f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(1)\n")
    bare.guard(replace(program, start=str(lax)))
    assert main(["hook", "status", "git", "--repository", str(bare.top)]) == 1
    assert f"{lax}, which is not this AgentGuard" in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


def test_a_gate_that_lets_a_key_pass_does_not_work(program: Program, tmp_path: Path) -> None:
    lax = put_hook(tmp_path / "lax.py", "raise SystemExit(0)\n")
    assert problem_of(program) == ""
    assert problem_of(replace(program, start=str(lax))) == "a made-up key passed (status 0)"


@pytest.mark.parametrize("odd", ["/a b/py", "/it's/$HOME/`x`", '/"quoted"\\', "/ä=1;#", ""])
def test_what_a_hook_starts_can_be_read_from_it(odd: str) -> None:
    program = Program(python=odd, start=odd, home=odd, packages=odd, command=odd)
    for hook in HOOKS:
        assert program_of(own_hook(hook, program)) == program


def test_a_gate_that_cannot_look_stops_with_one_line_of_its_own(guarded: Repository) -> None:
    guarded.stage("a.bin", b"\0 something")
    blob = guarded.git("rev-parse", ":a.bin").stdout.strip()
    (guarded.top / ".git/objects" / blob[:2] / blob[2:]).unlink()
    before = guarded.git("rev-parse", "--verify", "HEAD", check=False).stdout
    done = guarded.git("hook", "run", "pre-commit", check=False)
    assert done.returncode != 0
    ours = [line for line in done.stderr.splitlines() if line.startswith("agentguard: ")]
    assert len(ours) == 1
    assert "pre-commit was stopped" in ours[0]
    assert "Traceback" not in done.stderr
    assert guarded.git("rev-parse", "--verify", "HEAD", check=False).stdout == before


def test_the_commands(
    bare: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = new_repository(tmp_path / "inner", bare.home)
    inner.stage("lib.py", "lib = 1\n")
    inner.commit()
    bare.git("submodule", "--quiet", "add", str(inner.top), "lib")
    monkeypatch.chdir(bare.top)
    assert main(["hook", "status", "git"]) == 1
    assert "✕ pre-commit" in capsys.readouterr().out
    assert main(["hook", "install", "git", "--recurse-submodules"]) == 0
    assert "pre-push written" in capsys.readouterr().out
    assert main(["hook", "status", "git", "--recurse-submodules", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert faults(said, "hook-status") == []
    found = said["repositories"]
    assert [one["kind"] for one in found] == ["repository", "repository"]
    assert {hook["state"] for one in found for hook in one["hooks"]} == {"installed"}
    assert [one["problem"] for one in found] == [None, None]
    assert main(["hook", "status", "git"]) == 0
    assert "✓ proved: a made-up key was stopped" in capsys.readouterr().out
    bare.stage("a.py", LINE)
    assert main(["hook", "run", "pre-commit"]) == 1
    assert "a.py:1" in capsys.readouterr().err
    assert main(["hook", "uninstall", "git", "--recurse-submodules"]) == 0
    assert main(["hook", "run", "commit-msg"]) == 2
    monkeypatch.chdir(tmp_path)
    bare.git("init", "--quiet", "--bare", str(tmp_path / "store"))
    for action in ("install", "status", "uninstall"):
        assert main(["hook", action, "git"]) == 2
        assert f"{tmp_path} is in no git repository; name a folder that is" in capsys.readouterr().err
        assert main(["hook", action, "git", "--repository", "store"]) == 2
        assert "store is a bare repository" in capsys.readouterr().err


def test_the_framework_hands_our_hook_what_it_needs(
    bare: Repository, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    import yaml

    hooks = {hook["id"]: hook for hook in yaml.safe_load((repository / ".pre-commit-hooks.yaml").read_text())}
    assert [hook["stages"] for hook in hooks.values()] == [[name] for name in HOOKS]
    assert all(hook["always_run"] for hook in hooks.values())
    bare.stage("a.py", "a = 1\n")
    bare.commit()
    bare.stage("a.py", LINE)
    bare.commit()
    monkeypatch.chdir(bare.top)
    words = hooks["agentguard-pre-push"]["entry"].split()
    assert words[0] == "agentguard"
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert main(words[1:]) == 2
    monkeypatch.setenv("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")
    assert main(words[1:]) == 1
    monkeypatch.setenv("PRE_COMMIT_TO_REF", bare.git("rev-parse", "HEAD").stdout.strip())
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", bare.git("rev-parse", "HEAD~1").stdout.strip())
    monkeypatch.setenv("PRE_COMMIT_REMOTE_NAME", "origin")
    assert main(words[1:]) == 1
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", bare.git("rev-parse", "HEAD").stdout.strip())
    assert main(words[1:]) == 0
