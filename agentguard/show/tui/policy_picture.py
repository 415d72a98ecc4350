"""A rule, and why an event was judged as it was, as the dashboard shows them. Pure."""

from __future__ import annotations

from textual.content import Content

from agentguard.model.event import Event
from agentguard.model.verdict import Disposition, Outcome, Severity
from agentguard.show.policy_view import Explained, PartExplained, RuleView
from agentguard.show.tui.words import MUTED, OUTCOME, SEVERITY, clean, plural

MOST_TRIED = 60
DISPOSITION = {
    Disposition.IGNORED: ("·", MUTED),
    Disposition.LOGGED: ("○", "$text"),
    Disposition.ALERT: ("▲", "$text-error"),
    Disposition.BLOCKED: ("■", "bold $text-warning"),
}


def short_name(rule: str) -> str:
    """Without its file."""
    return clean(rule.rpartition(":")[2])


def rule_item(name: str, rule: RuleView | None, in_session: int, overall: int, *, short: bool) -> Content:
    """One line of the list: how often here, how often at all (not when `short`), its name."""
    glyph, style = DISPOSITION[rule.disposition] if rule else ("?", MUTED)
    here, ever = (f"{in_session:,}", f"{overall:,}") if overall else ("–", "–")
    counts = f"{here:>5} " if short else f"{here:>6} {ever:>7}  "
    return Content.assemble((counts, "bold" if in_session else MUTED), (f"{glyph} ", style), short_name(name))


def says(disposition: Disposition, severity: Severity, outcome: Outcome) -> Content:
    """`▲ alert   ■ CRIT   ▲ LEAKED`."""
    glyph, style = DISPOSITION[disposition]
    grave, becomes = SEVERITY[severity], OUTCOME[outcome]
    return Content.assemble(
        (f"{glyph} {disposition.value}", style), "   ", (f"{grave.glyph} {grave.word}", grave.style), "   ",
        (f"{becomes.glyph} {becomes.word}", becomes.style),
    )  # fmt: skip


def rule_picture(name: str, rule: RuleView | None, counts: tuple[int, int], last: Event | None) -> Content:
    """What it says, how often it decided, the last time, and its lines in the file. Wraps freely."""
    lines = [Content.styled(clean(name), "bold")]
    if rule is None:
        lines.append(Content.styled("It decided once, and is in force no more.", "$text-warning"))
    else:
        lines += [says(rule.disposition, rule.severity, rule.outcome), Content(), Content(clean(rule.description))]
        if rule.stricter_only:
            lines.append(Content.styled("Not trusted: it counts only where it is stricter.", "$text-warning"))
    lines += [
        Content(),
        Content.assemble(
            ("Decided  ", MUTED), (plural(counts[0], "event"), "bold"), " of this session, ",
            (f"{counts[1]:,}", "bold"), " of all",
        ),
    ]  # fmt: skip
    if last is not None:
        lines.append(Content.assemble(("Last     ", MUTED), event_line(last)))
    if rule is not None and rule.source:
        lines += [Content(), Content.styled(f"Line {rule.line}", f"bold {MUTED}")]
        lines += [yaml_line(text) for text in rule.source.splitlines()]
    return Content("\n").join(lines)


def event_line(event: Event) -> str:
    severity = SEVERITY[event.verdict.severity]
    return f"{severity.glyph} {clean(event.finding.subject)}"


def yaml_line(text: str) -> Content:
    """A key stands out, a comment stands back."""
    line = clean(text)
    key, colon, rest = line.partition(":")
    if line.lstrip().startswith("#"):
        return Content.styled(line, MUTED)
    if colon and " " not in key.strip().removeprefix("- "):
        return Content.assemble((key + colon, "$text-primary"), rest)
    return Content(line)


def explained_picture(event: Event, explained: Explained, width: int) -> Content:
    """Every rule that was tried, what kept it from firing, and the one that decided."""
    lines = [Content.styled(clean(event.finding.subject), "bold")]
    lines.append(says(explained.disposition, explained.severity, explained.outcome))
    lines += [Content(clean(explained.reason)), Content()]
    if explained.rule != event.verdict.rule:
        then = f"When it was recorded, {clean(event.verdict.rule)} decided: the policy has changed since."
        lines += [Content.styled(then, "$text-warning"), Content()]
    for part in explained.parts:
        lines += (line.truncate(width, ellipsis=True) for line in _part(part))
    return Content("\n").join(lines)


def _part(part: PartExplained) -> list[Content]:
    lines = [Content.styled(clean(part.title), "bold $text-primary")]
    if part.of_other_kinds:
        lines.append(Content.styled(f"  {plural(part.of_other_kinds, 'rule')} of other kinds of events", MUTED))
    for tried in part.tried[:MOST_TRIED]:
        if tried.fired:
            lines.append(Content.assemble(("  ✓ ", "$text-success"), (clean(tried.rule), "bold"), "  decided"))
        else:
            lines.append(Content.assemble(("  · ", MUTED), short_name(tried.rule), (f"  {clean(tried.why)}", MUTED)))
    return [*lines, Content()]
