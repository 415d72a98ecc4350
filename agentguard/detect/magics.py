"""How compressed bytes begin. Apart from what decompresses them: a commit hook that meets none imports none of it."""

from __future__ import annotations

from agentguard.detect.unzip import ENTRY

MAGICS = {
    "gzip": b"\x1f\x8b\x08",
    "zstd": b"\x28\xb5\x2f\xfd",
    "deflate": b"\x78\x9c",
    "xz": b"\xfd7zXZ\0",
    "bzip2": b"BZh",
    "zip": ENTRY,
}
"""First bytes of what can be told without a header."""
