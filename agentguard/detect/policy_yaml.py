"""YAML of our own data files, with the line of every mapping, so that an error can name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from agentguard.errors import PolicyError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of the file, and where it stands."""

    path: Path
    line: int
    """1-based line of its first key."""
    values: dict[str, Any] = field(default_factory=dict)

    def error(self, problem: str) -> PolicyError:
        return PolicyError(f"{self.path}:{self.line}: {problem}")

    def only(self, *allowed: str) -> None:
        """Refuse keys that mean nothing here: a typing error must not switch a rule off.

        Raises:
            PolicyError: there is one.
        """
        for key in self.values:
            if key not in allowed:
                raise self.error(f"unknown key {key!r}; known here: {', '.join(allowed)}")

    def table(self, key: str) -> Table:
        """The mapping under `key`; empty when it is missing.

        Raises:
            PolicyError: something else stands there.
        """
        found = self.values.get(key, Table(self.path, self.line))
        if not isinstance(found, Table):
            raise self.error(f"{key} must be a mapping")
        return found


def load_mapping(path: Path, *, allowed: Sequence[str]) -> Table:
    """The file's top mapping.

    Raises:
        PolicyError: it cannot be read, is no YAML, is no mapping, or has other keys than `allowed`.
    """
    try:
        data = path.read_bytes()
        if len(data) > _MAX_BYTES:
            raise PolicyError(f"{path}:1: the file is larger than {_MAX_BYTES} bytes")
        loader = _Loader(data)
        try:
            node = loader.get_single_node()
            top = _build(path, loader, node)
        finally:
            loader.dispose()
    except OSError as error:
        raise PolicyError(f"cannot read {path}: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PolicyError(f"{path}:{line}: {getattr(error, 'problem', None) or 'not valid YAML'}") from None
    except RecursionError:
        raise PolicyError(f"{path}:1: nested too deeply") from None
    if not isinstance(top, Table):
        raise PolicyError(f"{path}:1: the file must hold a mapping")
    top.only(*allowed)
    return top


def text(table: Table, key: str, *, required: bool = False) -> str:
    """A string; "" when it is missing and not required.

    Raises:
        PolicyError: it is missing and required, or no string.
    """
    found = table.values.get(key, "")
    if not isinstance(found, str) or (required and not found):
        raise table.error(f"{key} must be a text" if key in table.values else f"{key} is missing")
    return found


def flag(table: Table, key: str) -> bool:
    """True or false; false when missing.

    Raises:
        PolicyError: it is neither.
    """
    found = table.values.get(key, False)
    if not isinstance(found, bool):
        raise table.error(f"{key} must be true or false")
    return found


def number(table: Table, key: str) -> int:
    """A whole number above zero.

    Raises:
        PolicyError: it is missing or something else.
    """
    found = table.values.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found <= 0:
        raise table.error(f"{key} must be a whole number above zero")
    return found


def strings(table: Table, key: str) -> tuple[str, ...]:
    """A list of non-empty strings; () when missing.

    Raises:
        PolicyError: it is something else.
    """
    found = table.values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
        raise table.error(f"{key} must be a list of texts")
    return tuple(found)


def table_list(table: Table, key: str) -> list[Table]:
    """A non-empty list of mappings.

    Raises:
        PolicyError: it is something else.
    """
    found = table.values.get(key, [])
    if not isinstance(found, list) or not found or not all(isinstance(item, Table) for item in found):
        raise table.error(f"{key} must be a list of mappings")
    return found


def _build(path: Path, loader: Any, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        table = Table(path, node.start_mark.line + 1)
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            if not isinstance(key, str):
                raise PolicyError(f"{path}:{key_node.start_mark.line + 1}: key {key!r} must be a text")
            if key in table.values:
                raise PolicyError(f"{path}:{key_node.start_mark.line + 1}: key {key!r} stands twice")
            table.values[key] = _build(path, loader, value_node)
        return table
    if isinstance(node, yaml.SequenceNode):
        return [_build(path, loader, item) for item in node.value]
    return None if node is None else loader.construct_object(node)
