"""What `check` found as JSON, for programs. One object; fields may join, none goes."""

from __future__ import annotations

from agentguard.model.posture import Posture
from agentguard.model.posture_json import posture_to_json
from agentguard.show.document import document


def render_json(posture: Posture) -> str:
    """Indented; ASCII only, so that nothing in it can act on a terminal."""
    return document("check", posture_to_json(posture))
