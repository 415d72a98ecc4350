"""The whole table."""

from __future__ import annotations

from evasion.claim import Family
from evasion.sends.way import Way
from evasion.sends.ways.clients import CLIENTS
from evasion.sends.ways.codings import CODINGS
from evasion.sends.ways.packed import PACKED
from evasion.sends.ways.places import PLACES
from evasion.sends.ways.protocols import PROTOCOLS
from evasion.sends.ways.round_the_proxy import AROUND
from evasion.sends.ways.senders import SENDERS

FAMILIES: tuple[Family[Way], ...] = (PLACES, CODINGS, PACKED, PROTOCOLS, AROUND, SENDERS)
WAYS: tuple[Way, ...] = tuple(way for family in FAMILIES for way in family.ways)
ALL: tuple[Way, ...] = (*WAYS, *CLIENTS.ways)
BY_ID: dict[str, Way] = {way.id: way for way in ALL}
