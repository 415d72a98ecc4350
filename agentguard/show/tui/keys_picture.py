"""One credential as the dashboard shows it: what to do, where it lives, who took it, where it went. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from textual.content import Content

from agentguard.model.credential import CredentialUse, KnownCredential
from agentguard.model.verdict import Outcome
from agentguard.show.credential_words import doer, readings, sendings, where, why
from agentguard.show.issuers import issuer_of
from agentguard.show.keys_text import Page, name_of
from agentguard.show.phrases import day_and_time, listed, plural
from agentguard.show.tui.flow_picture import EXPECTED
from agentguard.show.tui.lines import LABEL, Line, blank, bullet, field, heading, joined
from agentguard.show.tui.words import MUTED, OUTCOME, Look, clean
from agentguard.show.urgency import DEMANDS, Cause, lies_in

MOST_LINES = 20
"""Of one section."""
CAUSE = {
    Cause.LEAKED: Look("▲", "leaked", "bold $text-error"),
    Cause.STILL_USED: Look("↻", "old value in use", "bold $text-error"),
    Cause.EXPOSED: Look("◆", "exposed", "bold $text-warning"),
    Cause.COMMITTED: Look("■", "committed", "$text-warning"),
    Cause.MISPLACED: Look("□", "misplaced", "$text-warning"),
}
_ROTATED, _PUBLIC = Look("✓", "rotated", "$text-success"), Look("·", "public", MUTED)
_KEPT = Look("·", "no cause", MUTED)
SENT = {**OUTCOME, Outcome.CLEAN: EXPECTED}
"""A send that was as it should be."""


def key_look(page: Page, one: KnownCredential) -> Look:
    """Its state."""
    task = page.task_of.get(one.fingerprint)
    if task is not None:
        return CAUSE[task.cause]
    return _PUBLIC if one.public else _ROTATED if one.rotated_ns is not None else _KEPT


def key_item(page: Page, one: KnownCredential) -> Content:
    """Two lines of the list: what it is, and why it is where it is in the list."""
    look, task = key_look(page, one), page.task_of.get(one.fingerprint)
    when = f"{DEMANDS[task.cause].when}: " if task else ""
    return Content.assemble(
        (f"{look.glyph} ", look.style), (clean(name_of(one, page.issuers)), "bold"), "\n  ",
        (f"{when}{look.word}", look.style), (f"  {one.fingerprint[:8]}", MUTED),
    )  # fmt: skip


def key_picture(page: Page, one: KnownCredential, width: int, zone: tzinfo | None) -> Content:
    """None of its lines is wider than `width`."""
    look, issuer = key_look(page, one), issuer_of(page.issuers, one.type)
    head = Content.assemble(
        (clean(name_of(one, page.issuers)), "bold"), f"  {clean(one.preview)}  ",
        (f"{look.glyph} {look.word}", look.style),
    )  # fmt: skip
    scope = f", {issuer.scope.value} key" if issuer.scope.value != "unknown" else ""
    lines = [Line(head, 2), Line(Content.styled(f"{clean(issuer.name)}{scope}", MUTED), 2), blank()]
    lines += _to_do(page, one, zone)
    lines += _section("Lives in", [clean(where(place)) for place in lies_in(one)], "nowhere that is known")
    lines += _section("Taken by", _taken(one, zone), "nobody")
    lines += _sent(one, zone)
    lines += [blank(), field("id", one.fingerprint)]
    lines.append(field("seen", f"{day_and_time(one.first_seen_ns, zone)} – {day_and_time(one.last_seen_ns, zone)}"))
    return joined(lines, width)


def _to_do(page: Page, one: KnownCredential, zone: tzinfo | None) -> list[Line]:
    task, issuer = page.task_of.get(one.fingerprint), issuer_of(page.issuers, one.type)
    lines = []
    if task is not None:
        demand = DEMANDS[task.cause]
        do = Content.styled(demand.do.format(name=clean(name_of(one, page.issuers))), "bold")
        lines += [field(demand.when, do, CAUSE[task.cause].style), field("why", clean(why(task, zone)))]
    if issuer.rotation:
        lines.append(field("page", Content.styled(clean(issuer.rotation), "underline")))
    if one.rotated_ns is not None:
        lines.append(field("rotated", f"{day_and_time(one.rotated_ns, zone)}; t takes that back"))
    elif task is not None:
        lines.append(field("done?", "t marks it as rotated: any use of its old value is told from then on"))
    if task is None and one.rotated_ns is None:
        lines.insert(0, bullet("Nothing to do: it was not seen where it should not be.", "✓", "$text-success"))
    return lines


def _taken(one: KnownCredential, zone: tzinfo | None) -> list[str]:
    return [
        f"{'unknown agent' if reading.agent == 'unknown' else clean(reading.agent)}  {reading.word} "
        f"{plural(reading.count, 'time')} in {plural(reading.sessions, 'session')}, last "
        f"{day_and_time(reading.last_ns, zone)} by {listed([clean(name) or '?' for name in reading.processes[-3:]])}"
        for reading in readings(one.uses)
    ]


def _sent(one: KnownCredential, zone: tzinfo | None) -> list[Line]:
    sends = sendings(one.uses)
    lines = [blank(), heading("Sent to")]
    for use in sends[:MOST_LINES]:
        look = _send_look(use)
        said = (
            f"  {plural(use.count, 'time')}, last {day_and_time(use.last_ns, zone)} by {doer(use.process, use.agent)}"
        )
        host = Content.assemble((clean(use.host) or "?", "bold"), (clean(said), MUTED))
        lines.append(
            bullet(Content.assemble((look.word.lower().ljust(LABEL), look.style), host), look.glyph, look.style)
        )
    return lines + _rest(len(sends), "nobody")


def _send_look(use: CredentialUse) -> Look:
    return Look("■", "BLOCKED", "bold $text-warning") if use.blocked else SENT[use.outcome]


def _section(title: str, texts: Sequence[str], none: str) -> list[Line]:
    lines = [blank(), heading(title), *map(bullet, texts[:MOST_LINES])]
    return lines + _rest(len(texts), none)


def _rest(count: int, none: str) -> list[Line]:
    if not count:
        return [bullet(Content.styled(none, MUTED))]
    return [bullet(Content.styled(f"and {count - MOST_LINES:,} more", MUTED))] if count > MOST_LINES else []
