"""A database of an older version is brought up to date before a verb needs it: with words where that takes a while."""

from __future__ import annotations

from agentguard.config import Home

_VERSION_AT, _VERSION_BYTES = 60, 4
"""Where SQLite keeps `user_version` in its file: read without opening it, as every start asks."""
_INVENTORY = 3
"""The schema that brought the inventory of keys: the step to it walks all events, a minute for each million."""


def bring_up_to_date(home: Home) -> None:
    """Quick where there is nothing to do; whoever writes to it does the smaller steps by himself.

    Raises:
        StoreError: the database cannot be opened for writing.
    """
    if 0 < _version(home) < _INVENTORY:
        make_inventory(home)


def make_inventory(home: Home) -> None:
    """Of a database that has none, whatever its file says. Raises StoreError as above."""
    from agentguard.record.at_rest import bring_up_to_date as migrate  # noqa: PLC0415 - hardly ever needed
    from agentguard.show.progress import ProgressLine  # noqa: PLC0415

    with ProgressLine() as progress:
        migrate(home, lambda done, total: progress.tell(done, total, "making the inventory of keys"))


def _version(home: Home) -> int:
    """0 where there is no database yet, or none that can be read: whoever needs it says so."""
    try:
        with home.database.open("rb") as file:
            file.seek(_VERSION_AT)
            return int.from_bytes(file.read(_VERSION_BYTES), "big")
    except OSError:
        return 0
