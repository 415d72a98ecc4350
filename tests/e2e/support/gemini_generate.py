"""Gemini (`POST …:generateContent` and `…:streamGenerateContent`)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from support.answer import Answer, Events, Json
from support.script import Say, Step, Tool, action

USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}


def answer(request: dict[str, Any], steps: Sequence[Step], *, stream: bool) -> Answer:
    declared = [item for tool in request.get("tools") or [] for item in tool.get("functionDeclarations") or []]
    tools = [Tool(item["name"], item.get("parametersJsonSchema") or item.get("parameters") or {}) for item in declared]
    parts = [part for content in request.get("contents") or [] for part in content.get("parts") or []]
    chosen = action(steps, tools, sum(1 for part in parts if "functionResponse" in part))
    if isinstance(chosen, Say):
        part: dict[str, Any] = {"text": chosen.text}
    else:
        part = {"functionCall": {"name": chosen.tool.name, "args": chosen.arguments, "id": uuid.uuid4().hex[:8]}}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    body = {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": "scripted", "responseId": "scripted"}
    return Events((("", body),)) if stream else Json(body)
