"""One number for how well credentials are kept, made to be compared with the last look.

    points = the sum over all weaknesses: critical 40, high 20, medium 8, low 2, info 0
    score  = 5000 / (50 + points), rounded down

So 100 means that nothing is to be done, one critical weakness makes 55, one high 71, one medium 86, one low 96. Every
weakness that goes raises the score or leaves it, however many remain, and nothing else counts: not the size of the
project, and not how many keys lie where they should. A weakness is counted once a check and credential (or file),
however many places it has. What the weights mean: a high weakness outweighs two medium ones, and a critical one a high
and two medium ones.

Scores are compared between looks of the same folder, the same breadth and the same `FORMULA` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agentguard.model.posture import Weakness
from agentguard.model.verdict import Severity

FORMULA: Final = 1
"""Raised whenever weights, formula or the set of checks change: scores of two formulas say nothing of each other."""

POINTS: Final = {
    Severity.CRITICAL: 40,
    Severity.HIGH: 20,
    Severity.MEDIUM: 8,
    Severity.LOW: 2,
    Severity.INFO: 0,
}
_HALF: Final = 50
"""Points that halve the score."""


def score_of(weaknesses: Iterable[Weakness]) -> int:
    """0 to 100."""
    return 100 * _HALF // (_HALF + sum(POINTS[one.severity] for one in weaknesses))
