"""Completions for bash: one function, and tables made from the parsers. It needs nothing of bash-completion's."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from agentguard.manual.spec import Command, Option, Positional, Takes, everything

_HEAD = """\
# bash completions of agentguard; made by `agentguard completions bash`
_agentguard_tables() {  # PATH OPTION: sets names, valued, words, takes and choices
  names='' valued='' words='' takes='' choices=''
  case $1 in
"""

_REST = r"""
_agentguard() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} place='' word skip=0 i
  local names valued words takes choices option='' home=()
  [[ $cur == '=' ]] && cur=''
  [[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
  COMPREPLY=()
  _agentguard_tables ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- && $place == run ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); return; fi
      if ((COMP_CWORD == i + 1)); then COMPREPLY=($(compgen -c -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
      return
    fi
    if ((skip)); then
      [[ $word == '=' ]] && continue
      [[ $option == --home ]] && home=(--home "$word")
      skip=0
    elif [[ $word == -* ]]; then
      [[ " $valued " == *" $word "* ]] && skip=1 option=$word
    elif [[ " $words " == *" $word "* ]]; then
      place=${place:+$place }$word
      _agentguard_tables "$place"
    fi
  done
  if ((skip)); then
    _agentguard_tables "$place" "$prev"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$names" -- "$cur"))
    return
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  else
    _agentguard_tables "$place" word
  fi
  case $takes in
    choice) COMPREPLY=($(compgen -W "$choices" -- "$cur")) ;;
    folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    command) COMPREPLY=($(compgen -W -- -- "$cur")) ;;
    sessions | fingerprints)
      words=$("${COMP_WORDS[0]}" completions --values "$takes" "${home[@]}" 2>/dev/null | cut -f 1)
      COMPREPLY=($(compgen -W "$words" -- "$cur"))
      ;;
  esac
}
complete -F _agentguard agentguard
"""


def script(tree: Sequence[Command]) -> str:
    """For ~/.local/share/bash-completion/completions/agentguard, or to be sourced."""
    verbs = " ".join(command.path[0] for command in tree)
    cases = [f"    '') names='--help --version' words={shlex.quote(verbs)} ;;"]
    for command in everything(tuple(tree)):
        cases += _cases(command)
    return _HEAD + "\n".join(cases) + "\n  esac\n}\n" + _REST.lstrip("\n")


def _cases(command: Command) -> list[str]:
    place = " ".join(command.path)
    names = " ".join(name for option in command.options for name in option.names)
    words = " ".join(action.path[-1] for action in command.actions)
    lines = [
        f"    {shlex.quote(place)})",
        f"      names={shlex.quote(names)} valued={shlex.quote(' '.join(command.valued))} words={shlex.quote(words)}",
        "      case ${2-} in",
    ]
    lines += [
        f"        {' | '.join(option.names)}) {_value(option)} ;;"
        for option in command.options
        if option.takes not in (Takes.NOTHING, Takes.WORD)
    ]
    chosen = [one for one in command.positionals if one.takes is not Takes.WORD]
    if chosen:
        # Several kinds in a row (`hook install git`, `hook run pre-commit`): the first is what is mostly missing.
        lines.append(f"        word) {_value(chosen[0])} ;;")
    return [*lines, "      esac", "      ;;"]


def _value(one: Option | Positional) -> str:
    return f"takes={one.takes} choices={shlex.quote(' '.join(one.choices))}"
