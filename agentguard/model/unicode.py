"""File names and command lines are bytes; JSON and SQLite take valid Unicode only."""

from __future__ import annotations


def valid_text(value: str) -> str:
    """`value` with undecodable bytes (surrogate escapes) and other lone surrogates made visible as `\\xNN`.

    Never raises: what an agent can put into a name must not keep an event from being recorded.
    """
    try:
        encoded = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encoded = value.encode("utf-8", "surrogatepass")
    return encoded.decode("utf-8", "backslashreplace")
