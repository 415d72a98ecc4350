"""The whole table."""

from __future__ import annotations

from evasion.claim import Family
from evasion.reads.way import Way
from evasion.reads.ways.calls import CALLS
from evasion.reads.ways.environment import ENVIRONMENT
from evasion.reads.ways.handing import CHANGES, HANDING
from evasion.reads.ways.names import NAMES
from evasion.reads.ways.processes import PROCESSES
from evasion.reads.ways.programs import PROGRAMS
from evasion.reads.ways.shells import SHELLS

FAMILIES: tuple[Family[Way], ...] = (NAMES, CALLS, PROGRAMS, SHELLS, PROCESSES, HANDING, CHANGES, ENVIRONMENT)
WAYS: tuple[Way, ...] = tuple(way for family in FAMILIES for way in family.ways)
