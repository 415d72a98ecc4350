"""What a protocol answers with: one JSON object, or a stream of server-sent events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Json:
    body: dict[str, Any]

    content_type = "application/json"

    def encode(self) -> bytes:
        return json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Events:
    """`(event name or "", JSON object or literal text)` each."""

    items: tuple[tuple[str, dict[str, Any] | str], ...]

    content_type = "text/event-stream"

    def encode(self) -> bytes:
        return b"".join(_event(name, data) for name, data in self.items)


Answer = Json | Events


def _event(name: str, data: dict[str, Any] | str) -> bytes:
    head = f"event: {name}\n" if name else ""
    text = data if isinstance(data, str) else json.dumps(data)
    return f"{head}data: {text}\n\n".encode()
