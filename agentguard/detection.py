"""What recognises secrets in one session, and which files hold them: for the pipeline, and for sensors while they hold
a call. `agentguard.monitor` wires it to the other stages."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.config import Home
from agentguard.detect.content import ContentJudge
from agentguard.detect.content_walk import ContentWalk
from agentguard.detect.engine import build_engine
from agentguard.detect.file_values import FileValues
from agentguard.detect.files import FilePatterns, load_file_patterns
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.inventory import Limits, content_file, inventory, secret_file
from agentguard.detect.rules import load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.secret_table import SecretTable
from agentguard.detect.values import ValueIndex
from agentguard.model.secret import CONTENT_KIND, SecretFile, SecretValue
from agentguard.record.looks import Looks

Clock = Callable[[], int]
"""ns since the epoch."""
_AT_START = Limits(seconds=0.4)
"""The agent waits for this walk. A file that it does not reach is known by its name when it is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What recognises secrets, and which files hold them: for the pipeline, and for sensors while they hold a call."""

    scanner: Scanner
    patterns: FilePatterns
    table: SecretTable
    index: ValueIndex
    values: FileValues
    judge: ContentJudge
    looks: Looks
    """Which secret files have just been opened by guards of this home, or by agents of theirs."""

    def learn(self, values: Sequence[SecretValue]) -> None:
        """Recognise these too."""
        self.index.add(values)

    def values_at(self, path: str) -> tuple[SecretValue, ...]:
        """What the secret file at a path holds; () when there is none."""
        file = self._known(path)
        return self.values.of(file)[0] if file is not None else ()

    def examine(self, path: str) -> SecretFile | None:
        """A file was written, created or moved into place: its entry in the table, None when it is no secret file."""
        pattern = self.patterns.match_name(path)
        if pattern is None and self.table.known_path(path):
            return self.content(path)
        file = secret_file(path, pattern) if pattern else self._known(path)
        if file is None or self.dismiss(file):
            return None
        self.table.add(file)
        return file

    def content(self, path: str) -> SecretFile | None:
        """This file may be secret for what it holds: its entry in the table, None when it is not (any more)."""
        old, new = self.table.at_path(path), content_file(path)
        if old is not None and (new is None or (old.device, old.inode) != (new.device, new.inode)):
            self.table.discard(old.device, old.inode)
        named = self.table.lookup(new.device, new.inode) if new else None
        if new and named and named.kind != CONTENT_KIND and named.birth_time_ns == new.birth_time_ns:
            return named  # a hard link, or its name of now: what its telling name says goes on
        if new is None or self.dismiss(new) or not self.values.of(new)[0]:
            return None
        self.table.add(new)
        return new

    def deleted(self, path: str) -> None:
        """The file that had this name, and no other, is gone."""
        file = self.table.at_path(path)
        if file is not None:
            self.table.discard(file.device, file.inode)

    def has_room(self, path: str) -> bool:
        """Whether this file may be watched for what it holds, too."""
        return self.table.known_path(path) or self.table.content_places < self.patterns.content.most_found

    def proves_content(self, decoy: Path) -> bool:
        """Whether a secret in a file is seen; `decoy` is written for that, and removed."""
        return self.judge.proves_itself(decoy, self.scanner.types)

    def walk(self, *, excluded: frozenset[str], since_ns: int = 0) -> ContentWalk:
        """Looks into the files of a workspace that are not in the table; arguments as there."""
        return ContentWalk(self.patterns, self.judge, excluded=excluded, since_ns=since_ns, known=self.table.known_path)

    def dismiss(self, file: SecretFile) -> bool:
        """Whether it is none after all, by its content; it leaves the table then."""
        harmless = self.values.is_harmless(file)
        if harmless:
            self.table.discard(file.device, file.inode)
        return harmless

    def _known(self, path: str) -> SecretFile | None:
        try:
            info = os.stat(path)
        except OSError:
            return None
        return self.table.lookup(info.st_dev, info.st_ino)


def open_detection(home: Home, policies: Path, clock: Clock) -> Detection:
    """Load the credential types and build the engine; the table of secret files is empty yet.

    Raises:
        PolicyError: a data file is invalid.
        ConfigError: a key of the home folder cannot be used.
    """
    fingerprinter = Fingerprinter(home.fingerprint_key())
    types = load_types(policies / "secrets.yaml")
    index = ValueIndex()
    scanner = Scanner(types, build_engine(types, cache=home.cache), fingerprinter, index)
    patterns = load_file_patterns(policies / "files.yaml")
    judge = ContentJudge(scanner.locate, patterns.content)
    looks = Looks(home.looks, home.looks_key(), clock)
    return Detection(
        scanner=scanner,
        patterns=patterns,
        table=SecretTable(patterns),
        index=index,
        values=FileValues(scanner, judge, index, on_look=looks.note, clock=clock),
        judge=judge,
        looks=looks,
    )


def take_inventory(detection: Detection, user_home: Path, workspace: Path) -> list[SecretValue]:
    """The secret files there are now; returns what they hold. curl opens and sends within two milliseconds, so the
    proxy must know the values before the agent starts."""
    found = inventory(detection.patterns, home=user_home, workspace=workspace, limits=_AT_START)
    values = detection.values.learn(found.files)
    for file in found.files:
        if not detection.values.is_harmless(file):
            detection.table.add(file)
    return values
