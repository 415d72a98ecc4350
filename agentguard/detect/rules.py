"""Credential types: what a key of each provider looks like, as data (policies/secrets.yaml).

A type carries examples that must and must not be recognised, written as templates (`agentguard.detect.templates`,
`expand`), so that no secret that a scanner would find stands in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentguard.model.secret import KeyScope
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from pathlib import Path  # slow to import, for a commit hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Templates that must and must not be recognised."""

    match: tuple[str, ...]
    no_match: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialType:
    """One kind of credential."""

    id: str
    name: str
    """For a person."""
    provider: str
    """Provider id; `generic` for forms that many share (JWT, PEM): a specific type beats them."""
    pattern: str
    """RE2 subset. Group `secret`, where there is one, is the credential; else the whole match is."""
    value_form: str = ""
    """Of a type that is told by its context, the expression of the value: its pattern is for engines alone, and
    `agentguard.detect.in_context` decides. "" of the others."""
    then: tuple[str, ...] = ()
    """Words that must follow the provider's in a context; () for any word for a secret."""
    keywords: tuple[str, ...]
    """Lower case. Every match holds one, `lead` bytes behind its start."""
    lead: tuple[int, ...] = (0,)
    """Bytes of a match that may precede its keyword; of several the first that fits counts."""
    max_length: int = 1024
    """Most bytes a match may have."""
    checksum: str | None = None
    """A word of `agentguard.detect.checksum.CHECKSUMS`."""
    issuer_hosts: tuple[str, ...] = ()
    """Where it is meant to go; a host covers its subdomains. () when its own file names it."""
    scope: KeyScope = KeyScope.UNKNOWN
    severity: Severity = Severity.HIGH
    """Of a leak."""
    rotation: str = ""
    """How to replace it: a page or words."""
    public: bool = False
    """Made to be published."""
    filter: str | None = None
    """A word of `agentguard.detect.filters.FILTERS`, which reads the value that begins at group `secret` and says
    whether it is one. The pattern of such a type ends with the first characters of the value and so matches once a
    place; engines tell its places apart."""
    at_rest: bool = False
    """Counts in files and commits only: too common a form to be looked for in requests."""
    examples: Examples


def load_types(path: Path, *, at_rest: bool = False, prove: bool = False) -> tuple[CredentialType, ...]:
    """Every type of a file.

    Args:
        path: policies/secrets.yaml or its like.
        at_rest: with those that count at rest only; for requests and the workspace's index they are left out.
        prove: check every pattern and run every example, which takes ten times as long: tests do, a start does not.

    Raises:
        PolicyError: the file cannot be read or is not valid: file, line and what is wrong.
    """
    from agentguard.detect.rules_file import read_types  # noqa: PLC0415 (PyYAML is slow to import)

    return tuple(kind for kind in read_types(path, prove=prove) if at_rest or not kind.at_rest)
