"""Which files hold credentials, by name and place (policies/files.yaml).

`match_name` is asked at every open of a session, so a name that is no secret's must cost about a
microsecond: every glob is filed once under the cheapest thing that can rule it out (the exact last
part, its first or last characters, the folder it lies in), and only what remains is a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.detect.file_globs import Glob, name_glob, path_glob
from agentguard.detect.policy_yaml import Table, load_mapping, number, strings, table_list, text
from agentguard.model.secret import NameFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePattern:
    """One entry of policies/files.yaml."""

    id: str
    names: tuple[str, ...] = ()
    """Globs over the last part of a path."""
    paths: tuple[str, ...] = ()
    """Globs over a whole path; `~` is any folder."""
    expected_readers: tuple[str, ...] = ()
    agent: str = ""
    """Agent id whose own login it is."""
    examples_match: tuple[str, ...] = ()
    examples_no_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRules:
    """Which files are looked through for what they hold (`content` of policies/files.yaml)."""

    largest_bytes: int = 5 << 20
    most_files: int = 200_000
    most_bytes: int = 2 << 30
    most_folders: int = 8192
    most_found: int = 1000
    skip_directories: frozenset[str] = frozenset()
    skip_names: tuple[str, ...] = ()
    quiet_types: frozenset[str] = frozenset()
    """Credential types that alone do not make a file secret."""


@dataclass(frozen=True, slots=True)
class _Filed:
    """A glob and what it stands for; `order` is the place in the file, and the most telling glob wins."""

    order: int
    glob: Glob
    pattern: FilePattern


class FilePatterns:
    """The patterns, compiled. Immutable: any thread may ask."""

    def __init__(
        self,
        patterns: Sequence[FilePattern],
        *,
        exclude_names: Sequence[str] = (),
        exclude_paths: Sequence[str] = (),
        skip_directories: Iterable[str] = (),
        content: ContentRules | None = None,
    ) -> None:
        self.patterns = tuple(patterns)
        self.skip_directories = frozenset(skip_directories)
        self.content = content or ContentRules()
        self._exact: dict[str, list[_Filed]] = {}
        self._parents: dict[str, list[_Filed]] = {}
        self._below: list[tuple[str, _Filed]] = []
        self._starting: list[_Filed] = []
        self._ending: list[_Filed] = []
        for order, pattern in enumerate(patterns):
            for glob in _globs(pattern.names, pattern.paths):
                self._file(_Filed(order, glob, pattern))
        self._starts = tuple({entry.glob.start for entry in self._starting})
        self._ends = tuple({entry.glob.end for entry in self._ending})
        excluded = [glob.expression for glob in _globs(exclude_names, exclude_paths)]
        self._excluded = re.compile("|".join(excluded) or r"(?!)")
        unread = [glob.expression for glob in _globs(self.content.skip_names, ())]
        self._unread = re.compile("|".join([*excluded, *unread]) or r"(?!)")

    def match_name(self, path: str) -> FilePattern | None:
        """The pattern that names this absolute path; a place (`~/.aws/credentials`) wins over a bare name.

        Nothing is opened or resolved: give it a resolved path.
        """
        cut = path.rfind("/")
        name = path[cut + 1 :]
        found = self._exact.get(name)
        filed = list(found) if found else []
        if name.startswith(self._starts):
            filed += self._starting
        if name.endswith(self._ends):
            filed += self._ending
        if cut > 0 and (found := self._parents.get(path[path.rfind("/", 0, cut) + 1 : cut])):
            filed += found
        for folder, entry in self._below:
            if folder in path:
                filed.append(entry)
        return self._best(filed, path) if filed else None

    def content_counts(self, path: str) -> bool:
        """Whether a file of this absolute path, which no pattern names, may be secret for what it holds."""
        return self._unread.fullmatch(path) is None

    def name_filter(self) -> NameFilter:
        """What rules out nearly every other name at once."""
        return NameFilter(
            names=_encoded(self._exact),
            starts=_encoded(self._starts),
            ends=_encoded(self._ends),
            parents=_encoded(self._parents),
            folders=_encoded(folder.rstrip("/").rpartition("/")[2] for folder, _ in self._below),
        )

    def home_globs(self) -> list[tuple[str, FilePattern]]:
        """(glob below the home folder without `~/`, its pattern), for the inventory."""
        return [(p[2:], pattern) for pattern in self.patterns for p in pattern.paths if p.startswith("~/")]

    def absolute_globs(self) -> list[tuple[str, FilePattern]]:
        """(absolute glob, its pattern), without /proc: what lies there has no lasting inode."""
        return [
            (p, pattern)
            for pattern in self.patterns
            for p in pattern.paths
            if p.startswith("/") and not p.startswith("/proc/")
        ]

    def _best(self, filed: list[_Filed], path: str) -> FilePattern | None:
        hits = [entry for entry in filed if entry.glob.regex.fullmatch(path)]
        if not hits or self._excluded.fullmatch(path):
            return None
        return min(hits, key=lambda entry: (-entry.glob.weight, entry.order)).pattern

    def _file(self, entry: _Filed) -> None:
        glob = entry.glob
        if glob.folder:
            self._below.append((glob.folder, entry))
        elif glob.exact:
            self._exact.setdefault(glob.exact, []).append(entry)
        elif glob.parent:
            self._parents.setdefault(glob.parent, []).append(entry)
        elif glob.start:
            self._starting.append(entry)
        else:
            self._ending.append(entry)


def load_file_patterns(path: Path) -> FilePatterns:
    """Read policies/files.yaml.

    Raises:
        PolicyError: it cannot be read or is invalid; names the file, the line and what is wrong.
    """
    data = load_mapping(path, allowed=("patterns", "exclude", "skip_directories", "content"))
    patterns = []
    for entry in table_list(data, "patterns"):
        entry.only("id", "names", "paths", "expected_readers", "agent", "examples")
        examples = entry.table("examples")
        pattern = FilePattern(
            id=text(entry, "id", required=True),
            names=strings(entry, "names"),
            paths=strings(entry, "paths"),
            expected_readers=strings(entry, "expected_readers"),
            agent=text(entry, "agent"),
            examples_match=strings(examples, "match"),
            examples_no_match=strings(examples, "no_match"),
        )
        if not pattern.names and not pattern.paths:
            raise entry.error(f"pattern {pattern.id!r} has neither names nor paths")
        for glob in pattern.paths:
            if not glob.startswith(("~/", "/")):
                raise entry.error(f"path {glob!r} of {pattern.id!r} must begin with ~/ or /")
        if any(not glob.filed_under() for glob in _globs(pattern.names, pattern.paths)):
            raise entry.error(f"a glob of {pattern.id!r} neither begins nor ends with fixed text")
        patterns.append(pattern)
    exclude = data.table("exclude")
    return FilePatterns(
        patterns,
        exclude_names=strings(exclude, "names"),
        exclude_paths=strings(exclude, "paths"),
        skip_directories=strings(data, "skip_directories"),
        content=_content_rules(data.table("content")),
    )


def _content_rules(table: Table) -> ContentRules:
    limits = ("largest_bytes", "most_files", "most_bytes", "most_folders", "most_found")
    table.only(*limits, "skip_directories", "skip_names", "quiet_types")
    return ContentRules(
        **{key: number(table, key) for key in limits},
        skip_directories=frozenset(strings(table, "skip_directories")),
        skip_names=strings(table, "skip_names"),
        quiet_types=frozenset(strings(table, "quiet_types")),
    )


def _globs(names: Sequence[str], paths: Sequence[str]) -> list[Glob]:
    return [name_glob(name) for name in names] + [path_glob(path) for path in paths]


def _encoded(texts: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(sorted({text.encode() for text in texts}))
