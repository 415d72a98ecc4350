"""What people say of events: seen, or as it should be. Beside the hash chain, never in it: a mark changes no event."""

from __future__ import annotations

from agentguard.config import Home
from agentguard.errors import StoreError
from agentguard.record.at_rest import transaction
from agentguard.record.terms import Mark, bindable


def triage(home: Home, event: str, mark: Mark | None, time_ns: int, rule: str = "") -> None:
    """Mark one event; None takes its mark away. Sessions may be writing meanwhile.

    Args:
        event: uid.
        mark: `SEEN` or `EXPECTED`.
        time_ns: now, ns since the epoch.
        rule: FILE:ID of the rule that was written for it, with `EXPECTED`.

    Raises:
        StoreError: there is no such event, or the database cannot be written.
    """
    with transaction(home) as connection:
        found = connection.execute("SELECT id FROM events WHERE uid = ?", (bindable(event),)).fetchone()
        if found is None:
            raise StoreError("this event has been purged")
        connection.execute("DELETE FROM triage WHERE event = ?", found)
        if mark is not None:
            connection.execute("INSERT INTO triage VALUES (?, ?, ?, ?)", (*found, mark.value, rule, time_ns))
