"""What a command line starts: the program's own names, and what an interpreter or a runner was told to launch.

`node --no-warnings /x/gemini -y` is called `node` and launches `gemini`. Only that word counts: an agent's name further
on (`node server.js /x/gemini`) is an argument like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SUFFIXES = (".exe", ".cmd", ".bat", ".ps1", ".js", ".mjs", ".cjs", ".ts", ".py", ".pyz", ".sh")
_INTERPRETER = re.compile(r"(node|nodejs|bun|deno|python[0-9.]*t?|pythonw|pypy[0-9.]*)")
_RUNNERS = {
    # name: words after it that only say "run a package"
    "npx": (),
    "bunx": (),
    "pnpx": (),
    "uvx": (),
    "npm": ("exec", "x"),
    "pnpm": ("dlx", "exec"),
    "yarn": ("dlx", "exec", "run"),
    "bun": ("x",),
    "uv": ("tool", "run"),
    "pipx": ("run",),
    "env": (),
}
_MUST_SAY = frozenset({"npm", "pnpm", "yarn", "bun", "uv", "pipx"})
"""Runners that do other things too (`npm install`): without one of their words nothing is launched."""
_INTERPRETER_VALUES = frozenset(
    {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file", "-X", "-W"}
)
"""Options of interpreters whose next word is a value."""
_RUNNER_VALUES = frozenset(
    {
        "-p",
        "--package",
        "--python",
        "--from",
        "--with",
        "--spec",
        "--prefix",
        "--cache",
        "-w",
        "--workspace",
        "--project",
        "--directory",
        "-u",
        "--unset",
        "-C",
        "--chdir",
    }
)
_PACKAGE_OPTIONS = frozenset({"-p", "--package", "--from", "--spec"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_INSTALLED = re.compile(r"/node_modules/((?:@[^/]+/)?[^/]+)/")
_VERSION = re.compile(r"(?<=.)(@|==|>=|~=|\[).*$")
_MAX_WORDS = 64


def program_names(argv: Sequence[str], exe: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(own names, launched names) of a command line.

    Args:
        argv: may be empty.
        exe: path of the program, "" when unknown.
    """
    own = tuple(dict.fromkeys(name for name in (_name(argv[0]) if argv else "", _name(exe)) if name))
    words = list(argv[1:_MAX_WORDS])
    # The kernel starts `#!/usr/bin/env node` scripts as node; argv[0] may have been rewritten, exe may be unknown.
    for name in reversed(own):
        if name in _RUNNERS and (name not in _MUST_SAY or (words and words[0] in _RUNNERS[name])):
            return own, _launched_by_runner(name, words)
        if _INTERPRETER.fullmatch(name):
            return own, _launched_by_interpreter(words)
    return own, ()


def _launched_by_interpreter(words: list[str]) -> tuple[str, ...]:
    skip = False
    for number, word in enumerate(words):
        if skip:
            skip = False
        elif word == "-m" and number + 1 < len(words):
            return (words[number + 1].partition(".")[0],)
        elif word in ("-c", "-e", "-p", "--eval", "--print", "-"):
            return ()
        elif not word.startswith("-"):
            return _of_path(word)
        else:
            skip = word in _INTERPRETER_VALUES
    return ()


def _launched_by_runner(runner: str, words: list[str]) -> tuple[str, ...]:
    rest = list(words)
    while rest and rest[0] in _RUNNERS[runner]:
        rest.pop(0)
    found: list[str] = []
    skip = ""
    for number, word in enumerate(rest):
        if skip:
            found += [_VERSION.sub("", word)] if skip in _PACKAGE_OPTIONS else []
            skip = ""
        elif word == "--" or (runner == "env" and _ASSIGNMENT.match(word)):
            continue
        elif word.startswith(("--package=", "--from=")):
            found.append(_VERSION.sub("", word.partition("=")[2]))
        elif word.startswith("-"):
            skip = word if word in _RUNNER_VALUES else ""
        else:
            inner = program_names(rest[number:], "")
            return tuple(dict.fromkeys((*found, _VERSION.sub("", word), *_of_path(word), *inner[1])))
    return tuple(found)


def _of_path(path: str) -> tuple[str, ...]:
    """The script's name, the package it is installed in, and cursor's kind of install (…/cursor-agent/versions/…)."""
    package = _INSTALLED.findall(path)
    versioned = re.search(r"/([^/]+)/versions/", path)
    return (_name(path), *package[-1:], *((versioned[1],) if versioned else ()))


def _name(path: str) -> str:
    name = path.removesuffix(" (deleted)").replace("\\", "/").rpartition("/")[2]
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
