"""`agentguard keys` over real sessions: what an agent reads is in the inventory, and an old value is told of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.guarded import Guarded, of_kind
from harness.planted import Planted

pytestmark = pytest.mark.slow


def test_the_old_value_of_a_rotated_key_is_an_alert_in_the_next_session(guarded: Guarded, planted: Planted) -> None:
    guarded.shell("cat .env")
    assert [read["severity"] for read in of_kind(guarded.events(), "file")] == ["medium"]
    first = known(guarded)
    assert (first["type"], [place["path"] for place in first["places"]]) == ("openai-project-key", [str(planted.path)])
    assert [(reader["way"], reader["count"], reader["processes"]) for reader in first["readers"]] == [
        ("read", 1, ["cat"])
    ]
    assert first["cause"] is None

    assert guarded.verb("keys", "rotated", first["fingerprint"][:8]).returncode == 0
    done = guarded.run("sh", "-c", "cat .env", options=())
    assert "↻ old   OPENAI_API_KEY rotated, but the old value is in use: read by cat" in done.stderr
    (read,) = of_kind(guarded.events(), "file")
    assert (read["disposition"], read["severity"]) == ("alert", "high")
    assert read["reason"].endswith("It was marked as rotated: its old value is still in use.")
    assert [match["access"] for match in read["matches"] if match["name"] == "OPENAI_API_KEY"] == ["rotated"]
    second = known(guarded)
    assert (second["cause"], second["readers"][0]["sessions"]) == ("still-used", 2)
    assert guarded.verb("verify").returncode == 0


def known(guarded: Guarded) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(guarded.verb("keys").stdout)["credentials"]
    (one,) = (one for one in found if one["name"] == "OPENAI_API_KEY")
    return one
