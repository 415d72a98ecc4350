"""Situations in a few words (a rule's examples, `policy explain`), made into findings that can be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from agentguard.judge.context import Context
from agentguard.judge.policy import Example, Policy, Rule
from agentguard.model.access import Access
from agentguard.model.finding import Activity, Finding, Flow, Gap, Kind
from agentguard.model.observation import GapType
from agentguard.model.process import ATTRIBUTION_OF, Ancestor, Attribution, Process
from agentguard.model.secret import SecretMatch

SITUATION = {
    "kind": "file, command, environment, http, network, gap, finding, session",
    "activity": "left out: the ordinary one of its kind",
    "host": "receiving host or address",
    "port": "",
    "asked_host": "name in the request's Host that the receiving host did not prove",
    "method": "GET, POST, ...",
    "protocol": "http/1.1, h2, websocket, tcp, udp",
    "path": "of the file; of the URL, for a request",
    "file_kind": "id of policies/files.yaml",
    "file_agent": "agent whose login the file is",
    "expected_readers": "programs whose read of the file is ordinary",
    "command_rule": "id of policies/commands.yaml",
    "process": "the executable's name",
    "argv": "its command line",
    "ancestors": "its parents' names, nearest first",
    "agent_process": "true: it is the agent itself",
    "agent": "the session's agent",
    "type": "credential type id",
    "place": "where the secret stood: body, header:authorization, ...",
    "issuer": "hosts the credential is meant for",
    "public": "true: publishable by design",
    "source": "secret file the value stands in",
    "flow": "true: it was read before in this session",
    "gap": "type of the gap",
    "sensor": "",
    "covered_by": "sensor that saw what this one could not",
    "secret_within_reach": "true or false",
    "attribution": "exact, inferred, unknown",
    "access": "usual, new-reader, sudden-rise, rotated: compared with earlier sessions",
    "secret_host": "true: a secret of the session names this host as its own",
    "gateway": "true: the policy names the host as a gateway to models",
    "remote_host": "true: it is the host of one of the repository's remotes",
}
"""Words of a situation, each with its meaning."""

LISTS = frozenset({"argv", "ancestors", "expected_readers", "issuer"})
"""Words with several values; the others have one."""

_ACTIVITY = {
    Kind.FILE: Activity.READ,
    Kind.COMMAND: Activity.EXEC,
    Kind.ENVIRONMENT: Activity.INHERIT,
    Kind.HTTP: Activity.SEND,
    Kind.NETWORK: Activity.SEND,
    Kind.GAP: Activity.GAP,
    Kind.FINDING: Activity.READ,
    Kind.SESSION: Activity.START,
}
_CONFIDENCE = {attribution: confidence for confidence, attribution in reversed(ATTRIBUTION_OF.items())}
_PLACE = {Kind.FILE: "file", Kind.COMMAND: "argv", Kind.ENVIRONMENT: "environment"}
_Name = TypeVar("_Name", bound=StrEnum)
_FINGERPRINT = "0" * 32
_PID = 4242


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that did not come out as its rule says."""

    rule: Rule
    example: Example
    fired: str
    """The rule (FILE:ID) that fired, or what is wrong with the example."""


def situation(fields: Mapping[str, Sequence[str]], base: Context) -> tuple[Finding, Context]:
    """A finding and its context.

    Args:
        fields: words of `SITUATION` to their values.
        base: what every situation has in common (the model hosts).

    Raises:
        ValueError: a word or a value is not known; the text says which.
    """
    unknown = next((word for word in fields if word not in SITUATION), None)
    if unknown is not None:
        raise ValueError(f"unknown word {unknown!r}; allowed: {', '.join(SITUATION)}")
    words = {word: values[0] if values else "" for word, values in fields.items()}
    own = frozenset({words.get("host", "")})
    context = replace(
        base,
        session_agent=words.get("agent", base.session_agent),
        root_pid=_PID if _true(words, "agent_process") else 0,
        secret_hosts=own if _true(words, "secret_host") else frozenset(),
        remote_hosts=own if _true(words, "remote_host") else frozenset(),
        gateways=tuple(own) if _true(words, "gateway") else base.gateways,
    )
    return _finding(fields, words), context


def check_examples(policy: Policy, rules: Sequence[Rule], base: Context) -> list[Failure]:
    """Judge every example of `rules` by `policy`: `match` wants its own rule to fire, `no_match` any other."""
    failures: list[Failure] = []
    for rule in rules:
        for example in rule.examples:
            try:
                finding, context = situation(dict(example.fields), base)
                fired = policy.judge(finding, context).rule
            except ValueError as error:
                failures.append(Failure(rule, example, str(error)))
                continue
            if (fired == rule.name) is not example.expected:
                failures.append(Failure(rule, example, fired))
    return failures


def _finding(fields: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> Finding:
    kind = _one_of(Kind, words.get("kind", "http"))
    host, path = words.get("host", ""), words.get("path", "")
    sends = kind in (Kind.HTTP, Kind.NETWORK)
    method = words.get("method", "POST" if kind is Kind.HTTP else "")
    attribution = _one_of(Attribution, words.get("attribution", "exact"))
    return Finding(
        uid="example",
        time_ns=0,
        session="example",
        agent=words.get("agent", "unknown"),
        kind=kind,
        activity=_one_of(Activity, words.get("activity", _ACTIVITY[kind])),
        subject=f"{method} https://{host}{path}" if sends else path or host,
        sensor=words.get("sensor", "example"),
        process=_process(fields, words),
        attribution=attribution,
        confidence=_CONFIDENCE[attribution],
        path="" if sends else path,
        host=host,
        port=_port(words.get("port", "0")),
        asked_host=words.get("asked_host", ""),
        method=method,
        protocol=words.get("protocol", ""),
        matches=_matches(kind, fields, words),
        flow=Flow("example", 1.0, _FINGERPRINT) if _true(words, "flow") else None,
        file_kind=words.get("file_kind", ""),
        expected_readers=tuple(fields.get("expected_readers", ())),
        file_agent=words.get("file_agent", ""),
        command_rule=words.get("command_rule", ""),
        gap=_gap(words),
    )


def _process(fields: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> Process | None:
    name = words.get("process", "agent" if "agent_process" in words else "")
    if not name:
        return None
    return Process(
        pid=_PID,
        name=name,
        exe=f"/usr/bin/{name}",
        cmdline=tuple(fields.get("argv", (name,))),
        ancestors=tuple(Ancestor(1, parent) for parent in fields.get("ancestors", ())),
    )


def _matches(kind: Kind, fields: Mapping[str, Sequence[str]], words: Mapping[str, str]) -> tuple[SecretMatch, ...]:
    if "type" not in words:
        return ()
    match = SecretMatch(
        type=words["type"],
        fingerprint=_FINGERPRINT,
        preview="•••",
        place=words.get("place", _PLACE.get(kind, "body")).lower(),
        issuer_hosts=tuple(fields.get("issuer", ())),
        public=_true(words, "public"),
        source_path=words.get("source", ""),
        access=_one_of(Access, words.get("access", Access.USUAL)),
    )
    return (match,)


def _gap(words: Mapping[str, str]) -> Gap | None:
    if "gap" not in words:
        return None
    return Gap(
        type=_one_of(GapType, words["gap"]),
        sensor=words.get("sensor", "example"),
        detail="an example",
        covered_by=words.get("covered_by", ""),
        secret_within_reach=_true(words, "secret_within_reach", missing=True),
    )


def _one_of(names: type[_Name], text: str) -> _Name:
    if text not in list(names):
        raise ValueError(f"{text!r} is not known; allowed: {', '.join(names)}")
    return names(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise ValueError(f"port {text!r} is no number")
    return int(text)


def _true(words: Mapping[str, str], word: str, *, missing: bool = False) -> bool:
    text = words.get(word)
    if text is None:
        return missing
    if text not in ("true", "false"):
        raise ValueError(f"{word} must be true or false")
    return text == "true"
