"""Each check finds what it is for, in a real repository and a home folder, and says the exact way out."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import sqlite3
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
from harness.ordinary_user import open_folder
from harness.untidy import Keys, Project, untidy_home, untidy_project, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from posture_support import NOW_NS, look_at, of_check, only, scanner

from agentguard.detect.templates import expand
from agentguard.model.posture import Check, Posture, Weakness
from agentguard.model.verdict import Severity
from agentguard.posture.past import look_back
from agentguard.scan.setting import Setting

KEYS = Keys()
SETTING = Setting(key=b"k" * 32, cache=None)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return untidy_project(tmp_path_factory.mktemp("world") / "shop", KEYS)


@pytest.fixture(scope="module")
def posture(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> Posture:
    return look_at(shop.root, home=untidy_home(tmp_path_factory.mktemp("ada"), KEYS))


def in_one_file(folder: Path, name: str, text: str) -> Weakness:
    write(folder, name, text)
    return only(look_at(folder), Check.HARD_CODED)


def run(root: Path, command: str) -> None:
    """A step as the user would run it."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(["sh", "-c", command], cwd=root, env=environ | identity, check=True, capture_output=True)


def test_no_value_is_in_what_is_found(posture: Posture) -> None:
    said = repr(asdict(posture))
    assert [name for name, value in KEYS.made.items() if value in said] == []
    assert len(posture.weaknesses) > 10


def test_a_tracked_env_file_comes_first(posture: Posture) -> None:
    first = posture.weaknesses[0]
    assert first.check is Check.FILE_TRACKED
    assert first.severity is Severity.CRITICAL
    assert "2 keys in it: STRIPE_KEY and DATABASE_PASSWORD" in first.title
    assert [place.line for place in first.places] == [1, 2]


def test_its_command_stops_tracking_it_and_keeps_the_file(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.write("conf dir/.env", f"KEY={KEYS.stripe()}\n")
    project.commit("conf dir/.env")
    run(project.root, only(look_at(project.root), Check.FILE_TRACKED).fixes[0].command)
    after = look_at(project.root)
    assert [one.check for one in after.weaknesses] == []
    assert (project.root / "conf dir/.env").exists()
    assert after.good[-1].what == "1 file with secrets kept out of git"


def test_an_env_file_that_git_does_not_ignore(shop: Project, posture: Posture, tmp_path: Path) -> None:
    found = only(posture, Check.FILE_NOT_IGNORED)
    assert found.places[0].path == ".env.staging"
    project = Project(tmp_path / "other")
    project.write(".env", f"KEY={KEYS.stripe()}\n")
    run(project.root, only(look_at(project.root), Check.FILE_NOT_IGNORED).fixes[0].command)
    assert look_at(project.root).weaknesses == ()


def test_a_login_in_the_url_of_a_remote(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    inner = Project(project.root / "a b")
    for one in (project, inner):
        one.git("remote", "add", "origin", f"https://ada:{KEYS.github('remote')}@git.example.com/ada/shop.git")
        one.git("remote", "add", "other", "https://git.example.com/ada/other.git")
    found = only(look_at(project.root), Check.GIT_CONFIG)
    assert [place.path for place in found.places] == [".git/config", "a b/.git/config"]
    run(project.root, found.fixes[0].command)
    assert project.git("remote", "-v").count("https://git.example.com/ada/") == 4
    left = only(look_at(project.root), Check.GIT_CONFIG)
    assert [place.path for place in left.places] == ["a b/.git/config"]
    run(project.root, left.fixes[0].command)
    assert look_at(project.root).weaknesses == ()


def test_what_is_tracked_in_a_folder_that_is_not_entered_is_looked_at(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    for name in ("build/deploy.sh", "node_modules/x/index.js"):
        project.write(name, f"KEY={KEYS.stripe(name)}\n")
    project.commit("build/deploy.sh")
    found = look_at(project.root)
    assert [one.places[0].path for one in found.weaknesses] == ["build/deploy.sh"]
    told = "Folders of these names were not entered, but for what is tracked in them: build, node_modules."
    assert found.notes[0] == told


def test_a_repository_within_is_asked_for_its_own_files(tmp_path: Path) -> None:
    outer = Project(tmp_path / "shop")
    inner = Project(outer.root / "libs/pay")
    for name, committed in ((".env", True), (".env.local", False)):
        inner.write(name, f"STRIPE_KEY={KEYS.stripe(name)}\n")
        if committed:
            inner.commit(name)
    found = look_at(outer.root)
    assert [(one.check, one.places[0].path) for one in found.weaknesses] == [
        (Check.FILE_TRACKED, "libs/pay/.env"),
        (Check.FILE_NOT_IGNORED, "libs/pay/.env.local"),
    ]
    assert found.good == ()
    for one in found.weaknesses:
        run(outer.root, one.fixes[0].command)
    assert look_at(outer.root).weaknesses == ()
    assert inner.git("status", "--short").splitlines() == ["D  .env", "AM .gitignore"]


def test_a_transcript_in_a_database_is_read_and_not_deleted(tmp_path: Path) -> None:
    said = json.dumps({"content": f"A=1\nSTRIPE_KEY={KEYS.stripe('said')}\n"})
    path = tmp_path / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE part (data TEXT)")
        database.execute("INSERT INTO part VALUES (?)", (said,))
        database.commit()
    project = tmp_path / "shop"
    project.mkdir()
    found = only(look_at(project, home=tmp_path), Check.TRANSCRIPT)
    assert found.name == "STRIPE_KEY"
    assert [fix.command for fix in found.fixes] == ["", ""]
    assert "within the agent" in found.fixes[1].do


def test_what_only_looks_like_a_password_in_a_transcript_is_told_together(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    write(project, ".env", f"DB_PASSWORD={KEYS.password('mine')}\n")
    said = [
        f"DB_PASSWORD={KEYS.password('mine')}",
        *(f"DB_PASSWORD={KEYS.password(str(number))}" for number in range(3)),
    ]
    for number, text in enumerate(said):
        write(tmp_path, f".claude/projects/p/{number}.jsonl", json.dumps({"content": text}))
    mine, rest = of_check(look_at(project, home=tmp_path), Check.TRANSCRIPT)
    assert (mine.name, mine.severity) == ("DB_PASSWORD", Severity.HIGH)
    assert rest.title == "3 values that may be secret are in 3 transcripts of agents"
    assert rest.severity is Severity.LOW


def test_a_trace_of_a_key_is_neither_old_nor_of_an_environment(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    for path in (
        write(project, ".env.local", f"STRIPE_KEY={KEYS.stripe()}\n"),
        write(project, "prod.log", f"key {KEYS.stripe()}\n{KEYS.openai('logged')}\n"),
        write(tmp_path, ".claude/projects/prod/1.jsonl", f'"{KEYS.stripe()}"'),
    ):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    found = look_at(project, home=tmp_path, older_than_days=90)
    assert of_check(found, Check.SHARED) == []
    assert [one.name for one in of_check(found, Check.OLD)] == ["STRIPE_KEY"]


def test_a_private_key_is_moved_and_not_put_into_a_variable(tmp_path: Path) -> None:
    dashes = "-" * 5
    body = expand("{pem:800}", "posture")
    write(tmp_path, "tls.txt", f"{dashes}BEGIN PRIVATE KEY{dashes}\n{body}\n{dashes}END PRIVATE KEY{dashes}\n")
    found = only(look_at(tmp_path), Check.HARD_CODED)
    assert "chmod 600" in found.fixes[0].do


def test_a_tracked_env_file_without_keys_is_a_small_matter_and_an_encrypted_one_none(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.write(".env", "PORT=3000\n")
    project.write(".env.prod", 'API_KEY="encrypted:' + "BDqDBibm4wsYqMpCjTQ6BsDHmMadg9K3dAt" + '"\n')
    project.commit(".env", ".env.prod")
    found = look_at(project.root)
    assert [(one.severity, one.places[0].path) for one in found.weaknesses] == [(Severity.LOW, ".env")]
    assert [one.what for one in found.good] == ["1 value taken from dotenvx"]


def test_a_hard_coded_key_is_to_be_read_from_the_environment(posture: Posture, tmp_path: Path) -> None:
    found = next(one for one in of_check(posture, Check.HARD_CODED) if one.places[0].path == "src/pay.py")
    assert found.severity is Severity.CRITICAL
    assert 'os.environ["STRIPE_API_KEY"]' in found.fixes[0].do
    assert found.fixes[-1].page == "https://dashboard.stripe.com/apikeys"
    url = f"postgres://app:{KEYS.password('url')}@db.example.internal/shop"
    assert "URL with a password is written" in in_one_file(tmp_path, "a.py", f'connect("{url}")').title
    startup = next(one for one in of_check(posture, Check.HARD_CODED) if one.places[0].path == "~/.zshrc")
    assert "OPENAI_API_KEY=$(" in startup.fixes[0].do


@pytest.mark.parametrize(
    ("check", "path", "says"),
    [
        (Check.CI_FILE, ".github/workflows/test.yml", "gh secret set GITHUB_PAT"),
        (Check.CONTAINER_FILE, "Dockerfile", "--secret id=OPENAI_API_KEY,env=OPENAI_API_KEY"),
        (Check.NOTEBOOK, "explore.ipynb", "nbconvert --clear-output"),
        (Check.LOG, "debug.log", "rm -- debug.log"),
        (Check.SHELL_HISTORY, "~/.bash_history", "sed -i.bak '2d' ~/.bash_history"),
        (Check.TRANSCRIPT, "~/.claude/projects/-src-shop/1.jsonl", "rm -- ~/.claude"),
    ],
)
def test_a_key_in_a_place_for_none(posture: Posture, check: Check, path: str, says: str) -> None:
    found = only(posture, check)
    assert [place.path for place in found.places] == [path]
    assert any(says in fix.command for fix in found.fixes)
    assert any(fix.page for fix in found.fixes), "and how to replace it"


def test_what_is_fetched_by_a_reference_is_well_done(posture: Posture) -> None:
    assert {one.what: [place.path for place in one.places] for one in posture.good} == {
        "1 value taken from 1Password": [".env.production"],
        "1 value taken from the CI's own secret store": [".github/workflows/test.yml"],
        "1 file with secrets kept out of git": [".env.production"],
    }


def test_a_file_that_names_many_managers_is_a_list_of_them_and_no_use_of_any(tmp_path: Path) -> None:
    references = ["op://shop/stripe/key", "vault:secret/data/shop#key", "doppler run --", "sops -d keys.yaml"]
    references += ["arn:aws:secretsmanager:eu-west-1:1:secret:shop", "projects/shop/secrets/stripe/versions/latest"]
    write(tmp_path, "rules.yaml", "".join(f"- pattern: '{one}'\n" for one in references))
    assert look_at(tmp_path).good == ()
    write(tmp_path, "settings.yaml", "".join(f"key{at}: '{one}'\n" for at, one in enumerate(references[:1] * 2)))
    assert [one.what for one in look_at(tmp_path).good] == ["2 values taken from 1Password"]


def test_the_same_key_in_two_environments(posture: Posture) -> None:
    found = only(posture, Check.SHARED)
    assert found.severity is Severity.HIGH
    assert "development and production" in found.title
    assert [(place.path, place.note) for place in found.places] == [
        (".env", "development"),
        (".env.production", "production"),
    ]
    assert found.fixes[0].do == "Make a key of its own for development, and put it into .env"


@pytest.mark.parametrize(
    ("names", "severity"),
    [
        (("config/dev.yaml", "config/production.yaml"), Severity.HIGH),
        (("k8s/overlays/staging/secret.yml", "k8s/overlays/dev/secret.yml"), Severity.MEDIUM),
        ((".env.test", ".env.local"), Severity.LOW),
        (("config/prod.yaml", "config/production.yaml"), None),
        (("config/eu.yaml", "config/us.yaml"), None),
    ],
)
def test_environments_are_told_by_names(tmp_path: Path, names: tuple[str, str], severity: Severity | None) -> None:
    for name in names:
        write(tmp_path, name, f"password: {KEYS.password()}\nkey: {KEYS.stripe()}\n")
    found = {one.severity for one in of_check(look_at(tmp_path), Check.SHARED)}
    assert found == ({severity} if severity else set())


def test_a_manifest_that_has_to_be_in_git_is_to_be_encrypted(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    encoded = base64.b64encode(KEYS.stripe().encode()).decode()
    project.write("k8s/prod/secret.yaml", f"kind: Secret\ndata:\n  stripe: {encoded}\n")
    project.commit("k8s/prod/secret.yaml")
    found = only(look_at(project.root), Check.FILE_TRACKED)
    assert found.fixes[1].command == "sops encrypt --in-place k8s/prod/secret.yaml"


def test_a_password_in_a_url_of_an_mcp_server_is_the_one_of_the_history(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    args = ["pg", f"postgres://app:{KEYS.password('mcp')}@db.example.internal/shop"]
    project.write(".mcp.json", json.dumps({"mcpServers": {"db": {"command": "npx", "args": args}}}, indent=2))
    project.commit(".mcp.json")
    found = with_history(project.root)
    assert [one.check for one in found.weaknesses] == [Check.MCP, Check.GIT_HISTORY]
    assert "still stands in the tree" in found.weaknesses[1].title


def test_environments_of_one_file_are_told_by_sections_and_by_variables(tmp_path: Path) -> None:
    key = KEYS.stripe()
    write(tmp_path, "database.yml", f"staging:\n  db:\n    key: {key}\nproduction:\n  db:\n    key: {key}\n")
    assert "production and staging" in only(look_at(tmp_path), Check.SHARED).title
    write(tmp_path, "database.yml", f"[dev]\nkey = {key}\n[live]\nkey = {key}\n")
    assert "development and production" in only(look_at(tmp_path), Check.SHARED).title
    write(tmp_path, "database.yml", f"KEY_PROD={key}\nKEY_STAGING={key}\n")
    assert "production and staging" in only(look_at(tmp_path), Check.SHARED).title


def test_files_with_keys_that_others_can_read(tmp_path: Path) -> None:
    key = f"key = {KEYS.stripe()}\n"
    write(tmp_path, "closed.conf", key, mode=0o644)
    assert of_check(look_at(tmp_path), Check.READABLE) == [], "pytest's folders let nobody through"
    with open_folder() as folder:
        write(folder, "a b.conf", key, mode=0o644)
        write(folder, "own.conf", key, mode=0o640)
        write(folder, "plain.conf", "key = none\n", mode=0o644)
        write(folder, "inner/c.conf", key, mode=0o644)
        (folder / "inner").chmod(0o750)
        found = only(look_at(folder), Check.READABLE)
        assert [(place.path, place.note) for place in found.places] == [("a b.conf", "-rw-r--r--")]
        run(folder, found.fixes[0].command)
        assert of_check(look_at(folder), Check.READABLE) == []


def with_history(root: Path) -> Posture:
    return look_at(root, history=lambda folder: look_back(SETTING, folder, lambda *_told: None))


def test_keys_of_the_history_and_whether_they_still_stand(shop: Project) -> None:
    standing, gone = sorted(of_check(with_history(shop.root), Check.GIT_HISTORY), key=lambda one: one.severity.rank)
    assert (standing.severity, gone.severity) == (Severity.LOW, Severity.CRITICAL)
    assert gone.title.endswith("was committed in gone.py, and is gone from the tree, not from the history")
    assert gone.places[0].note.endswith(", 2025-05-03")
    assert standing.title.startswith("5 keys (")
    assert {place.path for place in standing.places} == {
        ".env",
        "src/pay.py",
        ".github/workflows/test.yml",
        "Dockerfile",
    }


def test_a_key_of_the_history_that_is_still_used_untracked_is_as_grave_as_can_be(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.write("sub/.env", f"STRIPE_KEY={KEYS.stripe()}\n")
    project.commit("sub/.env")
    project.git("rm", "-q", "--cached", "sub/.env")
    project.write("sub/.gitignore", ".env\n")
    project.git("commit", "-qm", f"take it out, it was {KEYS.github('message')}")
    found = {one.places[0].path: one for one in of_check(with_history(project.root / "sub"), Check.GIT_HISTORY)}
    assert found[".env"].severity is Severity.CRITICAL
    assert "is still in use, in .env" in found[".env"].title
    assert found[".env"].fixes[-1].command == "git filter-repo --invert-paths --path sub/.env"
    assert found["(commit message)"].severity is Severity.CRITICAL
    project.write("other/a.txt", "nothing")
    elsewhere = with_history(project.root / "other")
    assert [one.places[0].path for one in elsewhere.weaknesses] == ["(commit message)"]


def test_what_cannot_be_seen_of_the_history_is_told(shop: Project, tmp_path: Path) -> None:
    shop.git("clone", "-q", "--depth", "1", f"file://{shop.root}", str(tmp_path / "shallow"))
    found = with_history(tmp_path / "shallow")
    assert any("shallow clone" in reason for _, reason in found.unread)


def test_a_commit_says_how_old_a_key_is(shop: Project) -> None:
    posture = look_at(
        shop.root, older_than_days=90, history=lambda folder: look_back(SETTING, folder, lambda *_told: None)
    )
    old = {one.name: one for one in of_check(posture, Check.OLD)}
    assert "It was there on 2025-05-03" in old["STRIPE_KEY"].why


def test_a_key_of_the_whole_account_where_there_is_a_narrower_kind(posture: Posture, tmp_path: Path) -> None:
    found = only(posture, Check.USER_WIDE)
    assert "GitHub fine-grained personal access token" in found.why
    write(tmp_path, "a.py", f'k = "{KEYS.openai()}"\n')
    assert of_check(look_at(tmp_path), Check.USER_WIDE) == [], "a project's key is as narrow as can be"


def test_an_old_key_is_told_by_its_file_or_by_the_record(tmp_path: Path) -> None:
    path = write(tmp_path, ".env", f"STRIPE_KEY={KEYS.stripe()}\n")
    recent = NOW_NS // 10**9 - 10 * 86_400
    os.utime(path, (recent, recent))
    assert of_check(look_at(tmp_path, older_than_days=90), Check.OLD) == []
    fingerprint = scanner().fingerprinter.of(KEYS.stripe().encode())
    seen = {fingerprint: NOW_NS - 100 * 86_400 * 10**9}
    found = only(look_at(tmp_path, older_than_days=90, first_seen=seen), Check.OLD)
    assert found.severity is Severity.LOW
    assert "at least 100 days old" in found.title
    os.utime(path, (recent - 400 * 86_400, recent - 400 * 86_400))
    assert only(look_at(tmp_path, older_than_days=90), Check.OLD).severity is Severity.MEDIUM
    assert of_check(look_at(tmp_path, older_than_days=0), Check.OLD) == []


def test_a_key_that_was_replaced_is_spent_wherever_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "a.py", f'k = "{KEYS.stripe()}"\n')
    fingerprint = scanner().fingerprinter.of(KEYS.stripe().encode())
    assert look_at(tmp_path).weaknesses
    assert look_at(tmp_path, rotated=frozenset({fingerprint})).weaknesses == ()


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ".mcp.json", "{ not json")
    found = look_at(tmp_path)
    assert found.unread == ((".mcp.json", "not valid JSON: line 1"),)
    assert "no git repository" in found.notes[0]


def test_names_that_hold_a_key_are_not_told(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.write(f"{KEYS.stripe()}/.env", f"KEY={KEYS.stripe('other')}\n")
    project.write(f"{KEYS.stripe()}/a.py", f'k = "{KEYS.stripe()}"\n')
    found = look_at(project.root)
    assert {one.check for one in found.weaknesses} == {Check.FILE_NOT_IGNORED, Check.HARD_CODED}
    assert KEYS.stripe() not in repr(asdict(found))


def test_a_key_in_every_line_of_a_log_is_one_finding_with_few_places(tmp_path: Path) -> None:
    write(tmp_path, "app.log", f"token={KEYS.github()}\n" * 500 + "x" * 100_000)
    assert len(only(look_at(tmp_path), Check.LOG).places) == 50


def test_files_of_every_size_and_kind_are_read_as_far_as_they_are_text(tmp_path: Path) -> None:
    key = f"STRIPE_KEY={KEYS.stripe()}\n"
    write(tmp_path, "far.txt", "word " * 40_000 + "\n" + key)
    (tmp_path / "wide.txt").write_bytes(f"\ufeff{key}".encode("utf-16-le"))
    (tmp_path / "picture.bin").write_bytes(b"\0" * 200_000 + key.encode())
    (tmp_path / "empty.txt").write_bytes(b"")
    assert {place.path for place in only(look_at(tmp_path), Check.HARD_CODED).places} == {"far.txt", "wide.txt"}


def test_a_place_of_too_many_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentguard.posture.tree.MOST_OF_A_PLACE", 3)
    for number in range(5):
        write(tmp_path, f".claude/projects/{number}.jsonl", "{}")
    (tmp_path / "shop").mkdir()
    (told,) = look_at(tmp_path / "shop", home=tmp_path).unread
    assert told == ("~/.claude/projects/**", "only 3 of its files were looked at")


def test_hostile_folders_neither_stop_nor_hold_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "secrets.json").symlink_to("/etc/shadow")
    write(tmp_path, ".cursor/mcp.json", "[" * 5_000)
    write(tmp_path, ".vscode/mcp.json", '{"servers": {"x": ' + '{"a": ' * 500 + "1" + "}" * 500 + "}}")
    (tmp_path / "bytes.json").write_bytes(b'{"a": "\xff\xfe"}' * 100)
    (tmp_path / os.fsdecode(b"\xff\xfe.env")).write_text(f"K={KEYS.stripe()}\n")
    found = look_at(tmp_path)
    assert [path for path, _ in found.unread] == [".cursor/mcp.json"]
    assert found.credentials == 1


def test_every_command_is_one_that_a_shell_understands(posture: Posture) -> None:
    commands = [fix.command for one in posture.weaknesses for fix in one.fixes if fix.command]
    assert len(commands) > 8
    for command in commands:
        assert shlex.split(command)
        assert subprocess.run(["sh", "-n", "-c", command], check=False, capture_output=True).returncode == 0


NAMES = (".env", ".mcp.json", ".codex/config.toml", ".continue/config.yaml", "a.ipynb", "a.log", "compose.yml", "a.tf")
PIECES = (
    b'{"',
    b'"}',
    b"[",
    b"]",
    b":",
    b"=",
    b"\n",
    b"  - ",
    b"\xff\xfe",
    b"\0",
    b"\\u0022",
    b"op://a/b",
    b"mcpServers",
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=40))
def test_no_content_of_any_place_stops_the_look(tmp_path: Path, name: str, pieces: list[bytes]) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    middle = len(pieces) // 2
    path.write_bytes(b"".join([*pieces[:middle], f" TOKEN={KEYS.github('fuzz')} ".encode(), *pieces[middle:]]))
    try:
        found = look_at(tmp_path)
    finally:
        path.unlink()
    assert KEYS.github("fuzz") not in repr(asdict(found))
    assert all(place.line >= 0 and one.fixes and one.why for one in found.weaknesses for place in one.places)
