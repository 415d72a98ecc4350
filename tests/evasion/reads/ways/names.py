"""Other names for the same file."""

from __future__ import annotations

from evasion.claim import Family
from evasion.reads.way import Way

_DEEP = """python '
import os
for step in range(20):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
os.rename(os.environ["WAY"] + "/.env", ".env")
note()
print(open(".env").read())'"""

NAMES = Family(
    "Names and paths",
    (
        Way(id="cat", title="`cat` with an absolute path", script='noted cat "$WAY/.env"'),
        Way(id="relative", title="a relative path", script="noted cat .env"),
        Way(id="change-folder", title="`cd`, then a relative path", script='cd / && cd "$WAY" && noted cat ./.env'),
        Way(id="dots", title="`..` in the path", script="mkdir -p a/b; noted cat a/b/../../.env"),
        Way(id="slashes", title="double slashes and dots", script='noted cat "/$WAY//.///.env"'),
        Way(id="glob", title="a glob: `cat .e*`", script="noted cat .e*"),
        Way(id="symlink", title="a symbolic link", before="ln -s .env notes.txt", script="noted cat notes.txt"),
        Way(
            id="new-symlink",
            title="a symbolic link made in the session",
            script="ln -s .env notes.txt; noted cat notes.txt",
        ),
        Way(
            id="symlink-chain",
            title="a chain of symbolic links",
            before='ln -s .env a; ln -s "$PWD/a" b; ln -s b c',
            script="noted cat c",
        ),
        Way(
            id="folder-symlink",
            title="a symbolic link to its folder",
            before="mkdir real; mv .env real; ln -s real other",
            script="noted cat other/.env",
            at="real/.env",
        ),
        Way(id="hard-link", title="a hard link", before="ln .env notes.txt", script="noted cat notes.txt"),
        Way(
            id="new-hard-link",
            title="a hard link made in the session",
            script="ln .env notes.txt; noted cat notes.txt",
        ),
        Way(id="renamed", title="renamed, then read", script="mv .env notes.txt; noted cat notes.txt"),
        Way(
            id="folder-renamed",
            title="its folder renamed, then read",
            before="mkdir real; mv .env real",
            script="mv real other; noted cat other/.env",
            at="/.env",  # by the name that it had, or by the new one where the index was faster
        ),
        Way(id="dirfd", title="`openat` below a descriptor of the folder", script="calls dirfd .env", needs=("gcc",)),
        Way(id="proc-root", title="`/proc/self/root/…`", script='noted cat "/proc/self/root$WAY/.env"'),
        Way(id="proc-cwd", title="`/proc/self/cwd/…`", script="noted cat /proc/self/cwd/.env"),
        Way(
            id="other-cwd",
            title="`/proc/PID/cwd/…` of another process",
            script="noted sh -c 'cd /; exec cat /proc/'$$'/cwd/.env'",
        ),
        Way(
            id="self-link",
            title="a symbolic link to `/proc/self`",
            script="ln -s /proc/self me; noted cat me/cwd/.env",
        ),
        Way(
            id="self-relative",
            title="`self/fd/N/…`, relative to `/proc`",
            script="exec 3< .; cd /proc; noted cat self/fd/3/.env",
        ),
        Way(
            id="self-dots",
            title="`/proc/../proc/self/cwd/…`",
            script="noted cat /proc/../proc/self/cwd/.env",
        ),
        Way(
            id="o-path",
            title="`O_PATH`, then `/proc/self/fd/N`",
            script="calls o-path .env",
            needs=("gcc",),
        ),
        Way(id="dev-fd", title="`O_PATH`, then `/dev/fd/N`", script="calls dev-fd .env", needs=("gcc",)),
        Way(
            id="thread-self",
            title="`O_PATH`, then `/proc/thread-self/fd/N`",
            script="calls thread-self .env",
            needs=("gcc",),
        ),
        Way(
            id="open-tree",
            title="`open_tree`, then `/proc/self/fd/N`",
            script="calls open-tree .env",
            needs=("gcc",),
        ),
        Way(
            id="dev-stdin",
            title="`/dev/stdin`, opened once more",
            script='echo $$ >> "$PIDS"; exec < .env; noted cat /dev/stdin',
        ),
        Way(
            id="deep",
            title="a folder whose path is longer than 4 KB",
            script=_DEEP,
        ),
        Way(
            id="not-utf-8",
            title="a folder and a file whose names are no UTF-8",
            before="d=$(printf 'd\\377'); f=$(printf '.env.\\377'); mkdir \"$d\"; mv .env \"$d/$f\"",
            script="noted cat d*/.env.*",
            at="",
        ),
        Way(
            id="odd-name",
            title="line ends, quotes and control characters in the name",
            before='d=$(printf \'a\\n"\\047\\033[2J\'); mkdir "$d"; mv .env "$d"',
            script="noted cat a*/.env",
        ),
    ),
)
