"""OpenAI Responses (`POST /v1/responses`), streamed and plain. Its WebSocket form is refused by the server (426)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from support.answer import Answer, Events, Json
from support.script import Call, Say, Step, Tool, action

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}


def answer(request: dict[str, Any], steps: Sequence[Step]) -> Answer:
    given = request.get("input")
    items: list[dict[str, Any]] = given if isinstance(given, list) else []
    offered = list(_tools(request.get("tools") or []))
    for item in items:
        # Some models get their tools as an item of the conversation.
        if item.get("type") == "additional_tools":
            offered += _tools(item.get("tools") or [])
    done = sum(1 for item in items if str(item.get("type", "")).endswith("_output"))
    item = _item(action(steps, offered, done))
    response = {
        "id": f"resp_{uuid.uuid4().hex[:20]}",
        "object": "response",
        "created_at": 1,
        "model": request.get("model", ""),
        "status": "completed",
        "output": [item],
        "usage": USAGE,
    }
    if not request.get("stream"):
        return Json(response)
    started = {**response, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    return Events(tuple((event["type"], {**event, "sequence_number": n}) for n, event in enumerate(events)))


def _tools(offered: Sequence[dict[str, Any]], namespace: str = "") -> Iterator[Tool]:
    for tool in offered:
        kind = tool.get("type", "")
        if kind == "namespace":
            yield from _tools(tool.get("tools") or [], tool["name"])
        else:
            yield Tool(tool.get("name") or kind, tool.get("parameters") or {}, kind == "custom", namespace)


def _item(chosen: Call | Say) -> dict[str, Any]:
    if isinstance(chosen, Say):
        content = [{"type": "output_text", "text": chosen.text, "annotations": []}]
        return {"type": "message", "id": _id("msg"), "role": "assistant", "status": "completed", "content": content}
    call = {"call_id": _id("call"), "name": chosen.tool.name, "status": "completed"}
    if chosen.tool.namespace:
        call["namespace"] = chosen.tool.namespace
    if chosen.tool.freeform:
        return {"type": "custom_tool_call", "id": _id("ctc"), "input": chosen.program, **call}
    return {"type": "function_call", "id": _id("fc"), "arguments": json.dumps(chosen.arguments), **call}


def _id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:16]}"
