"""Credential types: what a key of each provider looks like, as data (policies/secrets.yaml)."""

from __future__ import annotations

from dataclasses import dataclass

from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Templates (see `agentguard.detect.templates`) that must and must not be recognised."""

    match: tuple[str, ...]
    no_match: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialType:
    """One kind of credential."""

    id: str
    name: str
    provider: str
    """Provider id; "generic" for forms that many share (JWT, PEM)."""
    pattern: str
    """RE2 subset. Group `secret`, where there is one, is the credential; else the whole match is."""
    keywords: tuple[str, ...]
    """Lower case. Every match begins with one, or holds one within its first `lead` bytes."""
    lead: int = 0
    """Most bytes of a match that may precede its keyword."""
    max_length: int = 1024
    """Most bytes a match may have."""
    checksum: str | None = None
    issuer_hosts: tuple[str, ...] = ()
    scope: KeyScope = KeyScope.UNKNOWN
    severity: Severity = Severity.HIGH
    rotation: str = ""
    """Where to rotate it: a page or words."""
    public: bool = False
    examples: Examples
