"""What the git gate says when it stops a commit or a push: what it found, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agentguard.command_name import command
from agentguard.model.at_rest import MESSAGE, SecretAtRest, Unread
from agentguard.show.text import safe

MOST = 20
"""Lines of each kind: who has more looks with `scan`."""

_HOW = {
    "commit": "take each out of its file (an environment variable or a secrets manager can hold it), `git add` the "
    "file, and commit again",
    "push": "take each out of the commit that brought it in (`git rebase -i`), and push again",
    "message of a commit": "write the message without it, and commit again",
    "message of a push": "write that message anew (`git rebase -i`, reword), and push again",
}


def stopped_lines(
    what: str, found: Sequence[SecretAtRest], types: Mapping[str, tuple[str, str]], unread: Sequence[Unread]
) -> Iterator[str]:
    """For a terminal.

    Args:
        what: commit or push.
        found: what stands in the way; () when nothing does.
        types: (name, how to replace it) of each credential type, by its id.
        unread: what was not looked at, or not to its end.
    """
    if found:
        count = "a credential" if len(found) == 1 else f"{len(found)} credentials"
        yield f"agentguard: {what} stopped: it would bring in {count}."
        yield from (f"  {_line(one, types)}" for one in found[:MOST])
        yield from _more(len(found))
        in_message = all(one.path == MESSAGE for one in found)
        yield f"next: {_HOW[f'message of a {what}' if in_message else what]}."
        yield from _replacements(found, types)
        where = "on" if in_message else "into a comment on"
        yield f"a false alarm, or meant to be there: write agentguard:allow {where} its line."
    for part in unread[:MOST]:
        yield f"agentguard: not looked at whole: {safe(part.path)}: {part.reason}"
    if unread:
        yield f"for all of it: {command()} scan{' --staged' if what == 'commit' else ''}"
    yield from _more(len(unread))


def _line(one: SecretAtRest, types: Mapping[str, tuple[str, str]]) -> str:
    place = f"{safe(one.path)}:{one.line}" if one.line else safe(one.path)
    commit = f" in {one.commit.id[:12]}" if one.commit else ""
    name = f", {safe(one.match.name)}" if one.match.name else ""
    return f"{place}{commit}  {types[one.match.type][0]}  {one.match.preview}{name}"


def _replacements(found: Sequence[SecretAtRest], types: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Where those that were in use already are to be replaced; each page once."""
    pages = dict.fromkeys(types[one.match.type][1] for one in found)
    shown = [page for page in pages if page][:MOST]
    if shown:
        yield f"replace those that anybody else may have seen: {'; '.join(shown)}"


def _more(count: int) -> Iterator[str]:
    if count > MOST:
        yield f"  and {count - MOST:,} more"
