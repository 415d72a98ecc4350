"""Layers, trust, errors that name the line, and files that mean harm."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge_builders import case

from agentguard.errors import PolicyError
from agentguard.judge.load import REPOSITORY_POLICY, TrustStore, find_repository_policy, load_file, load_policy
from agentguard.judge.parse import InvalidPolicyError, parse_policy
from agentguard.judge.vocabulary import WORDS
from agentguard.yaml_reader import MAX_BYTES

READ = {"kind": "file", "path": "/src/shop/.env", "file_kind": "dotenv", "process": "cat"}


def one_rule(rule_id: str, disposition: str, severity: str) -> str:
    return (
        f"version: 1\nrules:\n  - id: {rule_id}\n    description: Ours.\n    when: {{kind: file}}\n"
        f"    then: {{disposition: {disposition}, severity: {severity}}}\n"
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".git").mkdir(parents=True)
    return folder


def fired(home: Path | None, workspace: Path | None) -> str:
    return load_policy(home=home, workspace=workspace).judge(*case(**READ)).rule


def test_the_users_rules_come_before_the_defaults(home: Path) -> None:
    assert fired(home, None) == "policies/default.yaml:read-secret"
    (home / "policy.yaml").write_text(one_rule("mine", "ignored", "info"))
    assert fired(home, None) == "policy.yaml:mine"


def test_a_repository_may_only_make_it_stricter_until_it_is_trusted(home: Path, workspace: Path) -> None:
    file = workspace / REPOSITORY_POLICY
    file.write_text(one_rule("lax", "ignored", "info"))
    assert fired(home, workspace) == "policies/default.yaml:read-secret"

    TrustStore(home).trust(file, file.read_bytes())
    assert fired(home, workspace) == ".agentguard.yaml:lax"

    file.write_text(one_rule("laxer", "ignored", "info"))
    assert fired(home, workspace) == "policies/default.yaml:read-secret", "the content changed"

    file.write_text(one_rule("harsh", "alert", "critical"))
    assert fired(home, workspace) == ".agentguard.yaml:harsh"


def test_a_trusted_repository_comes_before_the_user(home: Path, workspace: Path) -> None:
    (home / "policy.yaml").write_text(one_rule("mine", "alert", "high"))
    file = workspace / REPOSITORY_POLICY
    file.write_text(one_rule("theirs", "logged", "low"))
    assert fired(home, workspace) == "policy.yaml:mine"
    TrustStore(home).trust(file, file.read_bytes())
    assert fired(home, workspace) == ".agentguard.yaml:theirs"


def test_trust_is_for_one_place(home: Path, workspace: Path, tmp_path: Path) -> None:
    text = one_rule("lax", "ignored", "info")
    store = TrustStore(home)
    for folder in (workspace, tmp_path / "evil"):
        folder.mkdir(exist_ok=True)
        (folder / REPOSITORY_POLICY).write_text(text)
    store.trust(workspace / REPOSITORY_POLICY, text.encode())
    store.trust(workspace / REPOSITORY_POLICY, text.encode())
    assert fired(home, workspace) == ".agentguard.yaml:lax"
    assert fired(home, tmp_path / "evil") == "policies/default.yaml:read-secret"
    lines = (home / "trusted_policies").read_text().splitlines()
    assert len(lines) == 1
    assert (home / "trusted_policies").stat().st_mode & 0o077 == 0


def test_without_a_home_no_repository_is_trusted(workspace: Path) -> None:
    (workspace / REPOSITORY_POLICY).write_text(one_rule("lax", "ignored", "info"))
    assert fired(None, workspace) == "policies/default.yaml:read-secret"


def test_the_caller_may_decide_trust(workspace: Path) -> None:
    (workspace / REPOSITORY_POLICY).write_text(one_rule("lax", "ignored", "info"))
    policy = load_policy(home=None, workspace=workspace, trusted=lambda path, data: b"lax" in data)
    assert policy.judge(*case(**READ)).rule == ".agentguard.yaml:lax"


def test_the_repositorys_policy_is_found_from_a_folder_below_its_root(workspace: Path, tmp_path: Path) -> None:
    below = workspace / "a" / "b"
    below.mkdir(parents=True)
    (workspace / REPOSITORY_POLICY).write_text(one_rule("x", "alert", "critical"))
    assert find_repository_policy(below) == workspace / REPOSITORY_POLICY
    (tmp_path / REPOSITORY_POLICY).write_text(one_rule("outside", "alert", "critical"))
    (workspace / REPOSITORY_POLICY).unlink()
    assert find_repository_policy(below) is None, "never above the repository's root"


def test_outside_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    (tmp_path / REPOSITORY_POLICY).write_text("")
    (tmp_path / "plain").mkdir()
    assert find_repository_policy(tmp_path / "plain") is None
    assert find_repository_policy(tmp_path) == tmp_path / REPOSITORY_POLICY


def test_a_file_may_extend_the_strict_policy(home: Path) -> None:
    (home / "policy.yaml").write_text("version: 1\nextends: strict\n")
    policy = load_policy(home=home, workspace=None)
    verdict = policy.judge(*case(kind="file", path="/home/ada/.ssh/id_rsa", file_kind="ssh-private-key", process="cat"))
    assert verdict.rule == "policies/strict.yaml:read-login-or-key"
    assert len({rule.name for rule in policy.rules}) == len(policy.rules)


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidPolicyError) as caught:
        parse_policy(text.encode(), source="p", shown="p.yaml")
    return list(caught.value.problems)


GOOD_THEN = "{disposition: logged, severity: low, reason: r}"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("rules: []", 1, "version must be 1"),
        ("version: 2\nrules: []", 1, "version must be 1"),
        ("version: 1", 1, "rules is missing"),
        ("[]", 1, "a policy is a mapping"),
        ("version: 1\nrulez: []\nrules: []", 2, "unknown key 'rulez'"),
        ("version: 1\nextends: lax\nrules: []", 2, "allowed: strict"),
        ("version: 1\nrules: {}", 2, "must be a list"),
        ("version: 1\nrules:\n  - 3", 3, "a rule is a mapping"),
        (f"version: 1\nrules:\n  - id: A B\n    then: {GOOD_THEN}", 3, "a rule needs an id"),
        ("version: 1\nrules:\n  - id: a", 3, "a rule needs then"),
        ("version: 1\nrules:\n  - id: a\n    then: {severity: low, reason: r}", 4, "disposition is missing"),
        (
            "version: 1\nrules:\n  - id: a\n    then:\n      disposition: log\n      severity: low\n      reason: r",
            5,
            "'log' is not a disposition; allowed: ignored, logged, alert, blocked",
        ),
        ("version: 1\nrules:\n  - id: a\n    then: {disposition: logged, severity: low}", 4, "needs a reason"),
        (
            "version: 1\nrules:\n  - id: a\n    then: {disposition: logged, severity: low, reason: '{value}'}",
            4,
            "{value} cannot be filled in; allowed: agent",
        ),
        (
            "version: 1\nrules:\n  - id: a\n    then: {disposition: logged, severity: low, reason: '{host.x}'}",
            4,
            "cannot be filled in",
        ),
        ("version: 1\nrules:\n  - id: a\n    then: {disposition: logged, severity: low, reason: '{'}", 4, "reason:"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{hosts: x}}\n    then: {GOOD_THEN}", 4, "unknown key 'hosts'"),
        (f"version: 1\nrules:\n  - id: a\n    when: [x]\n    then: {GOOD_THEN}", 4, "when must be a mapping"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{public: 'true'}}\n    then: {GOOD_THEN}", 4, "true or false"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{public: yes}}\n    then: {GOOD_THEN}", 4, "true or false"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{kind: [http, ftp]}}\n    then: {GOOD_THEN}", 4, "'ftp' is not"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{destination: away}}\n    then: {GOOD_THEN}", 4, "issuer, model"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{host: '[x]'}}\n    then: {GOOD_THEN}", 4, "only * and ?"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{host: []}}\n    then: {GOOD_THEN}", 4, "a list of words"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{host: {{a: b}}}}\n    then: {GOOD_THEN}", 4, "a list of words"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{place: haeder}}\n    then: {GOOD_THEN}", 4, "unknown place"),
        (f"version: 1\nrules:\n  - id: a\n    when: {{port: 99999}}\n    then: {GOOD_THEN}", 4, "is not a port"),
        (
            f"version: 1\nrules:\n  - id: a\n    then: {GOOD_THEN}\n  - id: a\n    then: {GOOD_THEN}",
            5,
            "id 'a' is already used in line 3",
        ),
        (
            f"version: 1\nrules:\n  - id: a\n    then: {GOOD_THEN}\n    examples: {{match: [{{hots: x}}]}}",
            5,
            "unknown key 'hots' in example",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line(text: str, line: int, words: str) -> None:
    found = problems(text)
    assert any(problem.startswith(f"p.yaml:{line}: ") and words in problem for problem in found), found


def test_all_mistakes_are_reported_at_once() -> None:
    text = "version: 1\nrules:\n  - id: a\n    when: {kind: x, host: '['}\n    then: {disposition: y}\n"
    found = problems(text)
    assert len(found) == 5, found
    with pytest.raises(PolicyError, match=r"\(4 more; `agentguard policy check` lists them\)"):
        parse_policy(text.encode(), source="p", shown="p.yaml")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version: 1\nrules: [&a x, *a]", "anchors and aliases"),
        (b"a: &a [*a]", "anchors and aliases"),
        (b"version: !!python/object/apply:os.system [id]", "tags"),
        (b"version: 1\n---\nversion: 1", "a second document"),
        (b"version: 1\nversion: 1", "'version' is given twice"),
        (b"version: 1\nrules: [", "not valid YAML"),
        (b"version: 1\n\trules: []", "not valid YAML"),
        (b"version: \x00", "not valid YAML"),
        (b"version: 1\nx: \xff\xfe", "not UTF-8"),
        (b"[" * 5000, "nested more than"),
        (b"? [a]\n: b", "a key must be one word"),
        (b"#" * (MAX_BYTES + 1), "bytes"),
        (b"", "a policy is a mapping"),
    ],
)
def test_hostile_yaml_is_refused_at_once(data: bytes, words: str) -> None:
    started = time.perf_counter()
    with pytest.raises(PolicyError, match=r"^p\.yaml:\d+: ") as caught:
        parse_policy(data, source="p", shown="p.yaml")
    assert words in str(caught.value)
    assert time.perf_counter() - started < 2


@given(st.binary(max_size=400))
def test_any_bytes_are_a_policy_or_a_policy_error(data: bytes) -> None:
    try:
        parse_policy(data, source="p", shown="p.yaml")
    except PolicyError as error:
        assert str(error).startswith("p.yaml:")  # noqa: PT017


def trees() -> st.SearchStrategy[object]:
    words = st.sampled_from(
        [*WORDS, "id", "description", "when", "then", "examples", "match", "no_match", "disposition", "severity"]
    )
    leaves = st.one_of(
        words,
        st.text(max_size=12),
        st.booleans(),
        st.integers(),
        st.none(),
        st.sampled_from(["http", "logged", "low", "auth", "*", "{host}", "{", "true", "1"]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
        max_leaves=20,
    )


@settings(max_examples=300)
@given(st.lists(trees(), max_size=4), st.booleans())
def test_any_tree_is_a_policy_or_a_policy_error(rules: list[object], allow_unicode: bool) -> None:
    import yaml

    text = yaml.safe_dump({"version": 1, "rules": rules}, allow_unicode=allow_unicode)
    try:
        parsed = parse_policy(text.encode("utf-8", "surrogatepass"), source="p", shown="p.yaml")
    except PolicyError as error:
        assert "p.yaml:" in str(error)  # noqa: PT017
    else:
        assert len(parsed.rules) == len(rules)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.yaml"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero"), tmp_path):
        with pytest.raises(PolicyError, match=r"regular file|cannot be read"):
            load_file(path)
    with pytest.raises(PolicyError, match="no such file"):
        load_file(tmp_path / "missing.yaml")


def test_an_invalid_layer_names_its_file(home: Path, workspace: Path) -> None:
    (home / "policy.yaml").write_text("version: 1\nrules:\n  - id: a\n")
    with pytest.raises(PolicyError, match=f"{home}/policy.yaml:3: "):
        load_policy(home=home, workspace=workspace)
    (home / "policy.yaml").unlink()
    (workspace / REPOSITORY_POLICY).write_text("version: 9\nrules: []")
    with pytest.raises(PolicyError, match=f"{workspace}/{REPOSITORY_POLICY}:1: "):
        load_policy(home=home, workspace=workspace)


def test_the_parser_in_python_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML was built without libyaml."""
    import yaml

    from agentguard import yaml_reader
    from agentguard.paths import policies_dir

    data = (policies_dir() / "strict.yaml").read_bytes()
    fast = parse_policy(data, source="p", shown="p")
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    assert parse_policy(data, source="p", shown="p") == fast
    for hostile in (b'a: "\\UFFFFFFFF"', b'a: "\\x"', b"version: \x00", b"[" * 3000, b"version: 1\nrules: ["):
        with pytest.raises(PolicyError):
            parse_policy(hostile, source="p", shown="p")
