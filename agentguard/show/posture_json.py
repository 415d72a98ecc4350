"""What `check` found as JSON, for programs. One object; fields may join, none goes."""

from __future__ import annotations

import json

from agentguard import __version__
from agentguard.model.posture import Posture
from agentguard.model.posture_json import posture_to_json

SCHEMA_NAME = "agentguard-check/1"


def render_json(posture: Posture) -> str:
    """Indented; ASCII only, so that nothing in it can act on a terminal."""
    return json.dumps({"schema": SCHEMA_NAME, "version": __version__} | posture_to_json(posture), indent=1)
