"""Keys written into the files of a CI: they are committed by nature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import variable

_WHY = (
    "The file is committed, and CI prints what it runs: the key is in every clone, and perhaps in every log of a build."
)


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _clean(evidence: Evidence, one: Credential) -> Sequence[Fix]:
    name, path = variable(evidence, one.match), one.paths[0]
    if ".github/" in path or ".gitea/" in path or ".forgejo/" in path:
        return (
            Fix(
                do="Keep it in the repository's secrets; the command asks for the value",
                command=f"gh secret set {name}",
            ),
            Fix(do=f"Write `${{{{ secrets.{name} }}}}` in its place"),
        )
    if ".gitlab" in path:
        return (
            Fix(
                do="Keep it in the project's masked variables; it is read from the terminal",
                command=f'read -rs V && printf %s "$V" | glab variable set {name} --masked',
            ),
            Fix(do=f"Write `${name}` in its place"),
        )
    if "Jenkinsfile" in path:
        return (Fix(do=f"Keep it in Jenkins' credentials, and write `credentials('{name}')` in its place"),)
    return (Fix(do=f"Keep it in your CI's own secret store as {name}, and write `${name}` in its place"),)


_RULE = PlaceRule(
    check=Check.CI_FILE, place="ci", why=_WHY, verb="is written into", clean=_clean, because="it was committed"
)
