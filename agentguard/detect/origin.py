"""Where in a text something stands that was found in a decoded view of it."""

from __future__ import annotations

from collections.abc import Callable

from agentguard.detect.value_forms import forms


def origin(data: bytes, value: bytes, holds: Callable[[bytes], bool] | None) -> tuple[int, int]:
    """Half-open span in `data` of what decodes to `value`; (-1, -1) when it cannot be told.

    As a rule it stands there plainly, behind an escape sequence, or in one of the forms in which a value may be met.
    Else (lines of base64, something compressed) the lines that are needed to find it are narrowed down.

    Args:
        data: the text.
        value: as it stands in the view.
        holds: whether a part of the text still gives the find; None: do not narrow it down, which takes twenty looks.
    """
    for form, _encoding in forms(value):
        at = data.find(form)
        if at >= 0:
            return at, at + len(form)
    if holds is None or not holds(data):
        return -1, -1
    end = _end(data, holds)
    return _start(data[:end], holds), end


def _end(data: bytes, holds: Callable[[bytes], bool]) -> int:
    """The end of the last line that is needed."""
    low, high = 0, len(data)
    while low < high:  # the beginning of the text up to `high` holds it; up to `low`, not
        middle = data.find(b"\n", (low + high) // 2, high) + 1
        if not middle or middle == high:
            middle = data.rfind(b"\n", low, (low + high) // 2) + 1
            if middle <= low:
                return high
        if holds(data[:middle]):
            high = middle
        else:
            low = middle
    return high


def _start(data: bytes, holds: Callable[[bytes], bool]) -> int:
    """The start of the first line that is needed."""
    low, high = 0, len(data)
    while low < high:  # the rest of the text from `low` holds it; from `high`, not
        middle = data.rfind(b"\n", low, (low + high) // 2) + 1
        if middle <= low:
            middle = data.find(b"\n", (low + high) // 2, high) + 1
            if not middle or middle >= high:
                return low
        if holds(data[middle:]):
            low = middle
        else:
            high = middle
    return low
