"""Keys written into Dockerfiles and compose files: they end in the image, or beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentguard.model.posture import Check, Fix, Weakness
from agentguard.posture.checks.in_places import PlaceRule, in_places
from agentguard.posture.evidence import Credential, Evidence
from agentguard.posture.words import variable

_WHY_IMAGE = (
    "What a Dockerfile writes stays in a layer of the image, even when a later line removes it; `docker history` shows "
    "it to everyone who can pull the image."
)
_WHY_COMPOSE = "The file is made to be committed and copied, and `docker inspect` shows what it sets."


def check(evidence: Evidence) -> Iterator[Weakness]:
    yield from in_places(evidence, _DOCKERFILE)
    yield from in_places(evidence, _COMPOSE)


def _out_of_the_image(evidence: Evidence, one: Credential) -> Sequence[Fix]:
    name = variable(evidence, one.match)
    return (
        Fix(do=f"Take the line out; what needs it while building: `RUN --mount=type=secret,id={name},env={name} ...`"),
        Fix(
            do="Build it with the key from your environment",
            command=f"docker build --secret id={name},env={name} .",
        ),
        Fix(do="What needs it while running gets it then", command=f"docker run --env {name} IMAGE"),
    )


def _out_of_compose(evidence: Evidence, one: Credential) -> Sequence[Fix]:
    name = variable(evidence, one.match)
    return (
        Fix(do=f"Write `${{{name}:?}}` in its place: compose takes it from the environment, or from .env beside it"),
    )


_DOCKERFILE = PlaceRule(
    check=Check.CONTAINER_FILE,
    place="dockerfile",
    why=_WHY_IMAGE,
    verb="is written into",
    clean=_out_of_the_image,
    because="images have it",
)
_COMPOSE = PlaceRule(
    check=Check.CONTAINER_FILE,
    place="compose",
    why=_WHY_COMPOSE,
    verb="is written into",
    clean=_out_of_compose,
)
