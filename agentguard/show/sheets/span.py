"""The report of a range of sessions: what came of each, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from agentguard.command_name import command
from agentguard.model.credential import KnownCredential
from agentguard.model.session import Session
from agentguard.model.verdict import Disposition, Outcome
from agentguard.record.span import Scope, SpanReader, Tally
from agentguard.show.credential_words import readings, sendings
from agentguard.show.issuers import Issuers, issuer_of, load_issuers
from agentguard.show.looks import DISPOSITION, OUTCOME
from agentguard.show.phrases import day_and_time, plural
from agentguard.show.session_lines import SHORT_UID, state
from agentguard.show.sheets.sheet import Part, Row, Sheet, number, outcome_cell, seen, some, typed, words
from agentguard.show.text import shortened
from agentguard.show.urgency import worst_outcome

_SUMMED = ("reads", "sends", "flows", "blocked", "gaps_counted", "alerts")
_LONGEST_AGENT = 24
_MOST_DAYS = 400
"""Days without a session are told up to here: a clock that was wrong once must not make thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What began on one day."""

    day: date
    sessions: int
    outcomes: Counter[Outcome]
    counts: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanData:
    """All that is said of a range."""

    scope: Scope
    sessions: Sequence[Session]
    """Oldest first."""
    days: Sequence[Day]
    """Every one from the first session's to the last's, those without a session too."""
    credentials: Sequence[KnownCredential]
    """Worst first; with their uses in the range alone."""
    spread: Mapping[str, int]
    """Fingerprint → in how many of the sessions it was used."""
    destinations: Sequence[Tally]
    gaps: Sequence[Tally]
    rules: Sequence[Tally]
    issuers: Issuers
    generated_ns: int
    zone: tzinfo | None = None

    @property
    def outcomes(self) -> Counter[Outcome]:
        return Counter(session.outcome for session in self.sessions)

    @property
    def counts(self) -> Counter[str]:
        return _summed(self.sessions)

    @property
    def worst(self) -> Outcome:
        return max((session.outcome for session in self.sessions), key=lambda one: one.rank, default=Outcome.CLEAN)


def gather_span(reader: SpanReader, scope: Scope, now_ns: int, zone: tzinfo | None = None) -> SpanData:
    """Raises StoreError when the database cannot be read."""
    sessions = reader.sessions(scope)
    known = reader.credentials(scope)
    return SpanData(
        scope=scope,
        sessions=sessions,
        days=list(_days(sessions, zone)),
        credentials=sorted(known, key=lambda one: -worst_outcome(one).rank),
        spread=reader.spread(scope),
        destinations=sorted(reader.destinations(scope), key=lambda one: -Outcome(one.key[1]).rank),
        gaps=reader.gaps(scope),
        rules=reader.rules(scope),
        issuers=load_issuers(),
        generated_ns=now_ns,
        zone=zone,
    )


def span_sheet(data: SpanData) -> Sheet:
    """For a person."""
    return Sheet(
        outcome=data.worst,
        title=f"{plural(len(data.sessions), 'session')} under AgentGuard",
        headline=_headline(data),
        facts=_facts(data),
        numbers=[
            ("credentials touched", len(data.credentials)),
            ("reads of secret files", data.counts["reads"]),
            ("sends with a credential", data.counts["sends"]),
            ("flows: read, then sent", data.counts["flows"]),
            ("requests blocked", data.counts["blocked"]),
            ("gaps that count", data.counts["gaps_counted"]),
        ],
        parts=list(_parts(data)),
        more=f"{command()} report {_options(data.scope)} --format json",
        written=day_and_time(data.generated_ns, data.zone),
    )


def _headline(data: SpanData) -> str:
    if not data.sessions:
        return "No session began in this time."
    counts = [f"{data.outcomes[one]:,} {one.value}" for one in reversed(Outcome) if data.outcomes[one]]
    return f"Of {plural(len(data.sessions), 'session')}: {', '.join(counts)}."


def _facts(data: SpanData) -> list[tuple[str, str]]:
    scope, ends = data.scope, data.sessions
    since = day_and_time(scope.since_ns, data.zone) if scope.since_ns else "the beginning"
    last = scope.until_ns if scope.until_ns < Scope().until_ns else data.generated_ns
    agents = some(session.agent_name for session in ends) or scope.agent or "none"
    return [("From", since), ("To", day_and_time(last, data.zone)), ("Agents", agents)]


def _options(scope: Scope) -> str:
    """What asks for the same again."""
    parts = [f"--since {_utc(scope.since_ns)}"]
    parts += [f"--until {_utc(scope.until_ns)}"] if scope.until_ns < Scope().until_ns else []
    parts += [f"--agent {scope.agent}"] if scope.agent else []
    return " ".join(parts)


def _utc(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000).astimezone():%Y-%m-%dT%H:%M:%S%z}"


def _parts(data: SpanData) -> Iterator[Part]:
    grave = [one for one in reversed(data.sessions) if one.outcome is not Outcome.CLEAN]
    grave.sort(key=lambda one: -one.outcome.rank)
    yield Part(
        title="Sessions that are not clean",
        about="Worst first, then the newest.",
        head=("Session", "Started", "Agent", "Outcome", "Why"),
        rows=[_session_row(data, one) for one in grave],
        empty="Every session was clean." if data.sessions else "There was none.",
    )
    yield Part(
        title="Credentials",
        about="Worst first; what came of each in these sessions alone.",
        head=("Credential", "Type", "Taken by", "Sessions", "Went to", "Worst"),
        rows=[_credential_row(data, one) for one in data.credentials],
        empty="None was touched.",
    )
    yield Part(
        title="Destinations",
        about="Every receiver of a credential, worst first; repetitions are counted.",
        head=("Receiver", "Outcome", "Sends", "Sessions", "Last"),
        rows=[_destination_row(data, one) for one in data.destinations],
        empty="Nothing with a credential was sent.",
    )
    yield Part(
        title="Day by day",
        about="By the day on which a session began, the newest first.",
        head=("Day", "Sessions", "Leaked", "Exposed", "Unknown", "Reads", "Sends", "Gaps"),
        rows=[_day_row(day) for day in reversed(data.days)],
        empty="No session.",
    )
    yield Part(
        title="Gaps that counted",
        about="Moments in which a credential could have left unseen.",
        head=("Gap", "Times", "Sessions", "To close it"),
        rows=[(words(one.key[0]), number(one.events), number(one.sessions), words(one.key[1])) for one in data.gaps],
        empty="None.",
    )
    yield Part(
        title="Rules that fired",
        about="Gravest first.",
        head=("Rule", "Verdict", "Events", "Sessions"),
        rows=[_rule_row(one) for one in data.rules],
        empty="None.",
    )


def _session_row(data: SpanData, one: Session) -> Row:
    started = day_and_time(one.start_ns, data.zone)
    why = one.outcome_reason or state(one)
    agent = words(shortened(one.agent_name, _LONGEST_AGENT))
    return (typed(one.uid[:SHORT_UID]), words(started), agent, outcome_cell(one.outcome), words(why))


def _credential_row(data: SpanData, one: KnownCredential) -> Row:
    kind = issuer_of(data.issuers, one.type)
    return (
        words(one.name or kind.name),
        words(kind.name),
        words(some(reading.agent for reading in readings(one.uses)) or "nobody"),
        number(data.spread.get(one.fingerprint, 0)),
        typed(some(use.host for use in sendings(one.uses) if use.host and not use.blocked)),
        outcome_cell(worst_outcome(one)),
    )


def _destination_row(data: SpanData, one: Tally) -> Row:
    host, outcome, blocked = one.key
    came = (
        seen(DISPOSITION[Disposition.BLOCKED], Disposition.BLOCKED.value)
        if blocked
        else seen(OUTCOME[Outcome(outcome)], outcome)
    )
    last = day_and_time(one.last_ns, data.zone)
    return (typed(host), came, number(one.events), number(one.sessions), words(last))


def _day_row(day: Day) -> Row:
    outcomes = (day.outcomes[one] for one in (Outcome.LEAKED, Outcome.EXPOSED, Outcome.UNKNOWN))
    counts = (day.counts[name] for name in ("reads", "sends", "gaps_counted"))
    return (words(day.day.isoformat()), number(day.sessions), *map(number, outcomes), *map(number, counts))


def _rule_row(one: Tally) -> Row:
    rule, disposition = one.key
    became = seen(DISPOSITION[Disposition(disposition)], disposition)
    return (typed(rule), became, number(one.events), number(one.sessions))


def _days(sessions: Sequence[Session], zone: tzinfo | None) -> Iterator[Day]:
    found: dict[date, list[Session]] = {}
    for session in sessions:
        found.setdefault(_day(session.start_ns, zone), []).append(session)
    days = sorted(found)
    if days and (days[-1] - days[0]).days < _MOST_DAYS:
        days = [days[0] + timedelta(number) for number in range((days[-1] - days[0]).days + 1)]
    for day in days:
        ours = found.get(day, [])
        yield Day(
            day=day,
            sessions=len(ours),
            outcomes=Counter(session.outcome for session in ours),
            counts=_summed(ours),
        )


def _day(time_ns: int, zone: tzinfo | None) -> date:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, zone).date()


def _summed(sessions: Iterable[Session]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for session in sessions:
        counts.update({name: session.counts.get(name, 0) for name in _SUMMED})
    return counts
