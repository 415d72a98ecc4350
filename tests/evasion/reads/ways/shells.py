"""What shells do by themselves."""

from __future__ import annotations

from evasion.claim import Family
from evasion.reads.way import Way

_BASH = ("bash",)

SHELLS = Family(
    "Shells",
    (
        Way(id="read", title="`read < .env`", script="noted sh -c 'read -r line < .env; echo \"$line\"'"),
        Way(id="redirect", title="`cat < .env`", script="noted sh -c 'cat < .env; true'", below=True),
        Way(
            id="descriptor",
            title="`exec 3< .env; cat <&3`",
            script="noted sh -c 'exec 3< .env; cat <&3'",
            remark="shows the shell that opened it, not `cat`",
        ),
        Way(id="source", title="`. .env` (source)", script="noted sh -c '. ./.env; echo $TOKEN'"),
        Way(
            id="env-cat",
            title="`env $(cat .env) CMD`",
            script="noted sh -c 'env $(cat .env) sh -c \"echo \\$TOKEN\"'",
            below=True,
        ),
        Way(
            id="substitution", title='`"$(<.env)"`', script="noted bash -c 'echo \"$(<.env)\"'", below=True, needs=_BASH
        ),
        Way(
            id="mapfile", title="`mapfile < .env`", script="noted bash -c 'mapfile a < .env; echo ${a[@]}'", needs=_BASH
        ),
        Way(
            id="process-substitution",
            title="`cat <(cat .env)`",
            script="noted bash -c 'cat <(cat .env)'",
            below=True,
            needs=_BASH,
        ),
        Way(
            id="coprocess",
            title="`coproc cat .env`",
            script="noted bash -c 'coproc cat .env; cat <&${COPROC[0]}'",
            below=True,
            needs=_BASH,
        ),
        Way(
            id="bash-env", title="`BASH_ENV=.env bash`", script="BASH_ENV=.env noted bash -c 'echo $TOKEN'", needs=_BASH
        ),
        Way(
            id="script-file",
            title="a script with a `#!` line",
            script="printf '#!/bin/sh\\ncat .env\\n' > go; chmod +x go; noted ./go",
            below=True,
        ),
        Way(
            id="fifo",
            title="through a FIFO, fed by another process",
            script="mkfifo pipe; noted cat .env > pipe & cat pipe; wait",
            remark="shows who opened the secret",
        ),
        Way(
            id="terminal",
            title="in a terminal of its own (`script`)",
            script="noted script -qec 'cat .env' /dev/null",
            below=True,
            needs=("script",),
        ),
    ),
)
