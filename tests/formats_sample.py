"""One database for the tests of every format: an ordinary session, a hostile one, and one of every rare kind of event.

It is made once for all tests (the fixture `told`), so they read it and never write.
"""

from __future__ import annotations

from pathlib import Path

from record_builders import SECOND, START, gap, make_home, read, record_all_sorts, send, session

from agentguard.config import Home
from agentguard.model.finding import Activity, Kind
from agentguard.record.writer import Writer

NASTY = (
    '=cmd|"/c calc"!A1\t\x1b[31m\x1b]8;;https://evil.example\x07x\x1b]8;;\x07\x9b31m\u202egpj\u2066\u200b\ufeff'
    "<script>alert(1)</script><img src=x onerror=alert(1)>|`*_[a](https://evil.example)[bold]\r\n# h\n@everyone "
    "\U000e0041\u115f" + "a\u0301\u0301\u0301\u0301\u0301 \udcff"
)
"""What attacks a terminal, an eye, HTML, Markdown, Rich, a spreadsheet and a JSON parser at once."""

LONG = NASTY + "A" * 10_000


def record_formats(folder: Path) -> Home:
    """`s-all` leaked, `s-hostile` has `NASTY` wherever an agent chooses a name, `s-rare` has `LONG`, and runs."""
    home = make_home(folder)
    writer = Writer(home)
    writer.start()
    record_all_sorts(writer)
    record_all_sorts(writer, "s-hostile", NASTY)
    _record_rare(writer)
    writer.close()
    return home


def _record_rare(writer: Writer) -> None:
    own = {"session": "s-rare"}
    begun = session("s-rare", start_ns=START + 100 * SECOND, agent="codex", agent_name="Codex")
    writer.begin_session(begun)
    writer.append(*read(1, path=f"/src/{LONG}", subject=LONG, **own))
    tcp = {"kind": Kind.NETWORK, "protocol": "tcp", "subject": "203.0.113.9:25"}
    writer.append(*send(2, of="s-rare-e1", method="SEND", host="203.0.113.9", **tcp, **own))
    writer.append(*send(3, activity=Activity.CONNECT, method="", host="2001:db8::1", matches=(), **tcp, **own))
    writer.append(*send(4, activity=Activity.REPEAT, count=40, repeats="s-rare-e2", **own))
    writer.append(*send(5, method="PROPFIND", host="", subject="PROPFIND", protocol="", port=0, **own))
    writer.append(*read(6, kind=Kind.FINDING, activity=Activity.WRITE, subject="policy.yaml", **own))
    writer.append(*read(7, activity=Activity.DELETE, process=None, matches=(), **own))
    writer.append(*read(8, kind=Kind.COMMAND, activity=Activity.EXEC, process=None, path="", **own))
    writer.append(*gap(9, process=None, **own))
