"""Every value that is followed, in every form, found in one pass over the bytes.

Readers never lock: they take the matcher of the moment, which is never changed but replaced. Values come in small
batches while a session runs, so the matcher is in two parts, of which the small one is rebuilt at each batch and the
large one only when the small one has grown: by a thread, for that takes a second for ten thousand values.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agentguard.detect.matching import ValueHit
from agentguard.detect.value_forms import forms
from agentguard.detect.value_matcher import Matcher, PlainMatcher, build_matcher
from agentguard.model.secret import SecretValue

_MERGE_AT = 64
"""Values in the small part from which on it is merged into the large one,"""
_MERGE_SHARE = 16
"""or this share of the large one, if that is more: what is new waits for the small one, tens of ms at most."""


@dataclass(frozen=True, slots=True)
class _Form:
    value: SecretValue
    encoding: tuple[str, ...]
    pattern: bytes = field(repr=False)


class _Part:
    """A matcher over a fixed set of values."""

    def __init__(self, values: Sequence[SecretValue], *, pure_python: bool) -> None:
        self.values = tuple(values)
        by_pattern: dict[bytes, list[_Form]] = {}
        for value in values:
            for pattern, encoding in forms(value.value):
                by_pattern.setdefault(pattern, []).append(_Form(value, encoding, pattern))
        self._forms = list(by_pattern.values())
        build = PlainMatcher if pure_python else build_matcher
        self._matcher: Matcher | None = build(list(by_pattern)) if by_pattern else None

    def scan(self, data: bytes, words: bytes | None) -> list[ValueHit]:
        if self._matcher is None:
            return []
        return [
            ValueHit(start, start + len(form.pattern), form.value, form.encoding)
            for index, start in self._matcher.scan(data, words)
            for form in self._forms[index]
        ]


class ValueIndex:
    """The followed values. Any thread may scan while another adds.

    Args:
        pure_python: do without the compiled matcher, as where there is none; the hits are the same.
    """

    def __init__(self, *, pure_python: bool = False) -> None:
        self._pure_python = pure_python
        self._lock = threading.Lock()
        self._known: set[tuple[str, bytes]] = set()
        self._merging = False
        nothing = self._part(())
        self._parts = (nothing, nothing)

    def __len__(self) -> int:
        """Values that are followed."""
        return len(self._known)

    def __repr__(self) -> str:
        return f"ValueIndex({len(self)} values)"

    def add(self, values: Iterable[SecretValue]) -> int:
        """Follow these too; returns how many are new. A value known by the same fingerprint is not entered twice."""
        with self._lock:
            new: dict[tuple[str, bytes], SecretValue] = {}
            for value in values:
                key = (value.fingerprint, value.value)
                if value.value and key not in self._known:
                    new.setdefault(key, value)
            if new:
                self._take(list(new.values()))
                self._known.update(new)
            return len(new)

    def scan(self, data: bytes, words: bytes | None = None) -> list[ValueHit]:
        """Every occurrence of a followed value, plain or encoded, by start, the longest first. Hits may overlap."""
        hits = [hit for part in self._parts for hit in part.scan(data, words)]
        if len(hits) > 1:
            hits.sort(key=lambda hit: (hit.start, -hit.end, len(hit.encoding), hit.value.fingerprint))
        return hits

    def _take(self, new: list[SecretValue]) -> None:
        """Follow these at once; what that leaves in two parts is made one meanwhile."""
        large, small = self._parts
        recent = (*small.values, *new)
        if not large.values:
            self._parts = (self._part(recent), large)
            return
        self._parts = (large, self._part(recent))
        if len(recent) >= max(_MERGE_AT, len(large.values) // _MERGE_SHARE) and not self._merging:
            self._merging = True
            threading.Thread(target=self._merge, name="merge-values", daemon=True).start()

    def _merge(self) -> None:
        large, small = self._parts
        merged = self._part((*large.values, *small.values))
        with self._lock:
            added = self._parts[1].values[len(small.values) :]
            self._parts = (merged, self._part(added))
            self._merging = False

    def _part(self, values: Sequence[SecretValue]) -> _Part:
        return _Part(values, pure_python=self._pure_python)
