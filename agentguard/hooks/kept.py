"""What Python compiles anew at every start, kept from the start before: regular expressions, and dataclasses' methods.

Eighty expressions and thirty classes took a third of a commit's hook. What comes of them depends on their text and on
the version of Python alone, so it is kept in the user's own folder under that version. Only the process of a hook does
this. A file that cannot be read or does not fit counts as none: then all is compiled, as ever.
"""

from __future__ import annotations

import dataclasses
from re import _compiler  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

from agentguard.detect.cache_file import read, write
from agentguard.hooks.expressions import VERSION, expression_of, made_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentguard.hooks.expressions import Expression


class Kept:
    """Of one process. `put_in_place` comes before the first import that it is to spare.

    Args:
        folder: of the user's own. Where it cannot be written nothing is kept.
    """

    def __init__(self, folder: str) -> None:
        self._path = f"{folder}/start-{VERSION}.kept"
        self._expressions: dict[tuple[str | bytes, int], Expression] = {}
        self._codes: dict[str, Any] = {}
        self._new = False
        self._open = True
        self._compile: Callable[[Any, int], Any] = _compiler.compile
        kept = read(self._path)
        if kept is not None:
            self._expressions, self._codes = kept

    def put_in_place(self) -> None:
        """From now on `re` and `dataclasses` ask here first."""
        vars(_compiler)["compile"] = self._expression
        vars(dataclasses)["exec"] = self._run

    def close(self) -> None:
        """Write what is new, for the next start; from now on nothing more is kept. It is called before anything of the
        user's is looked at, so that nothing of it can get into the file."""
        self._open = False
        if self._new:
            write(self._path, (self._expressions, self._codes))

    def _expression(self, pattern: Any, flags: int = 0) -> Any:
        """As `re._compiler.compile`."""
        if type(pattern) not in (str, bytes):
            return self._compile(pattern, flags)
        known = self._expressions.get((pattern, int(flags)))
        if known is None and not self._open:
            return self._compile(pattern, flags)
        if known is None:
            known = self._expressions[pattern, int(flags)] = expression_of(pattern, int(flags))
            self._new = True
        return made_of(pattern, known)

    def _run(self, text: str, scope: dict[str, Any], names: dict[str, Any]) -> None:
        """As `exec`, of a text that `dataclasses` has put together."""
        code = self._codes.get(text)
        if code is None:
            code = compile(text, "<string>", "exec")
            if self._open:
                self._codes[text], self._new = code, True
        exec(code, scope, names)  # noqa: S102 (as it does itself)
