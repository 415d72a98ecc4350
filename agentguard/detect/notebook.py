"""Where in a Jupyter notebook something stands: a person opens it by its cells, not by the lines of its JSON."""

from __future__ import annotations

_CELL = b'"cell_type":'
_PARTS = {b'"source":': "source", b'"outputs":': "output", b'"attachments":': "attachment"}
SUFFIX = ".ipynb"


def cell_of(data: bytes, at: int) -> str:
    """`cell 3 output`; "" when there is no cell before the offset.

    Notebooks are written with sorted keys, so that a cell begins with its type. What stands within a cell has its
    quotes escaped, and cannot be taken for a key.
    """
    number = data.count(_CELL, 0, at)
    if not number:
        return ""
    begin = data.rfind(_CELL, 0, at)
    last = max(_PARTS, key=lambda part: data.rfind(part, begin, at))
    return f"cell {number} {_PARTS[last]}" if data.rfind(last, begin, at) >= 0 else f"cell {number}"
