"""Spares a commit the slowest import of all."""

from __future__ import annotations

import sys
from types import ModuleType


def put_inspect_off() -> None:
    """Have `dataclasses` do without `inspect`, which takes as long to import as Python takes to start.

    `dataclasses` asks it for a class's own annotations, and, for a class without a docstring, for its signature. The
    first is answered here; anything else loads the real one.
    """
    if "inspect" not in sys.modules:
        sys.modules["inspect"] = _LateInspect("inspect")


class _LateInspect(ModuleType):
    """Stands in for the module until more of it is wanted."""

    @staticmethod
    def get_annotations(owner: type) -> dict[str, object]:
        """As `inspect.get_annotations` of a class."""
        return dict(vars(owner).get("__annotations__", ()))

    def __getattr__(self, name: str) -> object:
        if sys.modules.get("inspect") is self:
            del sys.modules["inspect"]
        import inspect

        return getattr(inspect, name)
