"""Where in a text something stands that was found in a decoded view of it."""

from __future__ import annotations

from collections.abc import Callable

from agentguard.detect.value_forms import forms

_MOST_LOOKS = 48


def origin(data: bytes, value: bytes, holds: Callable[[bytes], bool]) -> tuple[int, int]:
    """Half-open span in `data` of what decodes to `value`; (-1, -1) when it cannot be told.

    As a rule it stands there plainly, behind an escape sequence, or in one of the forms in which a value may be met.
    Else (lines of base64, something compressed) the lines that are needed to find it are narrowed down.

    Args:
        data: the text.
        value: as it stands in the view.
        holds: whether a part of the text still gives the find.
    """
    for form, _encoding in forms(value):
        at = data.find(form)
        if at >= 0:
            return at, at + len(form)
    ends = [at + 1 for at, byte in enumerate(data) if byte == ord("\n")]
    if not ends or ends[-1] < len(data):
        ends.append(len(data))
    if not holds(data):
        return -1, -1
    last = _first(len(ends), lambda number: holds(data[: ends[number]]))
    end = ends[last]
    starts = [0, *ends[:last]]
    begin = _first(len(starts), lambda number: holds(data[starts[len(starts) - 1 - number] : end]))
    return starts[len(starts) - 1 - begin], end


def _first(count: int, fits: Callable[[int], bool]) -> int:
    """The least number below `count` that fits, where all above one that fits do, and the greatest does."""
    low, high = 0, count - 1
    for _ in range(_MOST_LOOKS):
        if low >= high:
            break
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return high
