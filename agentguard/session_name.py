"""`--session S` of every verb: a uid, a beginning of one, or `last`."""

from __future__ import annotations

from agentguard.command_name import command
from agentguard.errors import AgentGuardError
from agentguard.model.session import Session
from agentguard.record.reader import LAST, Reader

_MOST = 500
"""The newest, among which a name that is mistyped is looked for."""


def named_session(reader: Reader, name: str) -> Session:
    """The one that is meant.

    Raises:
        AgentGuardError: there is none; the text says what was perhaps meant.
        StoreError: several begin like that, or the database cannot be read.
    """
    found = reader.session(name)
    if found is not None:
        return found
    if name == LAST:
        raise AgentGuardError(
            f"no session yet; start one with `{command()} run -- claude`, or see it work with `{command()} demo`"
        )
    guess = _meant(name, [one.uid for one in reader.sessions(_MOST, counted=False)])
    raise AgentGuardError(f"no session {name!r}{guess}; `{command()} sessions` lists them")


def _meant(name: str, uids: list[str]) -> str:
    """Of uids that are like it as far as it goes, the first."""
    import difflib  # noqa: PLC0415 - for a mistake only

    beginnings = {uid[: len(name)]: uid for uid in reversed(uids)}
    words = difflib.get_close_matches(name, [LAST, *beginnings], 1, 0.75)
    return f"; did you mean {beginnings.get(words[0], words[0])}?" if words else ""
