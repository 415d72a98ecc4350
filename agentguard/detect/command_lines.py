"""Command lines, taken apart: what a wrapper runs, and the commands of a shell's `-c` line."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator, Sequence

_MAX_DEPTH = 6
_MAX_LINE = 16_384
_SHELLS = re.compile(r"(ba|z|da|k|mk|a|fi|c|tc)?sh(-[0-9.]+)?$")
_SHELL_CODE = re.compile(r"-[A-Za-z]*c$")
_PYTHON = re.compile(r"(python|pypy)[0-9.]*$")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SEPARATORS = frozenset({"|", "||", "&&", "&", ";", "|&", "(", ")", "\n", ";;"})
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_REDIRECTION = re.compile(r"[0-9]*[<>]")
_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "exec", "command", "builtin"}
)

_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    # options whose value is the next word; words of its own before the command
    "sudo": (frozenset({"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "--user", "--group"}), 0),
    "doas": (frozenset({"-u", "-C"}), 0),
    "env": (frozenset({"-u", "--unset", "-C", "--chdir"}), 0),
    "timeout": (frozenset({"-k", "--kill-after", "-s", "--signal"}), 1),
    "gtimeout": (frozenset({"-k", "--kill-after", "-s", "--signal"}), 1),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "ionice": (frozenset({"-c", "-n", "-p"}), 0),
    "nohup": (frozenset(), 0),
    "setsid": (frozenset(), 0),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "time": (frozenset({"-f", "-o"}), 0),
    "xargs": (frozenset({"-I", "-n", "-P", "-L", "-d", "-E", "-s", "-a"}), 0),
    "command": (frozenset(), 0),
    "exec": (frozenset({"-a"}), 0),
    "strace": (frozenset({"-e", "-o", "-p", "-s"}), 0),
    "ltrace": (frozenset({"-e", "-o", "-p", "-s"}), 0),
    "chronic": (frozenset(), 0),
    "watch": (frozenset({"-n", "--interval"}), 0),
    "busybox": (frozenset(), 0),
    "unbuffer": (frozenset(), 0),
}


def program_name(word: str) -> str:
    """Last part of the first word of a command line, without a Windows ending."""
    return word.rpartition("/")[2].removesuffix(".exe")


def commands_within(argv: Sequence[str], depth: int = 0) -> Iterator[tuple[tuple[str, ...], bool]]:
    """(simple command, whether it was found inside another): what wrappers and `sh -c` run, else the command itself.

    Never raises; stops peeling at a depth nobody writes.
    """
    command = _module(tuple(argv))
    if not command or depth > _MAX_DEPTH:
        return
    inner = _inner_commands(program_name(command[0]), command)
    for further in inner:
        yield from commands_within(further, depth + 1)
    if not inner:
        yield command, depth > 0


def is_assignment(word: str) -> bool:
    """`NAME=value`"""
    return _ASSIGNMENT.match(word) is not None


def _inner_commands(name: str, command: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What this command runs in turn; [] when it is a command of its own."""
    if _SHELLS.match(name):
        return _shell_line(command)
    if name in _WRAPPERS:
        inner = tuple(_unwrapped(name, command))
        return [inner] if inner else []
    return []


def _module(command: tuple[str, ...]) -> tuple[str, ...]:
    """`python -m keyring get` is keyring itself: no further process comes."""
    if command and _PYTHON.match(program_name(command[0])) and "-m" in command[:-1]:
        return command[command.index("-m") + 1 :]
    return command


def _unwrapped(name: str, command: Sequence[str]) -> Sequence[str]:
    with_value, own_words = _WRAPPERS[name]
    position = 1
    while position < len(command):
        word = command[position]
        if word == "--":
            position += 1
            break
        if name == "env" and word in {"-S", "--split-string"}:
            return (*_words(" ".join(command[position + 1 : position + 2])), *command[position + 2 :])
        if not word.startswith("-") and not is_assignment(word):
            break
        position += 2 if word in with_value else 1
    inner = command[position + own_words :]
    while inner and is_assignment(inner[0]):
        inner = inner[1:]
    return inner


def _shell_line(command: Sequence[str]) -> list[tuple[str, ...]]:
    for position, word in enumerate(command[1:-1], start=1):
        if _SHELL_CODE.match(word):
            following = [later for later in command[position + 1 :] if not later.startswith(("-", "+"))]
            return _commands_of_line(following[0][:_MAX_LINE]) if following else []
    return []


def _commands_of_line(line: str) -> list[tuple[str, ...]]:
    """Simple commands of a shell's line, those in `$(...)` and backquotes first: quotes do not stop those."""
    commands: list[tuple[str, ...]] = []
    for _ in range(_MAX_DEPTH):
        inner = [found[1] or found[2] or "" for found in _SUBSTITUTION.finditer(line)]
        if not inner:
            break
        for text in inner:
            commands += _split_commands(text)
        line = _SUBSTITUTION.sub("_", line)
    return commands + _split_commands(line)


def _split_commands(line: str) -> list[tuple[str, ...]]:
    """`a | b && c` → its simple commands; redirections and assignments in front are left out."""
    commands: list[list[str]] = [[]]
    skip = False
    for word in _words(line):
        if skip:
            skip = False
        elif word in _SEPARATORS or set(word) <= set(";|&()"):
            commands.append([])
        elif _REDIRECTION.match(word):
            skip = word.endswith(("<", ">"))
        elif commands[-1] or not (is_assignment(word) or word in _KEYWORDS):
            commands[-1].append(word)
    return [tuple(words) for words in commands if words]


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line.replace("\n", " ; "), posix=True, punctuation_chars=";|&()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    with contextlib.suppress(ValueError):  # a quote that is not closed: what was read so far still counts
        words.extend(lexer)
    return words
