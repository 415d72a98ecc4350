"""A question to whoever sits at the terminal: yes or no."""

from __future__ import annotations

import sys


def can_ask() -> bool:
    """Whether there is someone: input and the place for questions are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str, *, default: bool) -> bool:
    """The answer; `default` for Return, False for the end of input. Asked on stderr: stdout is data."""
    while True:
        print(f"{question} [{'Y/n' if default else 'y/N'}] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            print(file=sys.stderr)
            return False
        word = answer.strip().lower()
        if not word:
            return default
        if word in ("y", "yes", "n", "no"):
            return word.startswith("y")
