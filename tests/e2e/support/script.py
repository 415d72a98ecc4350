"""The script a model plays: what the agent is told to do, in the words of whatever tools it offers.

The step is the number of tool results already in the request, so the server keeps no state, a retry repeats its
step, and requests beside the conversation (titles, summaries: no tools offered) do not disturb it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

READ_TOOLS = ("read", "read_file", "view", "view_file", "read_text_file", "view_image")
SHELL_TOOLS = ("bash", "exec_command", "shell_command", "run_shell_command", "shell", "local_shell")
PATH_FIELDS = ("file_path", "filePath", "absolute_path", "path")
COMMAND_FIELDS = ("command", "cmd")
FILLERS: dict[str, Any] = {"string": "scripted step", "boolean": False, "integer": 0, "number": 0, "array": []}
"""Values for fields a tool's schema requires and the script does not care about."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read a file with the agent's own tool. Codex has one for pictures only: it opens the file, then refuses it."""

    path: str


@dataclass(frozen=True, slots=True)
class Shell:
    command: str


@dataclass(frozen=True, slots=True)
class Say:
    """Answer in words; ends the agent's turn."""

    text: str


Step = Read | Shell | Say


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the agent offered it."""

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    freeform: bool = False
    """It takes a program text, not JSON arguments (Codex's `exec`)."""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    tool: Tool
    arguments: dict[str, Any]
    program: str = ""
    """For a freeform tool, in place of the arguments."""


def action(steps: Sequence[Step], tools: Sequence[Tool], done: int) -> Call | Say:
    """What to answer when `done` steps have their results. Says what is missing when no tool fits."""
    if not tools:
        return Say("ok")
    step = steps[min(done, len(steps) - 1)]
    if isinstance(step, Say):
        return step
    wanted, fields = (READ_TOOLS, PATH_FIELDS) if isinstance(step, Read) else (SHELL_TOOLS, COMMAND_FIELDS)
    value = step.path if isinstance(step, Read) else step.command
    if tool := _find(wanted, tools):
        return Call(tool, _arguments(tool, fields, value))
    if program := next((tool for tool in tools if tool.freeform and tool.name == "exec"), None):
        return Call(program, {}, _program(step))
    return Say("no usable tool among: " + ", ".join(tool.name for tool in tools))


def _program(step: Read | Shell) -> str:
    """For an agent whose one tool runs JavaScript that calls the others."""
    if isinstance(step, Shell):
        return f"const r = await tools.exec_command({json.dumps({'cmd': step.command})}); text(r.output);"
    call = f"await tools.view_image({json.dumps({'path': step.path})})"
    return f"try {{ {call} }} catch (error) {{ text(String(error)) }}"


def steps_to_json(steps: Sequence[Step]) -> list[dict[str, str]]:
    kinds = {Read: "read", Shell: "shell", Say: "say"}
    return [{kinds[type(step)]: getattr(step, step.__slots__[0])} for step in steps]


def steps_from_json(data: Sequence[dict[str, str]]) -> list[Step]:
    kinds: dict[str, type[Read] | type[Shell] | type[Say]] = {"read": Read, "shell": Shell, "say": Say}
    return [kinds[kind](value) for item in data for kind, value in item.items()]


def _find(names: Sequence[str], tools: Sequence[Tool]) -> Tool | None:
    by_name = {tool.name.lower(): tool for tool in tools if not tool.freeform}
    return next((by_name[name] for name in names if name in by_name), None)


def _arguments(tool: Tool, fields: Sequence[str], value: str) -> dict[str, Any]:
    properties: dict[str, dict[str, Any]] = tool.schema.get("properties") or {}
    chosen = next((name for name in fields if name in properties), fields[0])
    is_list = properties.get(chosen, {}).get("type") == "array"
    arguments: dict[str, Any] = {chosen: ["bash", "-lc", value] if is_list else value}
    for name in tool.schema.get("required") or []:
        arguments.setdefault(name, FILLERS.get(properties.get(name, {}).get("type", "string"), {}))
    return arguments
