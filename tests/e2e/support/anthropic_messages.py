"""Anthropic Messages (`POST /v1/messages`), streamed and plain."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from support.answer import Answer, Events, Json
from support.script import Say, Step, Tool, action

USAGE = {"input_tokens": 10, "output_tokens": 5}


def answer(request: dict[str, Any], steps: Sequence[Step]) -> Answer:
    tools = [Tool(tool.get("name", ""), tool.get("input_schema") or {}) for tool in request.get("tools") or []]
    chosen = action(steps, tools, _results(request))
    if isinstance(chosen, Say):
        block: dict[str, Any] = {"type": "text", "text": chosen.text}
        empty, delta, stop = {**block, "text": ""}, {"type": "text_delta", "text": chosen.text}, "end_turn"
    else:
        call = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": chosen.tool.name}
        block, empty, stop = {**call, "input": chosen.arguments}, {**call, "input": {}}, "tool_use"
        delta = {"type": "input_json_delta", "partial_json": json.dumps(chosen.arguments)}
    message = {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", ""),
        "stop_sequence": None,
        "usage": USAGE,
    }
    if not request.get("stream"):
        return Json({**message, "content": [block], "stop_reason": stop})
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    return Events(tuple((event["type"], event) for event in events))


def _results(request: dict[str, Any]) -> int:
    blocks = [message.get("content") for message in request.get("messages") or []]
    return sum(
        1 for content in blocks if isinstance(content, list) for block in content if block["type"] == "tool_result"
    )
