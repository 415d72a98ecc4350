"""Descriptors handed over, files that change, and work handed to others."""

from __future__ import annotations

from evasion.claim import Claim, Family
from evasion.reads.way import Way

_GCC = ("gcc",)

_MEMORY = """python '
import os, re
note()
pid = os.environ["OUTSIDE_PID"]
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
    for low, high in re.findall(r"^(\\w+)-(\\w+) rw", maps.read(), re.MULTILINE):
        memory.seek(int(low, 16))
        found = re.search(rb"KEPT:TOKEN=(\\w{35})", memory.read(int(high, 16) - int(low, 16)))
        if found:
            print(found[1].decode())
            break
'"""

_ASKED = """python '
import os, socket
note()
with socket.socket(socket.AF_UNIX) as broker:
    broker.connect(os.environ["OUTSIDE_SOCKET"])
    broker.sendall(os.fsencode(os.environ["WAY"] + "/.env"))
    print(broker.recv(4096).decode())
'"""

_RENAMED_WHILE_READ = """python '
import os
note()
with open(".env") as file:
    first = file.read(9)
    os.rename(".env", "notes.txt")
    open(".env", "w").write("harmless")
    print(first + file.read())
'"""

HANDING = Family(
    "Descriptors, memory and helpers",
    (
        Way(
            id="passed",
            title="a descriptor sent over a socket (`SCM_RIGHTS`)",
            script="handing passed .env",
            needs=_GCC,
            remark="shows who opened it, not who reads",
        ),
        Way(
            id="taken",
            title="a descriptor taken from another process (`pidfd_getfd`)",
            script="handing taken .env",
            needs=_GCC,
            remark="shows who opened it, not who reads",
        ),
        Way(
            id="outside-fd",
            title="`/proc/PID/fd/N` of a process outside the session",
            script="noted cat /proc/$OUTSIDE_PID/fd/100",
            of_outside=True,
            at="held.env",
        ),
        Way(
            id="outside-taken",
            title="`pidfd_getfd` from a process outside the session",
            script="handing outside .env $OUTSIDE_PID 100",
            of_outside=True,
            at="held.env",
            needs=_GCC,
            claim=Claim.MISSED,
            remark="it was opened before, by someone else",
        ),
        Way(
            id="outside-memory",
            title="the memory of a process outside the session",
            script=_MEMORY,
            of_outside=True,
            claim=Claim.MISSED,
            remark="no file of secrets is opened",
        ),
        Way(
            id="inherited",
            title="a descriptor that was open before the session (`agentguard run … < .env`)",
            script="noted cat",
            standard_input=True,
            claim=Claim.MISSED,
            remark="it was opened before, by someone else",
        ),
        Way(
            id="asked",
            title="a helper outside the session reads it (`docker`, `ssh localhost`, `at`)",
            script=_ASKED,
            claim=Claim.GAP,
            gap="unattributed-open",
            remark="an open that no process of the session made",
        ),
    ),
)

CHANGES = Family(
    "Files that change",
    (
        Way(
            id="replaced", title="replaced just before", script="noted cp .env new; mv new .env; noted cat .env", at=""
        ),
        Way(
            id="created",
            title="created in the session, read at once",
            before="mv .env content.txt",
            script="cp content.txt .env; noted cat .env",
        ),
        Way(
            id="created-linked",
            title="created in the session, read through a new link",
            before="mv .env content.txt",
            script="mkdir new; cp content.txt new/.env; ln -s new/.env notes.txt; noted cat notes.txt",
            at="new/.env",
        ),
        Way(id="renamed-while-read", title="renamed and replaced while it is read", script=_RENAMED_WHILE_READ),
        Way(id="deleted", title="deleted, and opened through a descriptor", script="handing deleted .env", needs=_GCC),
        Way(
            id="temporary",
            title="made without a name (`O_TMPFILE`), then linked",
            before="mv .env content.txt",
            script="handing temporary .env",
            needs=_GCC,
        ),
        Way(
            id="content",
            title="a key in a file whose name says nothing",
            before="mv .env settings.py",
            script="noted cat settings.py",
            at="settings.py",
            late=True,
            remark="read before the index came to it, it is a gap",
        ),
    ),
)
