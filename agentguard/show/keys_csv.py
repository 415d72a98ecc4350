"""`agentguard keys` as CSV: one row a credential. New columns come last."""

from __future__ import annotations

from collections.abc import Sequence

from agentguard.model.credential import KnownCredential
from agentguard.model.event import iso_time
from agentguard.show.credential_words import readings, sendings
from agentguard.show.issuers import issuer_of
from agentguard.show.keys_text import Page
from agentguard.show.table import CSV_END, csv_line
from agentguard.show.urgency import worst_outcome

_HEADER = (
    *("fingerprint", "type", "type_name", "provider", "severity", "name", "preview", "public", "outcome", "cause"),
    *("first_seen", "last_seen", "rotated", "places", "gone_places", "readers", "receivers", "rotation"),
)
"""Several places, readers or receivers stand in one cell, with `; ` between them."""


def keys_csv(page: Page, credentials: Sequence[KnownCredential]) -> str:
    """All records, each with its end."""
    return "".join(line + CSV_END for line in (csv_line(_HEADER), *(_record(page, one) for one in credentials)))


def _record(page: Page, one: KnownCredential) -> str:
    issuer, task = issuer_of(page.issuers, one.type), page.task_of.get(one.fingerprint)
    here = [place.path for place in one.places if place.gone_ns is None]
    gone = [place.path for place in one.places if place.gone_ns is not None]
    return csv_line(
        (
            *(one.fingerprint, one.type, issuer.name, issuer.provider, issuer.severity.value, one.name, one.preview),
            *("yes" if one.public else "no", worst_outcome(one).value, task.cause.value if task else ""),
            *(iso_time(one.first_seen_ns), iso_time(one.last_seen_ns)),
            "" if one.rotated_ns is None else iso_time(one.rotated_ns),
            *("; ".join(dict.fromkeys(paths)) for paths in (here, gone)),
            "; ".join(dict.fromkeys(reading.agent for reading in readings(one.uses))),
            "; ".join(dict.fromkeys(use.host for use in sendings(one.uses) if use.host)),
            issuer.page or issuer.rotation,
        )
    )
