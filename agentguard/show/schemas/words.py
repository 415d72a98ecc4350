"""The words that the schemas are written in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from agentguard.show.document import VERSIONS, schema_name

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXT_OR_NONE: Schema = {"type": ["string", "null"]}
NUMBER_OR_NONE: Schema = {"type": ["integer", "null"]}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
"""UTC."""
TIME_OR_NONE: Schema = {"anyOf": [TIME, {"type": "null"}]}
TEXTS: Schema = {"type": "array", "items": TEXT}


def thing(**properties: Schema) -> Schema:
    """An object. Every field named is there; others may join."""
    return {"type": "object", "required": list(properties), "properties": properties}


def several(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


def or_none(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def words(enum: type[StrEnum]) -> Schema:
    """One of the words of `enum`."""
    return {"enum": [word.value for word in enum]}


def said(schema: Schema, description: str) -> Schema:
    """With a sentence for whoever reads the schema."""
    return {**schema, "description": description}


def counts(of: Schema = COUNT) -> Schema:
    """An object from any name to `of`."""
    return {"type": "object", "additionalProperties": of}


def published(name: str, title: str, schema: Schema) -> Schema:
    """`schema` with what makes it one that stands on its own."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:agentguard:schema:{name}:{VERSIONS[name]}",
        "title": f"AgentGuard: {title}",
        **schema,
    }


def document(name: str, title: str, /, **properties: Schema) -> Schema:
    """Of what `show.document` writes under the same name."""
    return published(name, title, thing(schema={"const": schema_name(name)}, version=TEXT, **properties))
