"""Programs that change who they are: set-uid, set-gid, or with file capabilities."""

from __future__ import annotations

import os
import stat

_CAPABILITIES = "security.capability"
_SET_GID = stat.S_ISGID | stat.S_IXGRP
"""Without the group's execute bit, S_ISGID marks a file for mandatory locking instead."""


def gains_privilege(path: bytes | str, info: os.stat_result, uid: int, gid: int) -> bool:
    """Whether the kernel would start this file with more than its caller has, were it allowed to.

    Args:
        path: in our own view, links followed.
        info: stat(2) of that file.
        uid, gid: the caller's effective ones. Root (0) gains nothing from capabilities.
    """
    if info.st_mode & stat.S_ISUID:
        gains = info.st_uid != uid
    elif info.st_mode & _SET_GID == _SET_GID:
        gains = info.st_gid != gid
    else:
        gains = False
    return (gains or (uid != 0 and _has_capabilities(path))) and not _is_nosuid(path)


def _has_capabilities(path: bytes | str) -> bool:
    try:
        return bool(os.getxattr(path, _CAPABILITIES))
    except OSError:
        return False


def _is_nosuid(path: bytes | str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOSUID)
    except OSError:
        return False
