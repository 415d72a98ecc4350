"""Keys written into Dockerfiles and compose files: they end in the image, for whoever pulls it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import variable

_WHY = (
    "What a Dockerfile writes stays in a layer of the image, even when a later line removes it; `docker history` shows "
    "it to everyone who can pull the image."
)


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _RULE)


def _clean(evidence: Evidence, one: Credential) -> Sequence[Fix]:
    name, path = variable(evidence, one.match), one.paths[0]
    if "compose" in path.rpartition("/")[2]:
        return (
            Fix(
                do=f"Write `${{{name}:?}}` in its place: compose takes it from the environment, or from .env beside it"
            ),
        )
    return (
        Fix(do=f"Take the line out; what needs it while building: `RUN --mount=type=secret,id={name},env={name} ...`"),
        Fix(
            do="Build it with the key from your environment",
            command=f"docker build --secret id={name},env={name} .",
        ),
        Fix(do="What needs it while running gets it then", command=f"docker run --env {name} IMAGE"),
    )


_RULE = PlaceRule(
    check=Check.CONTAINER_FILE,
    place="container",
    why=_WHY,
    verb="is written into",
    clean=_clean,
    because="images have it",
)
