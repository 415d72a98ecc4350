"""Whether a file was read before we knew that it holds a secret: what its access time tells.

No list of opens is kept, and the preloaded gate lets ordinary ones pass unseen. But the kernel notes the time of a
read: always where the file system was mounted so, and by default (`relatime`) when the last read noted is older than
the last change or than a day. Our own reads leave no trace (`O_NOATIME`).
"""

from __future__ import annotations

import os

from agentguard.model.index import ReadBefore

_DAY_NS = 24 * 60 * 60 * 1_000_000_000
_QUIETLY = getattr(os, "O_NOATIME", 0)
_NOATIME = getattr(os, "ST_NOATIME", 0) | os.ST_RDONLY
_RELATIME = getattr(os, "ST_RELATIME", 0)


def read_before(info: os.stat_result, since_ns: int, mount_flags: int) -> ReadBefore:
    """Whether anybody read the file after `since_ns`, and after its last change.

    A read within the same tick of the kernel's clock (1 to 4 ms) as the write before it leaves no trace.

    Args:
        info: of the file, taken before we read it ourselves.
        since_ns: when the session's agent was started, ns since the epoch.
        mount_flags: `f_flag` of statvfs(2) for its file system.
    """
    if mount_flags & _NOATIME:
        return ReadBefore.UNKNOWN
    if info.st_atime_ns >= since_ns:
        return ReadBefore.YES if info.st_atime_ns > info.st_mtime_ns else ReadBefore.NO
    stale = info.st_atime_ns <= max(info.st_mtime_ns, info.st_ctime_ns) or since_ns - info.st_atime_ns >= _DAY_NS
    return ReadBefore.NO if stale or not mount_flags & _RELATIME else ReadBefore.UNKNOWN


def open_quietly(path: str, flags: int) -> int:
    """Open it without a trace in its access time, where we own it: here or in another session, that would look like
    somebody else's read. Raises OSError."""
    try:
        return os.open(path, flags | _QUIETLY)
    except PermissionError:
        return os.open(path, flags)


def mount_flags(path: str) -> int:
    """Of the file system that `path` lies on; as if mounted without access times when it cannot be asked."""
    try:
        return os.statvfs(path).f_flag
    except OSError:
        return _NOATIME
