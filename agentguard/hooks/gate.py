"""The gate itself: what a commit or a push would bring in, and whether it may."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agentguard.errors import EXIT_FOUND, EXIT_OK, ConfigError
from agentguard.hooks.git_pipe import GitPipe
from agentguard.hooks.seen import index_now, remember, was_seen
from agentguard.scan.git_options import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentguard.hooks.looking import Looking


PROVE = "prove"
"""Instead of a hook's name: does it stop a key that is made up on the spot? It does if that is found."""


def look(hook: str, arguments: list[str], home: str, ready: Callable[[], object] = lambda: None) -> int:
    """The answer to one hook, as an exit status. What stands in the way is told on stderr.

    Args:
        hook: pre-commit, commit-msg or pre-push; or `PROVE`.
        arguments: those git gave it.
        home: AgentGuard's home folder.
        ready: is called when all is imported, before anything of the user's is looked at.

    Raises:
        AgentGuardError: it cannot be looked.
        OSError: a file that git named cannot be read.
    """
    if hook == "pre-commit":
        return _commit(home, "", ready)
    if hook == "commit-msg" and arguments:
        return _commit(home, arguments[0], ready)
    if hook == "pre-push":
        return _push(home, arguments)
    if hook == PROVE:
        return _prove(home, ready)
    raise ConfigError(f"there is no gate for the hook {hook}")


def _commit(home: str, message: str, ready: Callable[[], object]) -> int:
    """What is staged, and with it the message in the file that git names, where there is one yet."""
    index = index_now()
    seen = bool(message) and was_seen(index, home)
    staged = None if seen else GitPipe("diff", "--cached", *FORMAT)
    from agentguard.hooks.looking import Looking  # while git compares

    looking = Looking(home)
    ready()
    if staged is not None:
        looking.at_staged(staged)
    if message:
        from agentguard.hooks.message import proper_part
        from agentguard.model.at_rest import MESSAGE

        with open(message, "rb") as file:
            looking.at_text(MESSAGE, proper_part(file.read()))
    elif not looking.found:
        remember(index, home)
    return _answer(looking, "commit")


def _push(home: str, arguments: list[str]) -> int:
    from agentguard.hooks.looking import Looking
    from agentguard.hooks.push import outgoing

    revisions = outgoing(arguments)
    if not revisions:
        return EXIT_OK
    looking = Looking(home)
    looking.at_commits(revisions)
    return _answer(looking, "push")


def _prove(home: str, ready: Callable[[], object]) -> int:
    """Nothing of the user's is looked at here, so every pattern may be tried before `ready`."""
    from agentguard.hooks.looking import Looking

    looking = Looking(home)
    looking.at_text("every keyword", looking.keywords())
    looking.found.clear()
    ready()
    looking.at_text("made up", b"token = ghp_" + os.urandom(18).hex().encode())
    return EXIT_FOUND if looking.found else EXIT_OK


def _answer(looking: Looking, what: str) -> int:
    found, unread = looking.found, looking.unread
    if found or unread:
        from agentguard.show.stopped import stopped_lines  # not where there is nothing to say

        print("\n".join(stopped_lines(what, found, looking.types(), unread)), file=sys.stderr)
    return EXIT_FOUND if found else EXIT_OK
