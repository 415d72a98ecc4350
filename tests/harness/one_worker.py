"""Settings that cost a whole session: each is made once, by one worker of the suite, and the settings side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_worker_each(table: str, settings: Iterable[Any]) -> list[Any]:
    """Parameters of a module's fixture; what depends on one of them stays together under `--dist loadgroup`."""
    return [
        pytest.param(setting, marks=pytest.mark.xdist_group(f"{table} {number}"))
        for number, setting in enumerate(settings)
    ]
