"""The loop in Python: serves where the native one was not compiled, and is what that one is compared with."""

from __future__ import annotations

import ctypes
import errno
import select

from agentguard.sense.seccomp.abi import (
    IOCTL_RECV,
    IOCTL_SEND,
    NOTIFICATION_SIZE,
    RESPONSE,
)
from agentguard.sense.seccomp.handlers import Handlers, SeccompSetup
from agentguard.sense.seccomp.libc import libc

_ZEROS = bytes(NOTIFICATION_SIZE)


class PythonLoop:
    """One call at a time."""

    def __init__(self, setup: SeccompSetup, handlers: Handlers) -> None:
        self._listener = setup.listener
        self._shared = setup.shared
        self._handlers = handlers
        self._answer = ctypes.create_string_buffer(RESPONSE.size)
        self._answer_at = ctypes.addressof(self._answer)
        self._received_at = ctypes.addressof(ctypes.c_char.from_buffer(setup.shared))

    def run(self) -> None:
        """Until the last process of the tree has gone.

        Raises:
            OSError: the listener is of no more use.
        """
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while True:
            for _, event in poll.poll():
                if event & select.POLLIN:
                    self._serve_one()
                elif event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                    return

    def settle(self, timeout: float) -> bool:  # noqa: ARG002 - the other loop needs it
        """Nothing ever waits here: a call is let go after it was told."""
        return True

    def abandon(self) -> None:
        """Nothing is held between two calls."""

    def _serve_one(self) -> None:
        """The hot path: once at every open of the tree. Each microsecond here is one of the agent's."""
        self._shared[0:NOTIFICATION_SIZE] = _ZEROS  # The kernel answers EINVAL to anything but zeros.
        if libc.ioctl(self._listener, IOCTL_RECV, self._received_at) < 0:
            error = ctypes.get_errno()
            if error in {errno.ENOENT, errno.EINTR}:
                return
            raise OSError(error, "receive")
        identity, outcome = self._handlers.look(self._shared)
        RESPONSE.pack_into(self._answer, 0, identity, *outcome[:3])
        libc.ioctl(self._listener, IOCTL_SEND, self._answer_at)  # ENOENT: the task died meanwhile.
