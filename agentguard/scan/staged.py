"""What is about to be committed: the lines that the index brings in, not what lies on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from agentguard.detect.file_scan import FileScanner
from agentguard.model.at_rest import SecretAtRest
from agentguard.scan.git_options import FORMAT
from agentguard.scan.patch import Added, files_of


class RunsGit(Protocol):
    """`agentguard.scan.git.Git`, or the commit hook's own way."""

    def run(self, *arguments: str) -> bytes:
        """Its output.

        Raises:
            GitError: it failed, or cannot be run.
        """


def staged(git: RunsGit) -> list[Added]:
    """Every file that the index changes, with the lines that came in; `HEAD` may not exist yet.

    Raises:
        GitError: git fails.
    """
    return list(files_of(git.run("diff", "--cached", *FORMAT)))


def find_added(git: RunsGit, scanner: FileScanner, added: Added) -> Iterator[SecretAtRest]:
    """Credentials in what came into one file, at their lines of the file."""
    path = os.fsdecode(added.path)
    if added.blob:
        yield from scanner.scan(path, git.run("cat-file", "blob", added.blob.decode()))
        return
    for secret in scanner.scan(path, added.text):
        yield replace(secret, line=added.line_in_file(secret.line)) if secret.line else secret
