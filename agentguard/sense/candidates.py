"""Which names may be a secret file's: `ag_may_be_named` of table.h, for code in Python."""

from __future__ import annotations

from agentguard.model.secret import NameFilter


class Candidates:
    """A test that never says no to a name of a secret file. Immutable: any thread may ask."""

    def __init__(self, names: NameFilter) -> None:
        self._names = frozenset(names.names)
        self._starts, self._ends = names.starts, names.ends
        self._parents = frozenset(names.parents)
        self._folders = frozenset(names.folders)

    def may_be_named(self, path: bytes) -> bool:
        """`path` is not resolved."""
        folders, _, name = path.rpartition(b"/")
        if name in self._names or name.startswith(self._starts) or name.endswith(self._ends):
            return True
        parts = [part for part in folders.split(b"/") if part]
        return not self._folders.isdisjoint(parts) or (bool(parts) and parts[-1] in self._parents)
