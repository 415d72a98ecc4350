"""Gap observations of this sensor."""

from __future__ import annotations

import time

from agentguard.model.observation import GapObservation, GapType
from agentguard.model.process import ProcessSnapshot

SENSOR = "proxy"


def proxy_gap(
    kind: GapType, detail: str, *, process: ProcessSnapshot | None = None, remedy: str = "", harmless: bool = False
) -> GapObservation:
    """A gap of this sensor, now. `harmless`: nothing could have passed through it, for the connection was cut."""
    return GapObservation(
        time_ns=time.time_ns(),
        sensor=SENSOR,
        type=kind,
        detail=detail,
        remedy=remedy,
        process=process,
        covered_by=SENSOR if harmless else "",
    )
