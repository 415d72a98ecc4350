"""Reading back what `check` found: so that the next look can say what it was before, and a report how it stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from agentguard.model.posture import Posture
from agentguard.model.posture_json import posture_from_json
from agentguard.model.unicode import valid_text

HAS_POSTURES = "SELECT 1 FROM sqlite_master WHERE name = 'postures'"
"""A database that no new version has written to yet has none."""

EARLIER = """
SELECT json FROM postures
WHERE json <> '' AND root = ? AND home = ? AND history = ? AND older_than_days = ? AND formula = ? AND complete
ORDER BY time_ns DESC LIMIT 1
"""
"""The last look that a new one may be compared with: a complete one. Binds `comparable`."""

AROUND = """
SELECT json FROM postures
WHERE json <> '' AND (root = ?1 OR substr(?1, 1, length(rtrim(root, '/')) + 1) = rtrim(root, '/') || '/')
ORDER BY length(root) DESC, time_ns DESC LIMIT 1
"""
"""Of the newest looks, that of a folder itself or of the nearest one that holds it."""


def comparable(posture: Posture) -> tuple[object, ...]:
    """What two looks that are compared have in common."""
    breadth = posture.breadth
    return valid_text(posture.root), breadth.home, breadth.history, breadth.older_than_days, posture.formula


def posture_from_rows(rows: Sequence[sqlite3.Row]) -> Posture | None:
    return posture_from_json(json.loads(rows[0]["json"])) if rows else None
