"""`agentguard install` and `uninstall`: what one puts into a home folder, the other takes out to the last byte."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from record_builders import record_walk

from agentguard.cli import main
from agentguard.config import Home, open_home
from agentguard.record.writer import Writer
from agentguard.setup.data import caches, kept

Said = Callable[..., str]


def picture(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file, folder and link below: mode and content."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        content: bytes | str = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (info.st_mode, content)
    return found


@pytest.fixture
def user(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with start files of all sorts, two agents on the PATH, and no AgentGuard on it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("claude", "codex"):
        (programs / name).write_text("#!/bin/sh\necho started\n")
        (programs / name).chmod(0o755)
    (home / ".bashrc").write_bytes(b"export A=1  # \xff no line end")
    (home / ".bashrc").chmod(0o600)
    (home / "dotfiles").mkdir()
    (home / "dotfiles/zshrc").write_text("alias codex='codex --full-auto'\n")
    (home / ".zshrc").symlink_to("dotfiles/zshrc")
    (home / ".config/fish").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("SHELL", "/bin/bash")
    return home


@pytest.fixture
def ag(capsys: pytest.CaptureFixture[str]) -> Said:
    def call(*words: str, status: int = 0) -> str:
        assert main(list(words)) == status, capsys.readouterr()
        out, err = capsys.readouterr()
        return out + err

    return call


EVERYWHERE = ("--shells", "bash,zsh,fish", "--aliases", "claude,codex")


def test_the_home_is_afterwards_what_it_was(user: Path, ag: Said, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    before, hooks = picture(user), picture(repository)
    ag("install", *EVERYWHERE)
    ag("hook", "install", "git", "--repository", str(repository))
    assert picture(user) != before
    assert (user / ".zshrc").is_symlink()
    assert stat.S_IMODE((user / ".bashrc").stat().st_mode) == 0o600
    open_home(user / ".agentguard").fingerprint_key()
    listed = ag("uninstall", "--dry-run", "--purge-data")
    ag("uninstall", "--yes", "--purge-data")
    assert picture(user) == before
    assert picture(repository) == hooks
    for name in (
        ".bashrc",
        ".zshrc",
        "agentguard.fish",
        str(repository),
        "fingerprint.key",
        ".local/bin/agentguard",
        "agentguard.1",
    ):
        assert name in listed
    assert "nothing of AgentGuard's is here" in ag("uninstall", "--yes")


def test_a_dry_run_shows_every_line_for_the_users_files_and_changes_nothing(user: Path, ag: Said) -> None:
    before = picture(user)
    shown = ag("install", "--dry-run", *EVERYWHERE)
    assert picture(user) == before
    ag("install", *EVERYWHERE)
    for line in (user / ".bashrc").read_text(errors="replace").splitlines()[1:]:
        assert f"+{line}\n" in shown
    assert f"+{user}/.local/bin/agentguard -> " in shown
    assert ".SH" not in shown
    manual = user / ".local/share/man/man1/agentguard.1"
    assert f"+{manual}: {len(manual.read_text().splitlines()):,} lines\n" in shown
    assert len(shown.splitlines()) < 100
    manual.write_text("of an earlier version\n")
    first, *_ = ag("install", "--dry-run", *EVERYWHERE).splitlines()
    assert re.fullmatch(r"[\d,]+ lines in place of 1", first.removeprefix(f"+{manual}: "))
    ag("uninstall", "--dry-run")
    assert (user / ".local/bin/agentguard").is_symlink()


def test_again_changes_nothing_and_other_wishes_change_only_our_lines(user: Path, ag: Said) -> None:
    ag("install", *EVERYWHERE)
    there = picture(user)
    assert "everything stands already" in ag("install", *EVERYWHERE)
    assert picture(user) == there
    ag("install", "--shells", "bash,zsh,fish", "--no-aliases")
    assert b"alias claude" not in (user / ".bashrc").read_bytes()
    ag("uninstall", "--yes")
    assert (user / ".bashrc").read_bytes() == b"export A=1  # \xff no line end"


def test_a_link_of_an_older_checkout_is_replaced_and_put_back(user: Path, ag: Said, tmp_path: Path) -> None:
    link = user / ".local/bin/agentguard"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "gone/scripts/agentguard")
    ag("install", "--no-aliases")
    assert link.exists()
    ag("uninstall", "--yes")
    assert os.readlink(link) == str(tmp_path / "gone/scripts/agentguard")


@pytest.mark.parametrize("link", [None, "/usr/bin/env"])
def test_another_program_of_the_name_is_left_alone(user: Path, ag: Said, link: str | None) -> None:
    path = user / ".local/bin/agentguard"
    path.parent.mkdir(parents=True)
    path.symlink_to(link) if link else path.write_text("mine")
    before = picture(user)
    assert "--bin-dir" in ag("install", "--no-aliases", status=2)
    assert picture(user) == before


def test_what_the_user_made_of_a_name_is_kept_and_told(user: Path, ag: Said) -> None:
    said = ag("install", *EVERYWHERE)
    assert ".zshrc gives `codex` a meaning of its own" in said
    assert "alias codex='agentguard" not in (user / ".zshrc").read_text()
    assert "alias claude='agentguard run -- claude'" in (user / ".zshrc").read_text()


def test_a_start_file_that_is_read_only_is_told_with_the_lines_for_it(user: Path, ag: Said) -> None:
    (user / ".bashrc").chmod(0o400)
    before = (user / ".bashrc").read_bytes()
    said = ag("install", "--shells", "bash", "--aliases", "claude", status=2)
    assert "cannot be written; put these lines into it yourself" in said
    assert "    alias claude='agentguard run -- claude'" in said.replace("      alias", "    alias")
    assert (user / ".bashrc").read_bytes() == before
    assert (user / ".local/bin/agentguard").is_symlink()


@pytest.mark.parametrize("name", ["nonsense", "aider", ""])
def test_only_agents_that_are_there(user: Path, ag: Said, name: str) -> None:
    assert "--aliases" in ag("install", "--aliases", name, status=2)
    assert not (user / ".local").exists()


def test_nobody_to_ask_means_no_aliases_and_yes_means_those_found(user: Path, ag: Said) -> None:
    assert "agents found: claude, codex; --yes or --aliases" in ag("install", "--shells", "bash")
    assert b"alias" not in (user / ".bashrc").read_bytes()
    ag("install", "--shells", "bash", "--yes")
    assert b"alias codex='agentguard run -- codex'" in (user / ".bashrc").read_bytes()
    assert "nobody can be asked" in ag("uninstall", status=2)
    ag("uninstall", "--yes")


def test_settings_folders_of_the_users_choice(
    user: Path, ag: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZDOTDIR", str(tmp_path / "z"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    ag("install", *EVERYWHERE, "--bin-dir", str(tmp_path / "b"), "--home", str(tmp_path / "own home"))
    assert "agentguard run --home" in (tmp_path / "z/.zshrc").read_text()
    assert (tmp_path / "c/fish/conf.d/agentguard.fish").exists()
    assert (tmp_path / "b/agentguard").is_symlink()
    ag("uninstall", "--yes", "--home", str(tmp_path / "own home"))
    assert not any((tmp_path / name).exists() for name in ("z", "c", "b", "own home"))


def test_lines_are_found_though_the_receipt_is_lost(user: Path, ag: Said) -> None:
    ag("install", *EVERYWHERE)
    (user / ".agentguard/installed.json").unlink()
    ag("uninstall", "--yes")
    assert b"agentguard" not in (user / ".bashrc").read_bytes() + (user / ".zshrc").read_bytes()
    assert not (user / ".config/fish/conf.d/agentguard.fish").exists()


def test_nothing_goes_while_a_session_runs(user: Path, ag: Said) -> None:
    ag("install", "--no-aliases")
    home = open_home(user / ".agentguard")
    writer = Writer(home)
    writer.start()
    session = record_walk(writer)
    assert writer.flush(5)
    before = picture(user)
    assert "runs under guard (session s-one)" in ag("uninstall", "--yes", "--purge-data", status=2)
    assert set(picture(user)) == set(before)
    writer.end_session(session)
    writer.close()
    assert "agentguard.db" in ag("uninstall", "--yes")
    assert home.database.exists()
    (home.root / "mine.txt").write_text("not AgentGuard's")
    ag("uninstall", "--yes", "--purge-data")
    assert [path.name for path in home.root.iterdir()] == ["mine.txt"]


def test_no_place_in_the_home_folder_is_forgotten(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    for name, value in vars(Home).items():
        if isinstance(value, property):
            getattr(home, name).write_text("something")
    assert {*caches(home, {}, tmp_path), *kept(home)} == set(home.root.iterdir())


def test_a_gate_that_was_edited_stays_and_stays_known(user: Path, ag: Said, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    ag("hook", "install", "git", "--repository", str(repository))
    hook = repository / ".git/hooks/pre-push"
    hook.write_text(hook.read_text() + "# mine\n")
    assert "--force" in ag("uninstall", "--yes", status=2)
    assert json.loads((user / ".agentguard/installed.json").read_text())["repositories"] == [str(repository)]
    ag("uninstall", "--yes", "--force")
    assert not hook.exists()


def test_what_pip_has_made_is_what_the_link_leads_to(
    user: Path, ag: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where the PATH leads to it without a link, none is made: pipx and uv see to that."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    command = environment / "bin/agentguard"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr("agentguard.setup.program._PACKAGE", environment / "lib/site-packages/agentguard")
    monkeypatch.setattr("sys.executable", str(environment / "bin/python"))
    ag("install", "--no-aliases")
    assert os.readlink(user / ".local/bin/agentguard") == str(command)
    ag("uninstall", "--yes")
    pipx = user / ".local/bin/agentguard"
    pipx.parent.mkdir(parents=True)
    pipx.symlink_to(command)
    monkeypatch.setenv("PATH", f"{pipx.parent}:{os.environ['PATH']}")
    assert f"is on the PATH already: {pipx}" in ag("install", "--no-aliases")
    ag("uninstall", "--yes")
    assert pipx.is_symlink()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_themselves_take_the_names_and_the_path(user: Path, ag: Said, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    if shell == "zsh":
        (user / "dotfiles/zshrc").write_text("")
    ag("install", *EVERYWHERE)
    script = (
        "type claude; type codex; type agentguard" if shell != "fish" else "functions claude codex; type agentguard"
    )
    done = subprocess.run([shell, "-ic", script], capture_output=True, text=True, timeout=60, check=False)
    assert "agentguard run -- claude" in done.stdout
    assert "agentguard run -- codex" in done.stdout
    assert f"{user}/.local/bin/agentguard" in done.stdout


def test_completions_and_the_manual_page_lie_where_they_are_looked_for(user: Path, ag: Said) -> None:
    ag("install", *EVERYWHERE)
    for path in ("bash-completion/completions/agentguard", "agentguard/zsh/_agentguard", "man/man1/agentguard.1"):
        assert "agentguard" in (user / ".local/share" / path).read_text()
    assert (user / ".config/fish/completions/agentguard.fish").exists()
    assert f"fpath=({user}/.local/share/agentguard/zsh $fpath)" in (user / ".zshrc").read_text()
    if shutil.which("man"):
        environment = os.environ | {"PATH": f"{user}/.local/bin:{os.environ['PATH']}"}
        where = subprocess.run(
            ["man", "-w", "agentguard"], env=environment, capture_output=True, text=True, check=False
        )
        assert where.stdout.strip() == f"{user}/.local/share/man/man1/agentguard.1"
