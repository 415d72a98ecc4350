"""Spares a commit the slowest imports: modules that say something of a program and do nothing for it."""

from __future__ import annotations

import sys
from types import ModuleType


def put_typing_off() -> None:
    """Have modules do without `typing` as far as they only name what is in it: a third of all their time.

    Whoever asks for more gets the real one.
    """
    if "typing" not in sys.modules:
        sys.modules["typing"] = _LateTyping("typing")


def put_inspect_off() -> None:
    """Have `dataclasses` do without `inspect`, which takes as long to import as Python takes to start.

    `dataclasses` asks it for a class's own annotations, and, for a class without a docstring, for its signature. The
    first is answered here; anything else loads the real one.
    """
    if "inspect" not in sys.modules:
        sys.modules["inspect"] = _LateInspect("inspect")


class _Nothing:
    """What is only named."""


class _LateTyping(ModuleType):
    """Stands in for the module until more of it is wanted."""

    TYPE_CHECKING = False
    Any = NoReturn = object
    Protocol = _Nothing
    ClassVar = _GenericAlias = type("ClassVar", (), {})
    """`dataclasses` compares with them."""

    __path__ = ()  # type: ignore[assignment]
    """`import` asks for it."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get("typing") is self:
            del sys.modules["typing"]
        import typing

        return getattr(typing, name)


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
