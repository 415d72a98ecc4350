"""Words of a git command line that name a file: `REV:PATH`, `:PATH` of the index, pathspecs with and without magic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_MAGIC = re.compile(r"\([a-z,:A-Z]*\)|/")
_EXCLUDED = re.compile(r":(\([a-z,]*exclude[a-z,]*\)|[!^])")


def named_paths(words: Sequence[str]) -> Iterator[str]:
    """Each path as it would be written from the repository's root; revisions come through as they are.

    `git grep` takes its pattern before its paths: there, only what follows `--`, or names a revision, is a path.
    """
    searches = words[:1] == ["grep"] or "grep" in words[:3]
    after_dashes = False
    for word in words:
        if word == "--":
            after_dashes = True
        elif word.startswith("-") or _EXCLUDED.match(word):
            continue
        elif after_dashes or not searches or ":" in word:
            path = _MAGIC.sub("", word.rpartition(":")[2], count=1) if ":" in word else word
            if path:
                yield path.removeprefix("./")
