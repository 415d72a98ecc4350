"""Runs the gate so that nothing but a look that found nothing lets a commit pass."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from agentguard.errors import EXIT_ERROR, EXIT_OK, AgentGuardError
from agentguard.hooks.lean import put_inspect_off


def run(hook: str, arguments: list[str], home: str) -> NoReturn:
    """Look, and end this process at once: 0 passes, 1 credentials were found, 2 it could not be looked."""
    status = answer(hook, arguments, home, quickly=True)
    sys.stderr.flush()
    os._exit(status)  # what python would tidy up, the kernel does faster


def answer(hook: str, arguments: list[str], home: str, *, quickly: bool = False) -> int:
    """As `run`; returns the exit status. Whatever goes wrong is said on one line, and stops git.

    Args:
        quickly: this process is there for the hook alone: what Python does at its start may be cut short.
    """
    try:  # a module that is damaged must stop the commit too
        if quickly and hook != "pre-push":  # for a push nobody waits so, and it may be long
            return _quick_look(hook, arguments, home)
        from agentguard.hooks.gate import look

        return look(hook, arguments, home)
    except KeyboardInterrupt:
        what = "interrupted"
    except AgentGuardError as error:
        what = str(error)
    except ModuleNotFoundError as error:
        what = f"the package {error.name} is not there for {sys.executable}"
    except BaseException as error:
        what = f"{type(error).__name__} in {_place(error)}"
    verb = "push" if hook == "pre-push" else "commit"
    _say(
        f"agentguard: {hook} was stopped, for it could not be looked at: {what}. "
        f"Put that right and try again; `git {verb} --no-verify` goes on unlooked at."
    )
    return EXIT_ERROR


def _quick_look(hook: str, arguments: list[str], home: str) -> int:
    gc.disable()  # it would go through what is imported, again and again
    if hook == "commit-msg" and arguments and _nothing_left(arguments[0], home):
        return EXIT_OK
    put_inspect_off()
    from agentguard.detect.loops import do_without_loops
    from agentguard.hooks.kept import Kept

    do_without_loops()
    kept = Kept(home + "/cache")
    kept.put_in_place()
    from agentguard.hooks.gate import look

    return look(hook, arguments, home, kept.close)


def _nothing_left(message: str, home: str) -> bool:
    """Whether what is staged was looked at before the editor came up, and no credential can be in the message."""
    from agentguard.hooks.seen import index_now, was_seen

    if not was_seen(index_now(), home):
        return False
    from agentguard.hooks.plain import is_plain

    with open(message, "rb") as file:
        return is_plain(file.read(), home)


def _place(error: BaseException) -> str:
    """The line of ours that it came from."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at is not None else "the gate"


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr)
    except OSError:
        return
