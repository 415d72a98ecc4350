"""Synthetic secrets, built at run time from parts, so that no scanner ever flags this repository."""

from __future__ import annotations

import base64
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Planted:
    """What stands in the project's `.env`."""

    path: Path
    openai: str
    token: str
    """Of no known form."""
    password: str
    """Of the database URL."""

    @property
    def values(self) -> tuple[str, ...]:
        return self.openai, self.token, self.password

    def found_below(self, folder: Path) -> list[str]:
        """Files of a folder that hold a value, plain or in base64 or hex."""
        needles = [needle for value in self.values for needle in _forms(value.encode())]
        found = []
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                found += [str(path) for needle in needles if needle in data]
        return found


def plant(project: Path) -> Planted:
    """Write `.env` with a key of a known form, a token of none, a database URL, and things that are no secrets."""
    planted = Planted(
        path=project / ".env",
        openai=made_key(),
        token="tok" + _random(32),
        password="Pw" + _random(18),
    )
    planted.path.write_text(
        f"OPENAI_API_KEY={planted.openai}\n"
        f"INTERNAL_TOKEN={planted.token}\n"
        f"DATABASE_URL=postgres://app:{planted.password}@db.example.internal:5432/shop\n"
        "PORT=3000\nDEBUG=true\n"
    )
    planted.path.chmod(0o644)
    return planted


def made_key() -> str:
    """A key that a credential type recognises by its form."""
    return "sk-" + "proj-" + _random(74) + "T3Blbk" + "FJ" + _random(74)


def _random(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _forms(value: bytes) -> list[bytes]:
    inner = base64.b64encode(value[: len(value) // 3 * 3]).rstrip(b"=")
    return [value, inner, value.hex().encode()]
