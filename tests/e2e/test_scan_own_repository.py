"""This repository holds no credential that a scan finds: what looks like one is made at run time, or a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentguard.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_the_tree_scans_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = (
        tmp_path / "file"
    )  # without a home folder the rules need not be compiled, which takes longer than the scan
    nowhere.touch()
    status = main(["scan", "--home", str(nowhere), "--jobs", "1", str(ROOT)])
    assert (status, capsys.readouterr().out) == (0, "")
