"""What a credential type is called, what it opens and where it is revoked: words of policies/secrets.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agentguard.model.secret import KNOWN_VALUE, KeyScope
from agentguard.model.verdict import Severity
from agentguard.paths import policies_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Of one credential type."""

    name: str
    """What it is, for a person: "OpenAI project key"."""
    provider: str = ""
    """Provider id; "" when not known."""
    scope: KeyScope = KeyScope.UNKNOWN
    severity: Severity = Severity.HIGH
    """Of a leak."""
    rotation: str = ""
    """An https address, or words; "" when not known."""

    @property
    def page(self) -> str:
        """The https address at which it is replaced; "" when there is none."""
        return self.rotation if self.rotation.startswith("https://") else ""


Issuers = Mapping[str, Issuer]
"""By credential type id."""

_UNTYPED = Issuer(name="a value from a secret file")


@cache
def load_issuers(path: Path | None = None) -> Issuers:
    """Empty when the file cannot be read: a report without addresses is better than none."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load((path or policies_dir() / "secrets.yaml").read_bytes(), Loader=loader)  # noqa: S506 - safe
        entries = data if isinstance(data, list) else next(one for one in data.values() if isinstance(one, list))
        return {entry["id"]: _issuer(entry) for entry in entries}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, StopIteration, ValueError):
        return {}


def _issuer(entry: dict[str, Any]) -> Issuer:
    return Issuer(
        name=str(entry.get("name") or entry["id"]),
        provider=str(entry.get("provider") or ""),
        scope=KeyScope(entry.get("scope") or KeyScope.UNKNOWN),
        severity=Severity(entry.get("severity") or Severity.HIGH),
        rotation=str(entry.get("rotation") or ""),
    )


def issuer_of(issuers: Issuers, type_id: str) -> Issuer:
    """With the type's own id as its name where nothing is known of it."""
    if type_id == KNOWN_VALUE:
        return _UNTYPED
    return issuers.get(type_id) or Issuer(name=type_id.replace("-", " "))
