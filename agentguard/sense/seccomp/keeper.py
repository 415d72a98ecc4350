"""The keeper: a second holder of the listener that answers CONTINUE when the supervisor is gone.

Without it every held and every later call of the tree would fail with ENOSYS. It runs in the front, which
stays tiny, so it imports nothing of the pipeline.
"""

from __future__ import annotations

import ctypes
import errno
import mmap

from agentguard.sense.seccomp.abi import (
    ID,
    IOCTL_RECV,
    IOCTL_SEND,
    NOTIFICATION_SIZE,
    RESPONSE,
    SECCOMP_USER_NOTIF_FLAG_CONTINUE,
)
from agentguard.sense.seccomp.libc import ioctl


def shared_notification() -> mmap.mmap:
    """The page into which the kernel writes each notification, and behind it the ids of those that wait for an answer:
    8 bytes each, 0 for none. Shared with the front by fork.

    A notification that was received cannot be received again: when the supervisor dies with some in hand,
    the keeper finds their ids here.
    """
    return mmap.mmap(-1, mmap.PAGESIZE)


class Keeper:
    """Answers for a supervisor that died."""

    def __init__(self, listener: int, shared: mmap.mmap) -> None:
        self.listener = listener
        self._shared = shared
        self._buffer = ctypes.create_string_buffer(NOTIFICATION_SIZE)
        self._answer = ctypes.create_string_buffer(RESPONSE.size)

    def take_over(self) -> None:
        """Let go those that the supervisor held."""
        for place in (0, *range(NOTIFICATION_SIZE, len(self._shared), ID.size)):
            (held,) = ID.unpack_from(self._shared, place)
            if held:
                self._continue(held)

    def serve(self) -> bool:
        """Answer one waiting notification. False when the listener is of no more use."""
        ctypes.memset(self._buffer, 0, NOTIFICATION_SIZE)
        error = ioctl(self.listener, IOCTL_RECV, ctypes.addressof(self._buffer))
        if error:
            return error in {errno.ENOENT, errno.EINTR}
        self._continue(ID.unpack_from(self._buffer, 0)[0])
        return True

    def _continue(self, identity: int) -> None:
        RESPONSE.pack_into(self._answer, 0, identity, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)
        ioctl(self.listener, IOCTL_SEND, ctypes.addressof(self._answer))
