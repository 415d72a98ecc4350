"""Opens files by hostile paths, as fast as it can, and prints how many of them were the secret one.

    python hostile_opens.py SECRET COUNT SEED

Runs under the filter, in the folder of the secret. What the kernel opens is the truth: each descriptor's inode is
compared with the secret's.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import sys
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
libc.openat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
PAGE = mmap.PAGESIZE


class Hostile:
    """Makes paths, and the memory they lie in."""

    def __init__(self, secret: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.secret = os.fsencode(secret)
        self.folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        self.handle = os.open(secret, os.O_PATH)
        self.pages = self._with_hole()
        self.ways: list[Callable[[], bytes]] = [
            lambda: self.secret,
            lambda: b".env",
            lambda: self._padded(b".env"),
            lambda: b"/" * self.random.randrange(1, 40) + self.secret.lstrip(b"/"),
            lambda: self.secret.replace(b"/", b"//"),
            lambda: self.secret.replace(b"/", b"/./"),
            lambda: b"sub/../.env",
            lambda: b"loop/loop/loop/.env",
            lambda: b"symbolic",
            lambda: b"\xff\xfe link",
            lambda: b"/proc/self/cwd/.env",
            lambda: b"//proc/./self//cwd/.env",
            lambda: b"/proc/thread-self/root" + self.secret,
            lambda: b"/proc/self/fd/%d" % self.handle,
            lambda: b"/dev/fd/%d" % self.handle,
            lambda: b"/proc/%d/cwd/.env" % os.getpid(),
            lambda: b"me/cwd/.env",
            lambda: b"/proc/../proc/self/cwd/loop/.env",
            lambda: b"me/cwd/me/fd/%d" % self.handle,
        ]

    def _with_hole(self) -> int:
        """Two pages of which the second is not there."""
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        at = int(libc.mmap(None, 4 * PAGE, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0))
        libc.munmap(at + 3 * PAGE, PAGE)
        return at

    def _padded(self, name: bytes) -> bytes:
        """Up to the longest path that the kernel takes: with a folder's name before it, it is too long for us."""
        return b"./" * ((4095 - len(name)) // 2 - self.random.randrange(12)) + name

    def noise(self) -> bytes:
        words = (b"..", b".", b"", b".env", b"sub", b"\xff\xff", b"a" * 255, b"a" * 300, b"proc", b"self", b"fd", b"7")
        path = b"/".join(self.random.choice(words) for _ in range(self.random.randrange(1, 30)))
        if self.random.random() < 0.1:
            path = path * 200
        return path.replace(b"\0", b"")

    def open_path(self, path: bytes) -> int:
        """With the end of the string at the end of a page, now and then."""
        folder = self.folder if self.random.random() < 0.3 else -100
        if len(path) < 3 * PAGE - 1 and self.random.random() < 0.3:
            at = self.pages + 3 * PAGE - len(path) - 1
            ctypes.memmove(at, path + b"\0", len(path) + 1)
            return int(libc.openat(folder, at, os.O_RDONLY | os.O_NONBLOCK))
        buffer = ctypes.create_string_buffer(path)
        return int(libc.openat(folder, ctypes.addressof(buffer), os.O_RDONLY | os.O_NONBLOCK))

    def open_nonsense(self) -> int:
        """Pointers to nothing, strings without an end, descriptors that are none."""
        kind = self.random.randrange(4)
        folder = self.random.choice((-100, -1, 0, 1, 9999, self.handle, 2**31 - 1, -(2**31)))
        if kind == 0:
            pointer = self.random.choice((0, 1, PAGE - 1, 2**47, 2**63, 2**64 - 1, 2**64 - PAGE))
            return int(libc.openat(folder, pointer, os.O_RDONLY))
        size = self.random.choice((1, 255, 256, 257, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE))
        at = self.pages + 3 * PAGE - size
        ctypes.memset(at, ord("a"), size)
        return int(libc.openat(folder, at, os.O_RDONLY))

    def step(self) -> int:
        dice = self.random.random()
        if dice < 0.02:
            return self.open_path(self.random.choice(self.ways)())
        return self.open_path(self.noise()) if dice < 0.8 else self.open_nonsense()


def main() -> int:
    secret, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hostile = Hostile(secret, seed)
    there = os.stat(secret)
    found = 0
    for _ in range(count):
        descriptor = hostile.step()
        if descriptor >= 0:
            info = os.fstat(descriptor)
            found += (info.st_dev, info.st_ino) == (there.st_dev, there.st_ino)
            os.close(descriptor)
    print(f"opened the secret {found} times")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
