"""Completions for fish: one `complete` a word, each said with what it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.manual.spec import Command, Option, Positional, Takes, brief

_HEAD = """\
# fish completions of agentguard; made by `agentguard completions fish`
function __agentguard_at --description 'whether the words so far are: agentguard VERB [ACTION]'
    set -l words (commandline -opc)
    set -e words[1]
    set -l found
    for word in $words
        string match -q -- '-*' $word; and continue
        contains -- $word $__agentguard_words; and set -a found $word
    end
    test "$found" = "$argv"
end
function __agentguard_values
    set -l words (commandline -opc)
    set -l home
    set -l at (contains -i -- --home $words); and set home --home $words[(math $at + 1)]
    agentguard completions --values $argv $home 2>/dev/null
end
function __agentguard_after_dashes
    contains -- -- (commandline -opc)
end
complete -c agentguard -f
complete -c agentguard -n __agentguard_at -l version -d 'show the version'
complete -c agentguard -n __agentguard_at -l help -d 'show help'
"""


def script(tree: Sequence[Command]) -> str:
    """For ~/.config/fish/completions/agentguard.fish."""
    words = {word for command in tree for one in (command, *command.actions) for word in one.path}
    lines = [f"set -g __agentguard_words {' '.join(sorted(words))}"]
    for command in tree:
        lines.append(_word("", command))
        lines += _of(command)
        for action in command.actions:
            lines.append(_word(" ".join(command.path), action))
            lines += _of(action)
    return _HEAD + "\n".join(lines) + "\n"


def _word(place: str, command: Command) -> str:
    at = f"__agentguard_at {place}".rstrip()
    return f"complete -c agentguard -n {_quoted(at)} -a {command.path[-1]} -d {_quoted(brief(command.help))}"


def _of(command: Command) -> Iterator[str]:
    at = f"__agentguard_at {' '.join(command.path)}"
    for option in command.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        value = "" if option.takes is Takes.NOTHING else f" -r{_value(option)}"
        yield f"complete -c agentguard -n {_quoted(at)} {names}{value} -d {_quoted(brief(option.help))}"
    for one in command.positionals:
        if one.takes is Takes.COMMAND:
            after = "__agentguard_after_dashes"
            yield f"complete -c agentguard -n {after} -a '(__fish_complete_subcommand --fcs-skip=3)'"
        elif one.takes is not Takes.WORD:
            yield f"complete -c agentguard -n {_quoted(at)}{_value(one)}"


def _value(one: Option | Positional) -> str:
    if one.takes is Takes.CHOICE:
        return f" -f -a {_quoted(' '.join(one.choices))}"
    if one.takes in (Takes.SESSION, Takes.FINGERPRINT):
        return f" -f -k -a '(__agentguard_values {one.takes})'"
    return {Takes.FILE: " -F", Takes.FOLDER: " -f -a '(__fish_complete_directories)'"}.get(one.takes, " -f")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
