"""What `check` found as SARIF."""

from __future__ import annotations

import os

from agentguard.model.posture import Check, Fix, Posture, Weakness
from agentguard.show.sarif import SarifResult, SarifRule, sarif

_RULES = {
    Check.FILE_TRACKED: ("A file of secrets is committed to git", "Stop tracking it, and replace what it holds."),
    Check.FILE_NOT_IGNORED: ("A file of secrets is not ignored by git", "Add it to .gitignore."),
    Check.HARD_CODED: ("A key is written into code or configuration", "Read it from the environment, and replace it."),
    Check.CI_FILE: ("A key is written into a CI file", "Keep it in the CI's own secrets, and replace it."),
    Check.CONTAINER_FILE: ("A key is written into a Dockerfile", "Use a build secret, and replace it."),
    Check.NOTEBOOK: ("A key is in a notebook", "Read it from the environment, and clear the output."),
    Check.LOG: ("A key is in a log", "Delete the log, and stop logging it."),
    Check.SHELL_HISTORY: ("A key is in a shell's history", "Delete the line."),
    Check.TRANSCRIPT: (
        "A key is in an agent's transcript",
        "Replace it: a model provider has it. Delete the transcript.",
    ),
    Check.GIT_CONFIG: ("A login is in git's configuration", "Take it out of the URL; a credential helper keeps it."),
    Check.MCP: ("A secret is written into an MCP configuration", "Refer to an environment variable instead."),
    Check.SHARED: ("Environments share a key", "Make a key for each."),
    Check.READABLE: ("A file of secrets can be read by every user", "chmod go-rwx"),
    Check.GIT_HISTORY: ("A key is in the git history", "Replace it: a deleted line is still in every clone."),
    Check.USER_WIDE: ("A key opens a whole account", "Make one for this project alone."),
    Check.OLD: ("A key is old", "Replace it."),
}
"""Of each check: what it found, and what to do."""


def render_sarif(posture: Posture, *, before: str, home: str) -> str:
    """A log with one run.

    Args:
        before: stands before each path of the project: where it lies from where the check was started, as `src/` or
            `/abs/path/`.
        home: absolute path of the home folder.
    """
    used = [check for check in Check if any(one.check is check for one in posture.weaknesses)]
    results = [_result(one, before, home) for one in posture.weaknesses]
    failures = [(_path(path, before, home), reason) for path, reason in posture.unread]
    return sarif([_rule(check, posture) for check in used], results, failures, found_by="check")


def _rule(check: Check, posture: Posture) -> SarifRule:
    title, what_to_do = _RULES[check]
    gravest = max((one.severity for one in posture.weaknesses if one.check is check), key=lambda one: one.rank)
    return SarifRule(id=check.value, title=title, severity=gravest, help=what_to_do)


def _result(one: Weakness, before: str, home: str) -> SarifResult:
    steps = " ".join(f"{number}. {_step(fix)}" for number, fix in enumerate(one.fixes, 1))
    places = [_path(place.path, before, home) + (f":{place.line}" if place.line else "") for place in one.places]
    return SarifResult(
        rule=one.check.value,
        severity=one.severity,
        message=f"{one.title}. {one.why} {steps}".rstrip(),
        path=_path(one.places[0].path, before, home),
        line=one.places[0].line,
        fingerprint=one.identity,
        properties={"places": places, "type": one.type, "name": one.name, "preview": one.preview},
    )


def _step(fix: Fix) -> str:
    more = f": {fix.command or fix.page}" if fix.command or fix.page else ""
    return f"{fix.do}{more}"


def _path(path: str, before: str, home: str) -> str:
    """As one would type it where the check was started. What is no file (a commit's message) is told as it is."""
    if path.startswith("~/"):
        return os.path.join(home, path[2:])
    return path if path.startswith("(") else before + path
