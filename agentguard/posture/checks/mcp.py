"""Secrets written into the MCP configurations of coding agents."""

from __future__ import annotations

from collections.abc import Iterator

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.evidence import Credential, Evidence, Inline
from agentguard.posture.words import constant, label, listed, lower, rotate, variable

_WHY_TRACKED = "The file is committed: every clone has the key, and every agent that opens the project reads it."
_WHY = (
    "The file is plain text that every agent, editor extension and MCP server of yours can read; it is copied between "
    "machines and pasted into issues more often than any `.env`."
)


def check(evidence: Evidence) -> Iterator[Weakness]:
    grouped: dict[tuple[str, str], list[Inline]] = {}
    for one in evidence.inline:
        grouped.setdefault((one.kept.file.path, one.kept.match.fingerprint), []).append(one)
    for group in grouped.values():
        yield _weakness(evidence, group)


def _weakness(evidence: Evidence, group: list[Inline]) -> Weakness:
    first = group[0]
    one = Credential(tuple(each.kept for each in group))
    tracked = evidence.is_tracked(first.kept.file)
    servers = listed(list(dict.fromkeys(each.server for each in group)))
    return Weakness(
        check=Check.MCP,
        severity=one.severity if tracked or first.kept.file.at_home else lower(one.severity),
        title=f"{label(evidence, one.match)} is written into {first.agent.name}'s MCP configuration, for {servers}",
        why=_WHY_TRACKED if tracked else _WHY,
        fixes=(
            *_refer(evidence, first),
            *rotate(evidence, [one.match] if tracked else (), why="it was committed"),
        ),
        places=tuple(each.kept.place for each in group),
        type=one.match.type,
        name=one.match.name,
        preview=one.match.preview,
        fingerprint=one.match.fingerprint,
    )


def _refer(evidence: Evidence, first: Inline) -> list[Fix]:
    path, agent = first.kept.file.name, first.agent
    name, scheme = _variable(evidence, first)
    if agent.reference:
        written = agent.reference.replace("NAME", name)
        return [
            Fix(do=f"In {path}, write {written if '`' in written else f'`{scheme}{written}`'} in its place"),
            Fix(do=f"Start {agent.name} with {name} set: from your keychain, `op run`, or direnv"),
        ]
    return [
        Fix(
            do=f"{agent.name} knows no references: in {path}, start the server through something that fetches the key, "
            f'as `"command": "op", "args": ["run", "--", ...]` with `"{name}": "op://..."` in its env'
        )
    ]


def _variable(evidence: Evidence, first: Inline) -> tuple[str, str]:
    """The variable it would go by, and what stands before it: of a header the name says nothing."""
    match = first.kept.match
    if match.name.lower() in ("authorization", "proxy-authorization"):
        return f"{constant(first.server) or 'MCP'}_TOKEN", "Bearer "
    return variable(evidence, match), ""
