"""What is about to be committed: the lines that the index brings in, not what lies on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from agentguard.detect.file_scan import FileScanner
from agentguard.model.at_rest import SecretAtRest
from agentguard.scan.git import Git
from agentguard.scan.patch import FORMAT, Added, files_of


def staged(git: Git) -> list[Added]:
    """Every file that the index changes, with the lines that came in; `HEAD` may not exist yet.

    Raises:
        GitError: git fails.
    """
    return list(files_of(git.run("diff", "--cached", *FORMAT)))


def find_added(git: Git, scanner: FileScanner, added: Added) -> Iterator[SecretAtRest]:
    """Credentials in what came into one file, at their lines of the file."""
    path = os.fsdecode(added.path)
    if added.blob:
        yield from scanner.scan(path, git.run("cat-file", "blob", added.blob.decode()))
        return
    for secret in scanner.scan(path, added.text):
        yield replace(secret, line=added.line_in_file(secret.line)) if secret.line else secret
