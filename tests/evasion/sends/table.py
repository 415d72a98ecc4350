"""The whole table."""

from __future__ import annotations

from evasion.claim import Family
from evasion.sends.lookalikes import LOOKALIKES
from evasion.sends.way import Way
from evasion.sends.ways.clients import AGENTS, CLIENTS, LOGINS
from evasion.sends.ways.codings import CODINGS
from evasion.sends.ways.packed import PACKED
from evasion.sends.ways.places import PLACES
from evasion.sends.ways.protocols import PROTOCOLS
from evasion.sends.ways.round_the_proxy import AROUND
from evasion.sends.ways.senders import SENDERS

__all__ = ["AGENTS", "ALL", "BY_ID", "CLIENTS", "FAMILIES", "QUIET", "WAYS"]

FAMILIES: tuple[Family[Way], ...] = (PLACES, CODINGS, PACKED, PROTOCOLS, AROUND, SENDERS)
WAYS: tuple[Way, ...] = tuple(way for family in FAMILIES for way in family.ways)
QUIET: tuple[Way, ...] = (*LOOKALIKES, *LOGINS)
"""Of these nothing may come."""
ALL: tuple[Way, ...] = (*WAYS, *CLIENTS.ways, *QUIET)
BY_ID: dict[str, Way] = {way.id: way for way in ALL}
