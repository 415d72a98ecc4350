"""The scan: every file of what was asked for, looked into, and one result of it all."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from agentguard.detect.file_scan import FileScanner
from agentguard.errors import GitError
from agentguard.model.at_rest import ScanResult, SecretAtRest, Unread
from agentguard.scan.git import Git
from agentguard.scan.staged import find_added, staged
from agentguard.scan.walk import walk

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def scan_paths(scanner: FileScanner, paths: Sequence[Path], *, ignored: bool = False) -> ScanResult:
    """Files, and folders with all that is in them."""
    began = time.monotonic()
    found: list[SecretAtRest] = []
    unread: list[Unread] = []
    files = size = 0
    for root in paths:
        for one in walk(root, ignored=ignored):
            if isinstance(one, Unread):
                unread.append(one)
                continue
            try:
                with open(os.open(one.path, _FLAGS), "rb") as file:
                    data = file.read()
            except OSError as error:
                unread.append(Unread(path=one.name, reason=error.strerror or type(error).__name__))
                continue
            files += 1
            size += len(data)
            found += scanner.scan(one.name, data)
    seconds = time.monotonic() - began
    return ScanResult(found=tuple(found), unread=tuple(unread), files=files, bytes=size, seconds=seconds)


def scan_staged(scanner: FileScanner, git: Git) -> ScanResult:
    """What is about to be committed.

    Raises:
        GitError: git cannot say what is.
    """
    began = time.monotonic()
    found: list[SecretAtRest] = []
    unread: list[Unread] = []
    changes = staged(git)
    for added in changes:
        try:
            found += find_added(git, scanner, added)
        except GitError as error:
            unread.append(Unread(path=os.fsdecode(added.path), reason=str(error)))
    return ScanResult(
        found=tuple(found),
        unread=tuple(unread),
        files=len(changes),
        bytes=sum(len(added.text) for added in changes),
        seconds=time.monotonic() - began,
    )
