"""JSON as editors write it: with comments and trailing commas."""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def loads(text: str) -> Any:
    """What it says.

    Raises:
        ValueError: it is not JSON even so. The error quotes nothing of it.
    """
    without_comments = _COMMENT.sub(_kept_string, text.removeprefix("\ufeff"))
    try:
        return json.loads(_COMMA.sub(_kept_string, without_comments))
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: line {error.lineno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _kept_string(token: re.Match[str]) -> str:
    """What only looks like a comment or a comma inside a string stays."""
    return token[0] if token[0].startswith('"') else " "
