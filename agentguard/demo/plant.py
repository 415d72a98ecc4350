"""A small project with synthetic secrets, made when the demo runs: no secret, not even a false one, is shipped.

Each has the form and, where the form carries one, the checksum of the real thing, so that it is recognised as the real
thing would be. None opens anything.
"""

from __future__ import annotations

import random
import string
import zlib
from dataclasses import dataclass
from pathlib import Path

ALPHANUMERIC = string.digits + string.ascii_uppercase + string.ascii_lowercase
"""In the order that base 62 counts in."""

README = "# shop\n\nA small web shop. Settings are in `.env`.\n"
APP = '''\
"""The shop's prices."""


def total(prices: list[int]) -> int:
    """In cents. TODO: add the tax."""
    return sum(prices)
'''


@dataclass(frozen=True, slots=True)
class Planted:
    """Where things lie. Everything is inside the folder that was given."""

    workspace: Path
    home: Path
    """The stand-in agent's home folder: empty, so that nothing of the user's own is read."""
    agent_key: str
    """The stand-in agent's own key for its model."""


def plant(folder: Path) -> Planted:
    """Make the project inside `folder`, which must be empty."""
    source = random.SystemRandom()
    home, workspace = folder / "home", folder / "shop"
    home.mkdir()
    (workspace / "src").mkdir(parents=True)
    (workspace / "README.md").write_text(README, encoding="utf-8")
    (workspace / "src" / "prices.py").write_text(APP, encoding="utf-8")
    (workspace / ".env").write_text(_dotenv(source), encoding="utf-8")
    return Planted(workspace, home, _openai_key(source))


def _dotenv(source: random.Random) -> str:
    password = _letters(source, 20)
    return (
        "# synthetic: planted by `agentguard demo`, opens nothing\n"
        "PORT=3000\n"
        f"DATABASE_URL=postgres://shop:{password}@db.example/shop\n"
        f"GITHUB_TOKEN={_github_token(source)}\n"
        f"STRIPE_SECRET_KEY={'sk_' + 'live_' + _letters(source, 24)}\n"
    )


def _letters(source: random.Random, count: int) -> str:
    return "".join(source.choices(ALPHANUMERIC, k=count))


def _github_token(source: random.Random) -> str:
    """`ghp_`, 30 characters, and their CRC-32 in six digits of base 62."""
    body = _letters(source, 30)
    value, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        value, digit = divmod(value, len(ALPHANUMERIC))
        digits = ALPHANUMERIC[digit] + digits
    return "ghp" + "_" + body + digits


def _openai_key(source: random.Random) -> str:
    return "sk-" + "proj-" + _letters(source, 74) + "T3Blbk" + "FJ" + _letters(source, 74)
