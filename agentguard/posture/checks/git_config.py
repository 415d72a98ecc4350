"""Logins in git's own configuration: in the URL of a remote, mostly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import shell_path

_WHY = (
    "`git remote -v` prints it, and with it every log, agent and build that runs that; whoever copies the folder has "
    "the account."
)
_HELPER = "so that git asks once, and your keychain keeps it: `git config --global credential.helper`"


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _clean(_evidence: Evidence, one: Credential) -> Sequence[Fix]:
    """The command takes the login out without showing it."""
    if one.places[0].file.at_home:
        return (Fix(do=f"Take the login out of {one.paths[0]}, {_HELPER}"),)
    folder = one.paths[0].removesuffix(".git/config")
    into = f"cd {shell_path(folder)} && " if folder else ""
    return (
        Fix(
            do=f"Take the login out of the remotes' URLs, {_HELPER}",
            command=f'{into}for r in $(git remote); do git remote set-url "$r" '
            '"$(git remote get-url "$r" | sed -E \'s#//[^/@]*@#//#\')"; done',
        ),
    )


_RULE = PlaceRule(check=Check.GIT_CONFIG, place="git-config", why=_WHY, verb="is written into", clean=_clean)
