"""Processes that hide, or are not what they seem."""

from __future__ import annotations

from evasion.claim import Claim, Family
from evasion.reads.way import Way

_GCC = ("gcc",)

_REUSED = """python '
import os, subprocess, time
first = subprocess.Popen(["noted", "head", "-c", "1", ".env"])
first.wait()
time.sleep(0.05)
for attempt in range(1000):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(first.pid - 1))
    child = os.fork()
    if child == 0:
        if os.getpid() == first.pid:
            os.execlp("noted", "noted", "cat", ".env")
        os._exit(1)
    os.waitpid(child, 0)
    if child == first.pid:
        break
else:
    raise SystemExit("the id did not come again")
'"""

_DAEMON = """
sh -c '
    setsid sh -c ": > up; until [ -e gone ]; do sleep 0.02; done; noted cat .env; : > done" &
    until [ -e up ]; do sleep 0.02; done
'
: > gone
until [ -e done ]; do sleep 0.02; done
"""

PROCESSES = Family(
    "Processes",
    (
        Way(id="thread", title="a thread", script="processes thread .env", needs=_GCC),
        Way(id="threads", title="sixteen threads at once", script="processes threads .env", needs=_GCC),
        Way(id="exec-in-thread", title="`exec` from a thread", script="processes exec-in-thread .env", needs=_GCC),
        Way(id="spawn", title="`posix_spawn`", script="processes spawn .env", needs=_GCC),
        Way(id="vfork", title="`vfork`", script="processes vfork .env", needs=_GCC),
        Way(id="setsid", title="`setsid`", script="setsid -w noted cat .env"),
        Way(id="nohup", title="`nohup`", script="nohup noted cat .env"),
        Way(
            id="daemon",
            title="a daemon that reads when its parents have gone",
            script=_DAEMON,
        ),
        Way(
            id="orphan",
            title="a double fork without an `exec` between",
            script="processes orphan .env",
            needs=_GCC,
            claim=Claim.LOWER,
            remark="the process is exact; the parent between was never seen, so the chain is not known",
        ),
        Way(
            id="pid-reuse",
            title="a second process with the id of the first",
            script=_REUSED,
            own_session=True,
            needs=("pidns",),
        ),
        Way(id="user-namespace", title="a user namespace", script="unshare -Ur noted cat .env", needs=("userns",)),
        Way(id="pid-namespace", title="a pid namespace", script="unshare -Urpf noted cat .env", needs=("userns",)),
        Way(
            id="bind-mount",
            title="a bind mount in a mount namespace",
            before="mkdir real other; mv .env real",
            script="unshare -Urm sh -c 'mount --bind real other; noted cat other/.env'",
            at="real/.env",
            needs=("userns",),
        ),
        Way(
            id="bind-file",
            title="the file bind-mounted over a harmless name",
            script=": > notes.txt; unshare -Urm sh -c 'mount --bind .env notes.txt; noted cat notes.txt'",
            needs=("userns",),
        ),
        Way(
            id="chroot",
            title="`chroot`",
            script="mkdir root; unshare -Urm sh -c 'mount --rbind / root; noted chroot root cat $WAY/.env'",
            needs=("userns",),
        ),
        Way(
            id="overlay",
            title="an overlay mount",
            before="mkdir low up work all; mv .env low",
            script=(
                "unshare -Urm sh -c 'mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,userxattr all;"
                " noted cat all/.env'"
            ),
            at="all/.env",
            needs=("overlay",),
        ),
        Way(
            id="overlay-renamed",
            title="an overlay mount, under a name that says nothing",
            before="mkdir low up work all; mv .env low; ln low/.env low/notes.txt",
            script=(
                "unshare -Urm sh -c 'mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,userxattr all;"
                " noted cat all/notes.txt'"
            ),
            at="notes.txt",
            needs=("overlay",),
            claim=Claim.GAP,
            gap="unattributed-open",
            remark="the overlay shows another inode: only the folder watch sees it",
        ),
        Way(
            id="renamed-process",
            title="a process that renames itself (`PR_SET_NAME`)",
            script="processes renamed .env",
            needs=_GCC,
            program="processes",
        ),
        Way(
            id="argv0",
            title="a false `argv[0]`",
            script="noted bash -c 'exec -a vim cat .env'",
            needs=("bash",),
            program="cat",
        ),
        Way(id="memory-program", title="a program that is only in memory", script="processes memory .env", needs=_GCC),
        Way(
            id="deleted-program",
            title="a program that deletes itself first",
            script='cp "$(command -v processes)" mine; ./mine unlinked .env',
            needs=_GCC,
        ),
        Way(
            id="hidden",
            title="a process that hides its memory (`PR_SET_DUMPABLE`)",
            script="processes hidden .env",
            needs=_GCC,
            claim=Claim.GAP,
            root_claim=Claim.EXACT,
            gap="unreadable-path",
            remark="exact where the guard runs as root",
        ),
        Way(id="traced", title="traced by a process of its own (`ptrace`)", script="processes traced .env", needs=_GCC),
        Way(
            id="strace",
            title="under `strace`",
            script="noted strace -f -o /dev/null cat .env",
            below=True,
            needs=("strace",),
        ),
        Way(id="filtered", title="under a seccomp filter of its own", script="processes filtered .env", needs=_GCC),
        Way(
            id="preloaded",
            title="with a preloaded `open` of its own",
            script='LD_PRELOAD="$PRELOADED" noted cat .env',
            needs=_GCC,
        ),
        Way(id="clean-environment", title="`env -i`", script='noted env -i "$(command -v cat)" .env'),
        Way(id="no-new-privileges", title="`setpriv --no-new-privs`", script="noted setpriv --no-new-privs cat .env"),
        Way(
            id="flood",
            title="one read among 10,000 harmless opens",
            before="echo nothing > harmless",
            script="processes flood .env",
            needs=_GCC,
        ),
    ),
)
