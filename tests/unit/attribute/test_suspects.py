"""Who may have changed a file of the guard's."""

from __future__ import annotations

import pytest

from agentguard.attribute.suspects import Suspects
from agentguard.model.observation import ChangeObservation, ExecObservation, FileObservation
from agentguard.model.process import Confidence, ProcessSnapshot

POLICY = "/home/ada/.agentguard/policy.yaml"
S = 1_000_000_000


def started(at: float, *argv: str) -> ExecObservation:
    process = ProcessSnapshot(pid=int(at * 10), exe=f"/usr/bin/{argv[0]}", cmdline=argv)
    return ExecObservation(time_ns=int(at * S), sensor="seccomp", process=process, confidence=Confidence.EXACT_HELD)


def opened(at: float, path: str, name: str = "python3") -> FileObservation:
    process = ProcessSnapshot(pid=int(at * 10), exe=f"/usr/bin/{name}", cmdline=(name,))
    return FileObservation(
        time_ns=int(at * S), sensor="seccomp", process=process, confidence=Confidence.EXACT_HELD, path=path
    )


@pytest.mark.parametrize(
    ("acts", "name"),
    [
        ([started(9, "sh", "-c", f"rm {POLICY}"), started(9.1, "rm", POLICY)], "rm"),
        ([started(9, "sh", "-c", "cd ~/.agentguard; echo x > policy.yaml"), started(9.1, "true")], "sh"),
        ([opened(9, POLICY), started(9.5, "ls")], "python3"),
        ([started(1, "vim", POLICY)], "vim"),
        ([started(1, "kubectl", "apply", "-f", "policy.yaml")], ""),
        ([opened(1, POLICY)], ""),
        ([started(11, "rm", POLICY)], ""),
        ([started(9, "policy.yaml")], ""),
        ([], ""),
    ],
)
def test_the_last_that_opened_or_names_it(acts: list[ExecObservation | FileObservation], name: str) -> None:
    suspects = Suspects()
    for act in acts:
        suspects.remember(act)
    changed = ChangeObservation(time_ns=10 * S, sensor="agentguard", path=POLICY, kind="guard-file", removed=False)
    found = suspects.of(changed)
    assert (found.name if found else "") == name
