"""Synthetic credentials, made when a test runs: none of them stands in this repository."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Planted:
    """A `.env` and the values in it that must never be found anywhere else."""

    text: str
    values: tuple[str, ...]
    """What must never be found anywhere else; of the database URL, its password."""
    credentials: tuple[str, ...]
    """What is recognised: the same, and the database URL as a whole."""


def plant() -> Planted:
    """A `.env` with a key of a known form, one of a form nobody knows, a database password, and no-secrets."""
    source = random.SystemRandom()

    def letters(count: int) -> str:
        return "".join(source.choices(ALPHANUMERIC, k=count))

    stripe, token, password = "sk_" + "live_" + letters(24), letters(32), letters(20)
    url = f"postgres://app:{password}@db.example/app"
    text = f"# synthetic\nPORT=3000\nSTRIPE_SECRET_KEY={stripe}\nINTERNAL_API_TOKEN={token}\nDATABASE_URL={url}\n"
    return Planted(text, (stripe, token, password), (stripe, token, url))
