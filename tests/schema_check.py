"""Holds what a verb printed against the schema that `agentguard schema` publishes for it."""

from __future__ import annotations

import functools
from typing import Any

from jsonschema import Draft202012Validator

from agentguard.show.schemas.catalogue import SCHEMAS


def faults(printed: Any, name: str) -> list[str]:
    """Where `printed` is not as the schema says, or has a field that the schema does not name."""
    return [f"{error.json_path}: {error.message[:300]}" for error in _validator(name).iter_errors(printed)]


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    """The published schema lets fields join; what we print today is in it."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    return closed | {"additionalProperties": False} if "properties" in schema and "type" in schema else closed
