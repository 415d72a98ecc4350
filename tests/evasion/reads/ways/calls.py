"""Other system calls, and other ways to make them."""

from __future__ import annotations

from evasion.claim import Claim, Family
from evasion.reads.way import Way

_GCC = ("gcc",)

CALLS = Family(
    "System calls",
    (
        Way(id="open", title="the old `open`", script="calls open .env", needs=("gcc", "x86_64")),
        Way(id="openat2", title="`openat2`", script="calls openat2 .env", needs=_GCC),
        Way(
            id="in-root",
            title="`openat2` with `RESOLVE_IN_ROOT`",
            script="calls in-root /.env",
            needs=_GCC,
        ),
        Way(id="beneath", title="`openat2` with `RESOLVE_BENEATH`", script="calls beneath .env", needs=_GCC),
        Way(id="read-write", title="opened to read and write", script="calls read-write .env", needs=_GCC),
        Way(id="raw", title="`syscall()` round the C library's `open`", script="calls raw .env", needs=_GCC),
        Way(
            id="instruction",
            title="the `syscall` instruction itself",
            script="calls instruction .env",
            needs=("gcc", "x86_64"),
        ),
        Way(
            id="int80",
            title="32-bit system calls (`int 0x80`) from a 64-bit program",
            script="calls int80 .env",
            needs=("gcc", "ia32"),
        ),
        Way(id="i386", title="a 32-bit program", script='i386 "$PIDS" .env', needs=("gcc", "ia32")),
        Way(id="static", title="a static program (glibc)", script="calls-static raw .env", needs=("gcc", "static")),
        Way(id="musl", title="a static program (musl)", script="calls-musl openat2 .env", needs=("musl-gcc",)),
        Way(id="mmap", title="mapped into memory", script="calls mmap .env", needs=_GCC),
        Way(id="sendfile", title="`sendfile`", script="calls sendfile .env", needs=_GCC),
        Way(id="splice", title="`splice` through a pipe", script="calls splice .env", needs=_GCC),
        Way(id="copy-range", title="`copy_file_range`", script="calls copy_file_range .env", needs=_GCC),
        Way(id="direct", title="`O_DIRECT` (`dd iflag=direct`)", script="noted dd iflag=direct if=.env status=none"),
        Way(
            id="nonblock",
            title="`O_NONBLOCK` (`dd iflag=nonblock`)",
            script="noted dd iflag=nonblock if=.env status=none",
        ),
        Way(
            id="ring",
            title="opened through an `io_uring` ring",
            script="ring .env",
            needs=("gcc", "io_uring"),
            claim=Claim.GAP,
            gap="io-uring",
            remark="the ring is recorded; an open through it is not held",
        ),
        Way(
            id="handle",
            title="`open_by_handle_at`",
            script="handing handle .env",
            needs=("gcc", "root"),
            claim=Claim.GAP,
            gap="unreadable-path",
            remark="root only; a handle has no name",
        ),
    ),
)
