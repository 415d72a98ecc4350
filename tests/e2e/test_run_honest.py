"""What a session says of itself: what its programs could not do, and who laid hands on the guard."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from harness.guarded import Guarded, of_kind

pytestmark = pytest.mark.slow


def test_a_program_that_cannot_gain_privilege_is_said_at_once_and_at_the_end(as_user: Guarded) -> None:
    program = as_user.project / "su"
    if os.geteuid() == 0:
        shutil.copy("/bin/true", program)
        program.chmod(0o4755)
    elif found := shutil.which("su"):
        program = Path(found)
    else:
        pytest.skip("no set-uid program here")
    script = f"{program} </dev/null; {program} </dev/null"
    done = as_user.run("sh", "-c", script, options=())
    assert "su could not gain privilege" in done.stderr
    assert "--allow-privileged" in done.stderr
    (said,) = of_kind(as_user.events(), "finding")
    assert said["process"]["name"] == "su"
    assert said["rule"] == "policies/default.yaml:privilege-withheld"
    assert (said["disposition"], said["severity"], said["outcome"]) == ("logged", "low", "clean")
    assert as_user.sessions()[0]["outcome"] == "clean"
