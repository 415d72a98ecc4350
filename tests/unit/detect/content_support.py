"""A judge over the shipped types and rules, and a text that holds a key of a known form."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from detect_support import example, scanner

from agentguard.detect.content import ContentJudge
from agentguard.detect.content_walk import ContentWalk
from agentguard.detect.files import FilePatterns, load_file_patterns
from agentguard.model.index import SecretFind
from agentguard.paths import policies_dir

PATTERNS: FilePatterns = load_file_patterns(policies_dir() / "files.yaml")


def judge(**limits: int) -> ContentJudge:
    return ContentJudge(scanner().locate, dataclasses.replace(PATTERNS.content, **limits))


def walk(since_ns: int = 0, **limits: int) -> ContentWalk:
    patterns = load_file_patterns(policies_dir() / "files.yaml")
    patterns.content = dataclasses.replace(patterns.content, **limits)
    return ContentWalk(patterns, ContentJudge(scanner().locate, patterns.content), since_ns=since_ns)


def holding() -> bytes:
    """A settings file with a key in it."""
    return b'DEBUG = False\nSTRIPE_KEY = "' + example("openai-project-key").encode() + b'"\n'


def finds(one: ContentWalk, root: Path, *, changed_since_ns: int = 0) -> list[SecretFind]:
    return [find for find in one.run(str(root), changed_since_ns=changed_since_ns) if find]


def names(found: list[SecretFind], root: Path) -> set[str]:
    return {os.path.relpath(find.file.path, root) for find in found}
