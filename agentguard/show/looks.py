"""The words, glyphs and colours of outcomes, severities and sensors, outside the dashboard.

A word and a glyph always stand together; a colour only repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.session import SensorState
from agentguard.model.verdict import Disposition, Outcome, Severity, Verdict

RESET = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Look:
    """How one word is shown."""

    glyph: str
    word: str
    sgr: str
    """Select-graphic-rendition parameters of a terminal."""
    meaning: str = ""
    """One sentence for someone who never saw the tool."""

    def text(self, *, color: bool) -> str:
        """Glyph and word."""
        return painted(f"{self.glyph} {self.word}", self.sgr, color=color)


def painted(text: str, sgr: str, *, color: bool) -> str:
    """`text` in a terminal's colour, or as it is."""
    return f"\x1b[{sgr}m{text}{RESET}" if color else text


OUTCOME = {
    Outcome.CLEAN: Look(
        "✓",
        "CLEAN",
        "1;32",
        "No credential was seen leaving to a model provider or to anyone it was not meant for, and every way out was "
        "watched.",
    ),
    Outcome.UNKNOWN: Look(
        "?",
        "UNKNOWN",
        "1;35",
        "No credential was seen leaving, but there were moments in which one could have left unseen. The session "
        "cannot be called clean.",
    ),
    Outcome.EXPOSED: Look(
        "◆",
        "EXPOSED",
        "1;33",
        "A credential was sent to a model provider as part of a prompt. The provider now has it, and may log or keep "
        "it.",
    ),
    Outcome.LEAKED: Look(
        "▲",
        "LEAKED",
        "1;31",
        "A credential was sent to someone who is neither its issuer nor the agent's model provider. Treat it as "
        "known to others.",
    ),
}

SEVERITY = {
    Severity.INFO: Look("·", "info", "2"),
    Severity.LOW: Look("○", "low", "0"),
    Severity.MEDIUM: Look("◆", "medium", "33"),
    Severity.HIGH: Look("▲", "high", "31"),
    Severity.CRITICAL: Look("■", "critical", "1;31"),
}

DISPOSITION = {
    Disposition.IGNORED: Look("·", "ignored", "2"),
    Disposition.LOGGED: Look("○", "logged", "0"),
    Disposition.ALERT: Look("▲", "alert", "31"),
    Disposition.BLOCKED: Look("⊘", "blocked", "1;36"),
}

SENSOR = {
    SensorState.RUNNING: Look("●", "running", "32"),
    SensorState.STOPPED: Look("○", "stopped", "2", "ended in the ordinary way, with the session"),
    SensorState.UNAVAILABLE: Look("✕", "unavailable", "33"),
    SensorState.FAILED: Look("✕", "failed", "31"),
}


def look_of_send(verdict: Verdict) -> Look:
    """What a send came to: blocked, or what it adds to the session's outcome."""
    return DISPOSITION[Disposition.BLOCKED] if was_blocked(verdict) else OUTCOME[verdict.outcome]


def was_blocked(verdict: Verdict) -> bool:
    return verdict.disposition is Disposition.BLOCKED
