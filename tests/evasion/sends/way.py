"""What a way to send a secret is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evasion.claim import Claim
from evasion.sends.world import COLLECTOR


def plain(value: bytes) -> tuple[bytes, ...]:
    """It arrives as it is."""
    return (value,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to send a secret.

    `script` runs in sh in a folder of the way's own, in which `.env` holds a value of the way's own as TOKEN. Beside
    what is installed it finds there:

        noted CMD ...           writes down its process id and becomes CMD
        python CODE             a Python with `note()`, which does the first half, and all of `kit.py`
        $URL                    of the collector, with a path of the way's own; $TWO the same with HTTP/2
        $ID                     the last part of that path
        $WORLD_CA               what signed the servers
    """

    id: str
    title: str
    """For the README: plain words."""
    script: str
    claim: Claim = Claim.EXACT
    captured: Claim | None = None
    """Where it differs with `run --capture`."""
    remark: str = ""
    """Why it is no better, or what is to be known; a few words."""
    arrives: Callable[[bytes], tuple[bytes, ...]] = plain
    """The pieces in which a server must get the value. None of them, where nothing may leave."""
    opened: Callable[[bytes], bytes] | None = None
    """What a server does to the body at the way's own path to find the value; in place of `arrives`."""
    shown_by: str = ""
    """A script that shows that it arrived: run afterwards beside the servers, it must print the value."""
    stopped: bool = False
    """The client gives up, and nothing must arrive."""
    before: str = ""
    """A script that runs in the folder before the session starts."""
    needs: tuple[str, ...] = ()
    """Names of `needs.py`, or of programs."""
    gap: str = ""
    """The type of the gap, where that is the claim."""
    host: str = COLLECTOR
    """That the event must name; "" for none."""
    named: Callable[[bytes], str] | None = None
    """A further name of the collector's, made of the value; lower case."""
    from_read: bool = True
    """The event must name the read of `.env` that it came from."""
    known_form: bool = False
    """The value has the form of a known credential."""
    variable: str = ""
    """The secret is this variable, that the agent was started with; there is no `.env`."""
    data: Callable[[], bytes] | None = None
    """What a file `data` in the folder holds."""
    below: bool = False
    """The sender is a process that the noted one starts, and that cannot write itself down."""
    program: str = ""
    """How the name of the program begins that the event must give."""
    login: str = ""
    """A further script: the client shows its own login to its own service, and nothing may come of it."""

    def claimed(self, *, capture: bool) -> Claim:
        return self.captured if capture and self.captured is not None else self.claim
