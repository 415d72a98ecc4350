"""The git gate: hooks that stop a commit or a push that would bring in a credential."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import home_path, open_home, working_folder
from agentguard.errors import EXIT_FOUND, EXIT_OK
from agentguard.formats import add_format
from agentguard.model.unicode import valid_text

if TYPE_CHECKING:
    from agentguard.hooks.install import Change
    from agentguard.hooks.place import HookPlace
    from agentguard.hooks.status import HookStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _of_git(actions, "install", "put the gate where git looks for hooks")
    uninstall = _of_git(actions, "uninstall", "take it out again")
    uninstall.add_argument("--force", action="store_true", help="also hooks that someone has edited since")
    status = _of_git(actions, "status", "whether it stands, hook by hook")
    add_format(status, "text", "json")
    once = actions.add_parser("run", help="be a hook, for programs that call hooks themselves (pre-commit)")
    once.add_argument("hook", choices=("pre-commit", "commit-msg", "pre-push"))
    once.add_argument("arguments", nargs="*", help="what git gives that hook")


def _of_git(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, words: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=words)
    action.add_argument("target", choices=("git",))
    action.add_argument("--repository", metavar="DIR", type=Path, help="a folder of it (default: this one)")
    action.add_argument("--recurse-submodules", action="store_true", help="its submodules as well")
    return action


def run(arguments: argparse.Namespace) -> int:
    """Raises ConfigError, PolicyError."""
    if arguments.action == "run":
        from agentguard.hooks.closed import answer

        return answer(arguments.hook, arguments.arguments, str(home_path(arguments.home)))
    places = _places(arguments.repository or working_folder(), recurse=arguments.recurse_submodules)
    if arguments.action == "install":
        return _install(places, open_home(home_path(arguments.home)).root)
    if arguments.action == "uninstall":
        from agentguard.hooks.install import uninstall

        for place in places:
            _tell(place, uninstall(place, even_changed=arguments.force), "there was nothing of ours")
        _note(home_path(arguments.home), places, gone=True)
        return EXIT_OK
    return _status(places, home_path(arguments.home), as_json=arguments.format == "json")


def _places(folder: Path, *, recurse: bool) -> list[HookPlace]:
    from agentguard.hooks.place import find_place, submodules

    place = find_place(folder)
    return [place, *(find_place(top) for top in submodules(place.top))] if recurse else [place]


def _install(places: list[HookPlace], home: Path) -> int:
    from agentguard.hooks.install import install
    from agentguard.hooks.program import prepare, this_program

    program = this_program(home)
    prepare(program)
    for place in places:
        _tell(place, install(place, program), "it stood already")
    _note(home, places)
    return EXIT_OK


def _note(home: Path, places: list[HookPlace], *, gone: bool = False) -> None:
    """So that `agentguard uninstall` finds them."""
    from agentguard.setup.receipt import note_repositories

    note_repositories(home, [place.top for place in places], gone=gone)


def _tell(place: HookPlace, changes: list[Change], nothing: str) -> None:
    from agentguard.show.text import safe

    print(f"{safe(str(place.top))}: {_place_words(place)}")
    for change in changes:
        print(f"  {safe(str(change.path))} {change.done}")
    if not changes:
        print(f"  {nothing}")


def _place_words(place: HookPlace) -> str:
    from agentguard.show.text import safe

    named = f"core.hooksPath = {safe(place.hooks_path)}, set by {safe(place.set_by)}"
    if place.husky:
        return f"the scripts of husky ({named}); commit them, and others can use the gate too"
    return {
        "repository": "git's own hooks, in every work tree of this repository",
        "shared": f"{named}: hooks of every repository that uses it",
        "tree": f"{named}: a part of the work tree; commit them, and others can use the gate too",
    }[place.kind]


def _status(places: list[HookPlace], home: Path, *, as_json: bool) -> int:
    from agentguard.hooks.status import HookState, status

    found = [(place, status(place), _problem(place, home)) for place in places]
    if as_json:
        from agentguard.show.document import document

        print(document("hook-status", {"repositories": [_as_json(*one) for one in found]}))
    else:
        for one in found:
            _show(*one)
    whole = all(hook.state is HookState.INSTALLED for _, hooks, _ in found for hook in hooks)
    return EXIT_OK if whole and not any(problem for _, _, problem in found) else EXIT_FOUND


def _problem(place: HookPlace, home: Path) -> str:
    """Why the gate that is installed there cannot be relied on; "" when it can, and when there is none.

    It is made to stop a made-up key, unless it is not ours to start: then that alone is told.
    """
    from agentguard.hooks.program import problem_of, this_program
    from agentguard.hooks.status import program_in

    found, ours = program_in(place), this_program(home)
    if found is None:
        return ""
    if (found.python, found.start) != (ours.python, ours.start):
        return f"it starts {found.python} {found.start}, which is not this AgentGuard"
    return problem_of(found)


def _show(place: HookPlace, hooks: list[HookStatus], problem: str) -> None:
    from agentguard.hooks.place import submodules
    from agentguard.hooks.status import WHAT, HookState
    from agentguard.show.text import safe

    print(f"{safe(str(place.top))}: {_place_words(place)}")
    for hook in hooks:
        chained = "; another hook runs before it" if hook.chained else ""
        print(f"  {'✓' if hook.state is HookState.INSTALLED else '✕'} {hook.hook:<11}{WHAT[hook.state]}{chained}")
    if problem:
        print(f"  ✕ it does not work: {safe(problem)}; install it again: {command()} hook install git")
    elif all(hook.state is HookState.INSTALLED for hook in hooks):
        print("  ✓ proved: a made-up key was stopped")
    else:
        print(f"  put it in place: {command()} hook install git")
    below = len(submodules(place.top))
    if below:
        print(f"  {below} submodules have hooks of their own: --recurse-submodules")


def _as_json(place: HookPlace, hooks: list[HookStatus], problem: str) -> dict[str, object]:
    return {
        "top": valid_text(str(place.top)),
        "folder": valid_text(str(place.folder)),
        "kind": place.kind,
        "husky": place.husky,
        "problem": valid_text(problem) or None,
        "hooks_path": valid_text(place.hooks_path) or None,
        "set_by": valid_text(place.set_by) or None,
        "hooks": [
            {"hook": one.hook, "path": valid_text(str(one.path)), "state": one.state, "chained": one.chained}
            for one in hooks
        ],
    }
