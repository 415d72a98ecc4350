"""Completions for zsh: `_arguments` does the work, with a description beside each word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentguard.manual.spec import Command, Option, Positional, Takes, brief, everything

_HEAD = """\
#compdef agentguard
# zsh completions of agentguard; made by `agentguard completions zsh`

_agentguard_values() {  # what _arguments hands on to compadd comes first
  local -a found home
  (( ${+opt_args[--home]} )) && home=(--home ${(Q)opt_args[--home]})
  found=(${(f)"$(${words_of_agentguard:-agentguard} completions --values $argv[-1] $home 2>/dev/null)"})
  found=(${found/$'\\t'/:})
  _describe -V $argv[-1] found
}
"""

_TOP = """\
_agentguard() {
  local curcontext=$curcontext state line words_of_agentguard=$words[1]
  _arguments -C '(-)--help[show help]' '(-)--version[show the version]' \\
    '1:verb:_agentguard_verbs' '*::argument:->rest'
  [[ $state == rest ]] || return
  local call=_agentguard_$line[1]
  (( $+functions[$call] )) && $call
}
"""

_TAIL = """
if [[ $funcstack[1] == _agentguard ]]; then
  _agentguard "$@"
else
  compdef _agentguard agentguard
fi
"""


def script(tree: Sequence[Command]) -> str:
    """For a folder of `fpath`, as `_agentguard`."""
    verbs = tuple(tree)
    parts = [_HEAD, _described("_agentguard_verbs", "verb", verbs), _TOP]
    for command in everything(verbs):
        if command.actions:
            parts.append(_described(f"_agentguard_{command.path[0]}_actions", "action", command.actions))
        parts.append(_function(command))
    return "\n".join(parts) + _TAIL


def _described(name: str, kind: str, commands: Sequence[Command]) -> str:
    rows = "\n".join(f"    {_quoted(f'{one.path[-1]}:{_plain(brief(one.help))}')}" for one in commands)
    return f"{name}() {{\n  local -a known=(\n{rows}\n  )\n  _describe {kind} known\n}}\n"


def _function(command: Command) -> str:
    name = "_agentguard_" + "_".join(command.path)
    specs = [_option(option) for option in command.options]
    lines = [f"{name}() {{"]
    if command.actions:
        specs += [f"'1:action:{name}_actions'", "'*::argument:->rest'"]
        lines.append("  local curcontext=$curcontext state line")
    else:
        specs += [spec for one in command.positionals if (spec := _positional(one))]
    lines.append("  _arguments -s -S -C \\\n    " + " \\\n    ".join(specs))
    if command.actions:
        lines += [
            "  [[ $state == rest ]] || return",
            f"  local call={name}_$line[1]",
            "  (( $+functions[$call] )) && $call",
        ]
    return "\n".join([*lines, "}", ""])


def _option(option: Option) -> str:
    takes = option.takes is not Takes.NOTHING
    names = [name + ("=" if name.startswith("--") else "+") * takes for name in option.names]
    text = f"[{_plain(brief(option.help))}]" + (f":{_plain(option.metavar)}:{_value(option)}" if takes else "")
    if len(names) == 1:
        return _quoted(names[0] + text)
    return f"{_quoted('(' + ' '.join(option.names) + ')')}{{{','.join(names)}}}{_quoted(text)}"


def _positional(one: Positional) -> str:
    if one.takes is Takes.COMMAND:
        return "'*::: :_normal -P'"
    return _quoted(f"*:{_plain(one.metavar)}:{_value(one)}") if one.takes is not Takes.WORD else ""


def _value(one: Option | Positional) -> str:
    if one.takes is Takes.CHOICE:
        return f"({' '.join(one.choices)})"
    if one.takes in (Takes.SESSION, Takes.FINGERPRINT):
        return f"_agentguard_values {one.takes}"
    return {Takes.FILE: "_files", Takes.FOLDER: "_files -/"}.get(one.takes, " ")


def _plain(text: str) -> str:
    """Without what `_arguments` would take for its own."""
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
