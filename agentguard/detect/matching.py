"""What was recognised by form and what is a known value, brought together: one match for the same bytes."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from agentguard.detect.checksum import KEY_BODIES
from agentguard.detect.fingerprint import Fingerprinter, preview
from agentguard.detect.placeholders import is_credential
from agentguard.detect.rules import CredentialType
from agentguard.model.secret import SecretMatch, SecretValue


@dataclass(frozen=True, slots=True)
class ValueHit:
    """A known value found in bytes."""

    start: int
    end: int
    """Half-open span in the scanned bytes, of the form found there (the encoded one when it is encoded)."""
    value: SecretValue
    encoding: tuple[str, ...] = ()
    """Decodings that lead from the found form to the value, outermost first; () when it stands there plainly."""


class ValueHits(Protocol):
    """What the scanner asks of the index of known values."""

    def scan(self, data: bytes, words: bytes | None = None) -> list[ValueHit]:
        """Every occurrence of a known value in `data`, plain or encoded; `words` are its long words, where they are
        known. Thread-safe."""

    def __len__(self) -> int:
        """How many values are known; it only grows."""


@dataclass(frozen=True, slots=True)
class Located:
    """A credential recognised by its form, with its place in the bytes. Holds the value: in memory only."""

    type: CredentialType
    start: int
    end: int
    """Half-open span of the secret itself in the scanned bytes."""
    value: bytes = field(repr=False)
    """The canonical value, which is fingerprinted: of a private key the base64 body without line ends."""
    name: str = ""
    """The variable or key it stands under; "" when none is in sight."""
    gap: int = 0
    """Bytes between the provider's word and the secret, of a type that is told by its context."""
    checksum_valid: bool | None = None
    issuer_hosts: tuple[str, ...] = ()
    """Of the type; of a URL with a password also the host it names."""


@dataclass(frozen=True, slots=True)
class Found:
    """A match with its place in the bytes."""

    start: int
    end: int
    match: SecretMatch
    """Without place; its encoding is that of the value hit alone."""


def resolve(located: list[Located]) -> list[Located]:
    """Of those that overlap: a provider's own type before a form that many share, a form of its own before a context,
    of contexts the nearest, then the longest. By start."""
    kept: list[Located] = []  # by start; none overlaps another, so only the two neighbours can be in the way
    for candidate in sorted(located, key=_rank):
        at = bisect(kept, candidate.start, key=lambda one: one.start)
        if not any(_overlap(candidate, other) for other in kept[max(0, at - 1) : at + 1]):
            kept.insert(at, candidate)
    return kept


def merge(located: list[Located], hits: list[ValueHit], fingerprinter: Fingerprinter) -> list[Found]:
    """One `Found` for the same bytes: the type from the form, fingerprint, name and source from the known value.

    A form that only overlaps a known value (a URL and the password in it) is one with it too. A private key keeps its
    own fingerprint: its canonical form is another one than its lines.
    """
    out: list[Found] = []
    taken: set[int] = set()
    for candidate in located:
        near = [at for at, hit in enumerate(hits) if at not in taken and _overlap(candidate, hit)]
        if near:
            taken.update(near)
            known = max((hits[at] for at in near), key=lambda hit: _closeness(candidate, hit))
            out.append(_known_form(candidate, known, fingerprinter))
        elif is_credential(candidate.type, candidate.value):
            out.append(Found(candidate.start, candidate.end, match_of(candidate, fingerprinter)))
    rest = [hit for at, hit in enumerate(hits) if at not in taken]
    out += [Found(hit.start, hit.end, _value(hit)) for hit in _outermost(rest)]
    return sorted(out, key=lambda found: found.start)


def _rank(one: Located) -> tuple[bool, bool, int, int, int]:
    by_context = bool(one.type.value_form)
    return one.type.provider == "generic", by_context, one.gap * by_context, one.start - one.end, one.start


def _overlap(one: Located, other: Located | ValueHit) -> bool:
    return one.start < other.end and other.start < one.end


def _closeness(one: Located, hit: ValueHit) -> tuple[bool, int]:
    """The same span before a longer value before a shorter one."""
    return (hit.start, hit.end) == (one.start, one.end), hit.end - hit.start


def _outermost(hits: list[ValueHit]) -> Iterable[ValueHit]:
    """Without those that lie within another."""
    reached = -1
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        if hit.end > reached:
            yield hit
            reached = hit.end


def match_of(one: Located, fingerprinter: Fingerprinter) -> SecretMatch:
    """What may be told of it: without the value, and without a place."""
    return SecretMatch(
        type=one.type.id,
        fingerprint=fingerprinter.of(one.value),
        preview=preview(one.value, _public_prefix(one.type)),
        name=one.name,
        issuer_hosts=one.issuer_hosts,
        checksum_valid=one.checksum_valid,
        public=one.type.public,
    )


def _public_prefix(kind: CredentialType) -> int:
    """Bytes that every value of the type begins with. None where context tells it, or a word within or behind it."""
    return 0 if "(?P<secret>" in kind.pattern or any(kind.lead) else len(kind.keywords[0])


def _known_form(one: Located, hit: ValueHit, fingerprinter: Fingerprinter) -> Found:
    own = one.type.checksum in KEY_BODIES
    value = hit.value
    match = SecretMatch(
        type=one.type.id,
        fingerprint=fingerprinter.of(one.value) if own else value.fingerprint,
        preview=preview(one.value) if own else value.preview,
        name=value.name or one.name,
        encoding=hit.encoding,
        issuer_hosts=tuple(dict.fromkeys((*one.issuer_hosts, *value.issuer_hosts))),
        checksum_valid=one.checksum_valid,
        public=one.type.public,
        source_path=value.source_path,
    )
    return Found(min(one.start, hit.start), max(one.end, hit.end), match)


def _value(hit: ValueHit) -> SecretMatch:
    value = hit.value
    return SecretMatch(
        type=value.type,
        fingerprint=value.fingerprint,
        preview=value.preview,
        name=value.name,
        encoding=hit.encoding,
        issuer_hosts=value.issuer_hosts,
        source_path=value.source_path,
    )
