"""Two sessions side by side: what the later one did that the earlier one did not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeVar

from agentguard.command_name import command
from agentguard.model.credential import KnownCredential
from agentguard.model.session import Coverage, SensorState, Session
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.record.span import Scope, SpanReader, Tally
from agentguard.show.credential_words import sendings
from agentguard.show.issuers import Issuers, issuer_of, load_issuers
from agentguard.show.looks import DISPOSITION, OUTCOME, SENSOR, SEVERITY, Look
from agentguard.show.phrases import day_and_time, plural
from agentguard.show.session_lines import SHORT_UID
from agentguard.show.sheets.sheet import Cell, Part, Row, Sheet, number, outcome_cell, seen, some, typed, words
from agentguard.show.urgency import worst_outcome

NEW, GONE, BOTH = "new", "gone", "both"
_CHANGE = {NEW: Look("+", NEW, "33"), GONE: Look("−", GONE, "2"), BOTH: Look("=", BOTH, "0")}
_FINE = (SensorState.RUNNING, SensorState.STOPPED)
_TONE = {NEW: "medium", GONE: "low", BOTH: "low"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing, as it was in each of the two."""

    before: Tally | None
    after: Tally | None

    @property
    def what(self) -> str:
        return BOTH if self.before and self.after else NEW if self.after else GONE

    @property
    def one(self) -> Tally:
        """As it is in the later one, or was in the earlier one alone."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """One credential, with its uses in each of the two."""

    before: KnownCredential | None
    after: KnownCredential | None

    @property
    def what(self) -> str:
        return BOTH if self.before and self.after else NEW if self.after else GONE

    @property
    def one(self) -> KnownCredential:
        found = self.after or self.before
        assert found is not None
        return found


_AnyChange = TypeVar("_AnyChange", Change, CredentialChange)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorChange:
    """A sensor that did not stand in both as it did in one."""

    sensor: str
    before: Coverage | None
    after: Coverage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found. Each list: new things first, then those that are in both, then those that are gone."""

    before: Session
    after: Session
    credentials: Sequence[CredentialChange]
    destinations: Sequence[Change]
    files: Sequence[Change]
    commands: Sequence[Change]
    rules: Sequence[Change]
    sensors: Sequence[SensorChange]
    issuers: Issuers
    generated_ns: int
    zone: tzinfo | None = None


def compare(reader: SpanReader, before: Session, after: Session, now_ns: int, zone: tzinfo | None = None) -> Comparison:
    """Raises StoreError when the database cannot be read."""
    scopes = Scope(session=before.uid), Scope(session=after.uid)

    def both(tally: Callable[[Scope], list[Tally]]) -> list[Change]:
        return _changes(*(tally(scope) for scope in scopes))

    return Comparison(
        before=before,
        after=after,
        credentials=_credentials(*(reader.credentials(scope) for scope in scopes)),
        destinations=both(reader.destinations),
        files=both(reader.files),
        commands=both(reader.commands),
        rules=both(reader.rules),
        sensors=_sensors(before, after),
        issuers=load_issuers(),
        generated_ns=now_ns,
        zone=zone,
    )


def compare_sheet(data: Comparison) -> Sheet:
    """For a person: what is in both is counted, not listed."""
    before, after = data.before, data.after
    return Sheet(
        outcome=after.outcome,
        title=f"session {after.uid[:SHORT_UID]} against {before.uid[:SHORT_UID]}",
        headline=_headline(data),
        facts=[("Earlier", _session(data, before)), ("Later", _session(data, after))],
        parts=list(_parts(data)),
        more=f"{command()} compare {before.uid} {after.uid} --format json",
        written=day_and_time(data.generated_ns, data.zone),
    )


def _headline(data: Comparison) -> str:
    counts = [
        plural(count, f"new {name}")
        for name, changes in (
            ("credential", data.credentials),
            ("receiver", data.destinations),
            ("file", data.files),
            ("command", data.commands),
        )
        for count in [sum(one.what == NEW for one in changes)]
        if count
    ]
    was, now = data.before.outcome, data.after.outcome
    outcome = f"{now.value}, as before" if was is now else f"{now.value}, was {was.value}"
    return f"It is {outcome}: {', '.join(counts) or 'nothing new'}."


def _session(data: Comparison, one: Session) -> str:
    look = OUTCOME[one.outcome]
    started = day_and_time(one.start_ns, data.zone)
    return f"{one.uid}, {one.agent_name}, {started}, {look.glyph} {look.word.lower()}"


def _parts(data: Comparison) -> Iterator[Part]:
    rows = ((one.what, _credential_row(data, one)) for one in data.credentials)
    yield _part("Credentials", "credential", ("Credential", "Went to", "Worst"), rows)
    for title, one, head, changes, row in (
        ("Destinations", "receiver", ("Receiver", "Outcome", "Sends"), data.destinations, _destination_row),
        ("Files", "file", ("File", "Done", "Severity", "Events"), data.files, _file_row),
        ("Commands", "command", ("Command", "Severity", "Events"), data.commands, _command_row),
        ("Rules that fired", "rule", ("Rule", "Verdict", "Events"), data.rules, _rule_row),
    ):
        yield _part(title, one, head, ((change.what, row(change.one)) for change in changes))
    yield Part(
        title="What was watched",
        about="Sensors that did not stand in both as they did in one.",
        head=("Sensor", "Earlier", "Later"),
        rows=[(words(one.sensor), _sensor(one.before), _sensor(one.after)) for one in data.sensors],
        empty="The same sensors, in the same state.",
    )


def _part(title: str, one: str, head: Sequence[str], rows: Iterable[tuple[str, Row]]) -> Part:
    """Of what is new and what is gone; what is in both is counted."""
    all_rows = list(rows)
    shown = [(_change(what), *row) for what, row in all_rows if what != BOTH]
    both = len(all_rows) - len(shown)
    kept = f"{plural(both, one) if both else 'None'} in both."
    return Part(title=title, head=("Change", *head), rows=shown, about=kept, empty=f"No difference; {kept}")


def _change(what: str) -> Cell:
    return seen(_CHANGE[what], _TONE[what])


def _credential_row(data: Comparison, change: CredentialChange) -> Row:
    one = change.one
    went = some(use.host for use in sendings(one.uses) if use.host and not use.blocked)
    return (words(one.name or issuer_of(data.issuers, one.type).name), typed(went), outcome_cell(worst_outcome(one)))


def _destination_row(one: Tally) -> Row:
    host, outcome, blocked = one.key
    came = seen(DISPOSITION[Disposition.BLOCKED], "blocked") if blocked else outcome_cell(Outcome(outcome))
    return (typed(host), came, number(one.events))


def _file_row(one: Tally) -> Row:
    path, activity = one.key
    return (typed(path), words(activity), _severity(one.severity), number(one.events))


def _command_row(one: Tally) -> Row:
    return (typed(one.key[0]), _severity(one.severity), number(one.events))


def _rule_row(one: Tally) -> Row:
    rule, disposition = one.key
    return (typed(rule), seen(DISPOSITION[Disposition(disposition)], disposition), number(one.events))


def _severity(severity: Severity) -> Cell:
    return seen(SEVERITY[severity], severity.value)


def _sensor(one: Coverage | None) -> Cell:
    if one is None:
        return words("not there")
    proof = "proved" if one.proved else "not proved"
    lost = f", {one.drops:,} lost" if one.drops else ""
    look = SENSOR[one.state]
    return Cell(f"{look.word}, {proof}{lost}", look=look, tone=one.state.value)


def _changes(before: Sequence[Tally], after: Sequence[Tally]) -> list[Change]:
    old, new = {one.key: one for one in before}, {one.key: one for one in after}
    return _ordered([Change(old.get(key), new.get(key)) for key in {**new, **old}])


def _credentials(before: Sequence[KnownCredential], after: Sequence[KnownCredential]) -> list[CredentialChange]:
    old, new = ({one.fingerprint: one for one in known} for known in (before, after))
    return _ordered([CredentialChange(old.get(key), new.get(key)) for key in {**new, **old}])


def _ordered(changes: list[_AnyChange]) -> list[_AnyChange]:
    return sorted(changes, key=lambda one: (NEW, BOTH, GONE).index(one.what))


def _sensors(before: Session, after: Session) -> list[SensorChange]:
    old, new = _by_name(before), _by_name(after)
    changes = [
        SensorChange(sensor=name, before=old.get(name), after=new.get(name)) for name in dict.fromkeys([*old, *new])
    ]
    return [one for one in changes if _standing(one.before) != _standing(one.after)]


def _by_name(session: Session) -> Mapping[str, Coverage]:
    return {one.sensor: one for one in session.coverage}


def _standing(one: Coverage | None) -> tuple[object, ...]:
    """What makes a difference: how many events it saw does not, nor that its session ended."""
    return () if one is None else (one.state in _FINE, one.proved, bool(one.drops))
