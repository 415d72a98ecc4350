"""What the outcome means and what to do next, for someone who never saw the tool. Plain text, not escaped."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.event import Event
from agentguard.model.session import SensorState
from agentguard.model.verdict import Disposition, Outcome
from agentguard.show.issuers import issuer_of
from agentguard.show.phrases import clock_time, day_and_time, process_name
from agentguard.show.report.credentials import Credential
from agentguard.show.report.data import ReportData
from agentguard.show.urgency import DEMANDS, Cause, Standing, cause_of, urgency

MOST_STEPS = 12

_DEFAULT_REASON = {
    Outcome.CLEAN: "No credential was seen leaving to anyone it was not meant for.",
    Outcome.UNKNOWN: "Nothing was seen leaving, but a gap means that the session cannot be called clean.",
    Outcome.EXPOSED: "A credential was sent to a model provider.",
    Outcome.LEAKED: "A credential was sent to someone it was not meant for.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    do: str
    """A sentence."""
    why: str = ""
    page: str = ""
    """https address at which it is done; "" when there is none."""


def headline(data: ReportData) -> str:
    """The reason for the outcome, in one sentence."""
    return data.session.outcome_reason or _DEFAULT_REASON[data.session.outcome]


def next_steps(data: ReportData) -> list[Step]:
    """Most urgent first; at least one."""
    urgent = _most_urgent(data)
    steps = [_replace(data, one, cause) for one, cause in urgent]
    worst = next((one.at(one.outcome) for one, _ in urgent if one.outcome is not Outcome.CLEAN), [])
    if worst:
        steps.append(_find_cause(data, worst[0]))
    steps += _close_gaps(data)
    blocked = sum(event.verdict.disposition is Disposition.BLOCKED for event in data.events)
    if blocked:
        asked = "the blocked request" if blocked == 1 else f"the {blocked:,} blocked requests"
        steps.append(Step(f"See what asked for {asked} before you allow it.", "No credential left with it."))
    if len(steps) > MOST_STEPS:
        rest = len(steps) - MOST_STEPS
        steps = [*steps[:MOST_STEPS], Step(f"And {rest:,} more: `agentguard keys worklist` has every key.")]
    return steps or [Step("Nothing needs to be done.", "Keep the seal below if you have to prove this later.")]


def _most_urgent(data: ReportData) -> list[tuple[Credential, Cause]]:
    """The credentials that must be replaced for what happened in this session."""
    found = []
    for one in data.credentials:
        cause = cause_of(
            Standing(
                outcome=one.outcome,
                public=one.public,
                rotated_ns=data.rotated.get(one.fingerprint),
                last_used_ns=one.last_ns,
            )
        )
        if cause is not None:
            found.append((one, cause))
    return sorted(found, key=lambda task: urgency(task[1], issuer_of(data.issuers, task[0].type), task[0].last_ns))


def _replace(data: ReportData, credential: Credential, cause: Cause) -> Step:
    kind = issuer_of(data.issuers, credential.type)
    why = f"{kind.name[:1].upper()}{kind.name[1:]}. " if credential.name else ""
    if cause is Cause.STILL_USED:
        why += f"It was marked as rotated {day_and_time(data.rotated[credential.fingerprint], data.zone)}. "
    why += _went(data, credential)
    if kind.rotation and not kind.page:
        why += f" {kind.rotation}."
    elif not kind.page and credential.sources:
        why += f" It stands in {credential.sources[0]}."
    return Step(DEMANDS[cause].do.format(name=credential.name or kind.name), why, kind.page)


def _went(data: ReportData, credential: Credential) -> str:
    sends = credential.at(credential.outcome)
    if not sends:
        return f"It was last read at {clock_time(credential.last_ns, data.zone)}."
    hosts = list(dict.fromkeys(event.finding.host or event.finding.subject for event in sends))
    places = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    how = "was in a prompt to" if credential.outcome is Outcome.EXPOSED else "went to"
    when = clock_time(sends[0].finding.time_ns, data.zone)
    return f"It {how} {places} at {when}, sent by {process_name(sends[0].finding.process)}."


def _find_cause(data: ReportData, event: Event) -> Step:
    when = clock_time(event.finding.time_ns, data.zone)
    return Step(
        f"Find out why: read the agent's transcript around {when}.",
        f"{process_name(event.finding.process)} made the request; the chain of processes below shows who started it.",
    )


def _close_gaps(data: ReportData) -> list[Step]:
    """Each remedy once, then the sensors that did not run."""
    steps: dict[str, Step] = {}
    for event in data.gaps_counted:
        gap = event.finding.gap
        if gap is not None and gap.remedy:
            steps.setdefault(
                gap.remedy,
                Step(f"To close a gap: {gap.remedy.rstrip('.')}.", f"{gap.detail[:1].upper()}{gap.detail[1:]}."),
            )
    down = [one.sensor for one in data.session.coverage if one.state in (SensorState.UNAVAILABLE, SensorState.FAILED)]
    if down:
        why = f"Not watching in this session: {', '.join(down)}."
        steps["doctor"] = Step("Run `agentguard doctor` to see what this machine needs.", why)
    return list(steps.values())
