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
    values: dict[str, str]
    """Variable name to secret value; of the database URL, its password."""


def plant(seed: int = 0) -> Planted:
    """A `.env` with a key of a known form, one of a form nobody knows, a database password, and no-secrets."""
    source = random.Random(seed or random.SystemRandom().random())

    def letters(count: int) -> str:
        return "".join(source.choices(ALPHANUMERIC, k=count))

    values = {
        "STRIPE_SECRET_KEY": "sk_" + "live_" + letters(24),
        "INTERNAL_API_TOKEN": letters(32),
        "DATABASE_URL": letters(20),
    }
    text = (
        "# synthetic\n"
        "PORT=3000\n"
        f"STRIPE_SECRET_KEY={values['STRIPE_SECRET_KEY']}\n"
        f"INTERNAL_API_TOKEN={values['INTERNAL_API_TOKEN']}\n"
        f"DATABASE_URL=postgres://app:{values['DATABASE_URL']}@db.example/app\n"
    )
    return Planted(text, values)
