"""OpenAI Chat Completions (`POST /v1/chat/completions`), streamed and plain."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from support.answer import Answer, Events, Json
from support.script import Say, Step, Tool, action

USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def answer(request: dict[str, Any], steps: Sequence[Step]) -> Answer:
    functions = [tool["function"] for tool in request.get("tools") or [] if "function" in tool]
    tools = [Tool(function["name"], function.get("parameters") or {}) for function in functions]
    done = sum(1 for message in request.get("messages") or [] if message.get("role") == "tool")
    chosen = action(steps, tools, done)
    if isinstance(chosen, Say):
        message: dict[str, Any] = {"role": "assistant", "content": chosen.text}
        finish = "stop"
    else:
        function = {"name": chosen.tool.name, "arguments": json.dumps(chosen.arguments)}
        call = {"index": 0, "id": f"call_{uuid.uuid4().hex[:16]}", "type": "function", "function": function}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        finish = "tool_calls"
    base = {"id": f"chatcmpl-{uuid.uuid4().hex[:12]}", "created": 1, "model": request.get("model", "")}
    if not request.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return Json({**base, "object": "chat.completion", "choices": [choice], "usage": USAGE})
    chunk = {**base, "object": "chat.completion.chunk"}
    return Events(
        (
            ("", {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}),
            ("", {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}),
            ("", {**chunk, "choices": [], "usage": USAGE}),
            ("", "[DONE]"),
        )
    )
