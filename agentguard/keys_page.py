"""What there is to know of all credentials: for `agentguard keys` and the dashboard alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from agentguard.config import Home, home_option
from agentguard.detect.files import load_file_patterns
from agentguard.model.credential import CredentialPlace, KnownCredential
from agentguard.paths import policies_dir
from agentguard.show.issuers import Issuers, load_issuers
from agentguard.show.keys_text import Page
from agentguard.show.urgency import Task, worklist


def keys_page(home: Home, known: Sequence[KnownCredential], now_ns: int) -> Page:
    """The inventory as it is now, with what must be rotated."""
    issuers = load_issuers()
    credentials, tasks = tasks_of(known, issuers, now_ns)
    return Page(credentials=credentials, tasks=tasks, issuers=issuers, now_ns=now_ns, home_option=home_option(home))


def tasks_of(
    known: Sequence[KnownCredential], issuers: Issuers, now_ns: int
) -> tuple[list[KnownCredential], list[Task]]:
    """The credentials with their places as they are now, and which of them must be replaced."""
    credentials = [replace(one, places=tuple(_now(place, now_ns) for place in one.places)) for one in known]
    patterns = load_file_patterns(policies_dir() / "files.yaml")
    return credentials, worklist(credentials, issuers, lambda path: patterns.match_name(path) is not None)


def _now(place: CredentialPlace, now_ns: int) -> CredentialPlace:
    """A file that was deleted holds nothing, whoever saw it last. Only its existence is looked at."""
    file = place.path.partition("!")[0]
    if place.commit or place.gone_ns is not None or os.path.lexists(file):
        return place
    return replace(place, gone_ns=now_ns)
