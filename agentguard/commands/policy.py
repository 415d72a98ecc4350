"""Check, list, test and explain policies; trust the policy of a repository."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentguard.config import home_path, open_home, working_folder
from agentguard.errors import EXIT_ERROR, EXIT_FOUND, EXIT_OK, PolicyError
from agentguard.formats import add_format
from agentguard.model.unicode import valid_text
from agentguard.show.document import document
from agentguard.show.text import safe

if TYPE_CHECKING:
    from agentguard.judge.context import Context
    from agentguard.judge.examples import Failure
    from agentguard.judge.policy import Policy, Rule
    from agentguard.model.finding import Finding

_NO_FACTS: dict[str, Any] = {"rules": 0, "sources": [], "trusted": True, "gateways": [], "gateways_not_trusted": []}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from agentguard.judge.examples import LISTS, SITUATION

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = _action(actions, "check", "say whether a policy is valid")
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: the policies in force here")
    add_format(check, "text", "json")
    listing = _action(actions, "list", "the rules in force here, in order")
    add_format(listing, "text", "json")
    explain = _action(actions, "explain", "which rule decides a situation, and why")
    explain.add_argument("--event", metavar="UID", help="a recorded event, instead of the words below")
    add_format(explain, "text", "json")
    for word, meaning in SITUATION.items():
        option = "--" + word.replace("_", "-")
        count = "+" if word in LISTS else 1
        explain.add_argument(option, dest=f"word_{word}", nargs=count, metavar="X", help=meaning or None)
    test = _action(actions, "test", "run the examples written in a policy")
    test.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: the policies in force here")
    add_format(test, "text", "json")
    trust = _action(actions, "trust", "trust this content of a repository's policy")
    trust.add_argument("file", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    actions = {"check": _check, "list": _list, "explain": _explain, "test": _test, "trust": _trust}
    return actions[arguments.action](arguments)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    # `policy --home DIR list` and `policy list --home DIR` mean the same.
    parser.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def _in_force(arguments: argparse.Namespace) -> Policy:
    from agentguard.judge.load import load_policy

    return load_policy(home=home_path(arguments.home), workspace=working_folder())


def _check(arguments: argparse.Namespace) -> int:
    from agentguard.judge.parse import InvalidPolicyError

    try:
        facts = _valid_facts(arguments)
    except InvalidPolicyError as error:
        facts = {"valid": False, "problems": list(error.problems), **_NO_FACTS}
    except PolicyError as error:
        if arguments.format != "json":
            raise
        facts = {"valid": False, "problems": [valid_text(str(error))], **_NO_FACTS}
    if arguments.format == "json":
        print(document("policy-check", facts))
    else:
        _tell_check(facts, arguments.file)
    return EXIT_OK if facts["valid"] else EXIT_ERROR


def _valid_facts(arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises InvalidPolicyError."""
    from agentguard.judge.load import load_file

    facts = {"valid": True, "problems": [], **_NO_FACTS}
    if arguments.file is not None:
        return {**facts, "rules": len(load_file(arguments.file).rules), "sources": [str(arguments.file)]}
    policy = _in_force(arguments)
    rules = (*policy.rules, *policy.stricter)
    return {
        **facts,
        "rules": len(rules),
        "sources": list(dict.fromkeys(rule.source for rule in rules)),
        "trusted": not policy.stricter,
        "gateways": list(policy.gateways),
        "gateways_not_trusted": list(policy.gateways_not_trusted),
    }


def _tell_check(facts: dict[str, Any], file: Path | None) -> None:
    if not facts["valid"]:
        for problem in facts["problems"]:
            print(safe(problem), file=sys.stderr)
        return
    sources = safe(", ".join(facts["sources"]))
    print(f"valid: {facts['rules']} rules {'from' if file is None else 'in'} {sources}")
    if not facts["trusted"]:
        print("The repository's policy is not trusted: it may only make verdicts stricter (policy trust FILE).")
    if facts["gateways_not_trusted"]:
        print(f"Its gateways do not count until then: {safe(', '.join(facts['gateways_not_trusted']))}")
    if facts["gateways"]:
        print(f"Gateways to models: {safe(', '.join(facts['gateways']))}")


def _list(arguments: argparse.Namespace) -> int:
    policy = _in_force(arguments)
    rows = [(rule, False) for rule in policy.rules] + [(rule, True) for rule in policy.stricter]
    if arguments.format == "json":
        rules = [_rule_to_json(rule, stricter=stricter) for rule, stricter in rows]
        print(document("policy-list", {"rules": rules}))
        return EXIT_OK
    width = max(len(rule.name) for rule, _ in rows)
    print(f"{'#':>3}  {'RULE':<{width}}  {'DISPOSITION':<11}  {'SEVERITY':<8}  OUTCOME")
    for number, (rule, stricter) in enumerate(rows, 1):
        then = rule.then
        note = "  (only where stricter: not trusted)" if stricter else ""
        print(
            f"{number:>3}  {safe(rule.name):<{width}}  {then.disposition:<11}  {then.severity:<8}  {then.outcome}{note}"
        )
    return EXIT_OK


def _rule_to_json(rule: Rule, *, stricter: bool) -> dict[str, object]:
    return {
        "rule": rule.name,
        "line": rule.line,
        "description": rule.description,
        "when": {condition.word: list(condition.wanted) for condition in rule.conditions},
        "disposition": rule.then.disposition,
        "severity": rule.then.severity,
        "outcome": rule.then.outcome,
        "stricter_only": stricter,
    }


def _explain(arguments: argparse.Namespace) -> int:
    from agentguard.judge.explain import explain, explanation_lines, explanation_to_json

    policy = _in_force(arguments)
    finding, context = _event_named(arguments, policy) if arguments.event else _described(arguments, policy)
    explanation = explain(policy, finding, context)
    if arguments.format == "json":
        print(document("policy-explain", explanation_to_json(explanation)))
    else:
        print("\n".join(map(safe, explanation_lines(explanation))))
    return EXIT_OK


def _event_named(arguments: argparse.Namespace, policy: Policy) -> tuple[Finding, Context]:
    from agentguard.record.reader import Reader
    from agentguard.recorded import Recorded

    with contextlib.closing(Reader(open_home(home_path(arguments.home)).database)) as reader:
        event = reader.event(arguments.event)
        if event is None:
            raise PolicyError(f"no event {arguments.event!r}; `agentguard events` lists them")
        session = reader.session(event.finding.session)
    return Recorded().judgeable(event, session, policy.gateways)


def _described(arguments: argparse.Namespace, policy: Policy) -> tuple[Finding, Context]:
    """The situation that the options describe, completed from the data files as detect would."""
    from agentguard.judge.examples import SITUATION, situation
    from agentguard.recorded import Recorded

    recorded = Recorded()
    given = {word: getattr(arguments, f"word_{word}") for word in SITUATION}
    fields: dict[str, list[str]] = {word: values for word, values in given.items() if values is not None}
    if "argv" in fields:
        fields["argv"] = [part for text in fields["argv"] for part in shlex.split(text)]
    if "type" in fields and "issuer" not in fields:
        fields["issuer"] = list(_issuers(fields["type"][0]))
    if fields.get("kind") == ["file"] and (pattern := recorded.file_pattern("".join(fields.get("path", ())))):
        known = {"file_kind": [pattern.id], "file_agent": [pattern.agent]}
        fields = {**known, "expected_readers": list(pattern.expected_readers), **fields}
    try:
        return situation(fields, replace(recorded.context, gateways=policy.gateways))
    except ValueError as error:
        raise PolicyError(f"this situation cannot be judged: {error}") from None


def _issuers(type_id: str) -> tuple[str, ...]:
    from agentguard.detect.rules import load_types
    from agentguard.model.secret import KNOWN_VALUE
    from agentguard.paths import policies_dir

    if type_id == KNOWN_VALUE:
        return ()
    known = {kind.id: kind.issuer_hosts for kind in load_types(policies_dir() / "secrets.yaml")}
    if type_id in known:
        return known[type_id]
    near = difflib.get_close_matches(type_id, known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"policies/secrets.yaml lists them, or use {KNOWN_VALUE}"
    raise PolicyError(f"no credential type {type_id!r}; {hint}")


def _test(arguments: argparse.Namespace) -> int:
    from agentguard.judge.examples import check_examples
    from agentguard.judge.load import load_file, load_policy
    from agentguard.recorded import Recorded

    if arguments.file is None:
        policy = _in_force(arguments)
        rules = (*policy.rules, *policy.stricter)
    else:
        policy = load_policy(home=None, workspace=None, base=arguments.file)
        rules = load_file(arguments.file).rules
    failures = check_examples(policy, rules, replace(Recorded().context, gateways=policy.gateways))
    count = sum(len(rule.examples) for rule in rules)
    if arguments.format == "json":
        print(document("policy-test", {"examples": count, "failures": [_failure_to_json(one) for one in failures]}))
    else:
        for failure in failures:
            wanted = "fire" if failure.example.expected else "stay silent"
            where = f"{failure.rule.source}:{failure.example.line}: {failure.rule.id}"
            print(safe(f"{where} should {wanted}, but {failure.fired} did"), file=sys.stderr)
        print(f"{count - len(failures)} of {count} examples came out as written")
    return EXIT_FOUND if failures else EXIT_OK


def _failure_to_json(failure: Failure) -> dict[str, object]:
    return {
        "rule": failure.rule.name,
        "line": failure.example.line,
        "expected": failure.example.expected,
        "fired": failure.fired,
    }


def _trust(arguments: argparse.Namespace) -> int:
    from agentguard.judge.load import REPOSITORY_POLICY, TrustStore, load_file, read_policy

    path: Path = arguments.file.absolute()
    if path.name != REPOSITORY_POLICY:
        raise PolicyError(f"{path} is not called {REPOSITORY_POLICY}: only a repository's policy needs trust")
    rules = load_file(path).rules
    data = read_policy(path)
    assert data is not None, "it was there a moment ago"
    TrustStore(open_home(home_path(arguments.home)).root).trust(path, data)
    print(f"trusted: {len(rules)} rules of {path}. Any change to the file needs your trust again.")
    return EXIT_OK
