"""The pinned dependencies: complete, hashed, free of addresses, and what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PYTHONS = [("py311", "3.11"), ("py312", "3.12"), ("py312", "3.13"), ("py312", "3.14")]
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")]


def constraints(repository: Path, name: str, family: str) -> str:
    return (repository / "scripts" / "constraints" / f"{name}-{family}.txt").read_text()


def environment(python: str, system: str, machine: str) -> dict[str, str]:
    """The marker variables of a machine that this one need not be."""
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": system,
        "platform_machine": machine,
        "platform_system": system.capitalize(),
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def pins(text: str, where: dict[str, str]) -> dict[str, Version]:
    """Name → version, of the lines that count on that machine; each name at most once."""
    found: dict[str, Version] = {}
    for line in text.splitlines():
        if not line or line.startswith((" ", "#")):
            continue
        requirement = Requirement(line.removesuffix("\\"))
        if requirement.marker is None or requirement.marker.evaluate({**where}):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice"
            found[name] = Version(str(requirement.specifier).removeprefix("=="))
    return found


def wanted(repository: Path, extra: str, where: dict[str, str]) -> list[Requirement]:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(project["optional-dependencies"][extra] if extra else [])]
    requirements = [Requirement(line) for line in lines]
    return [one for one in requirements if one.marker is None or one.marker.evaluate({**where})]


@pytest.mark.parametrize(("system", "machine"), MACHINES)
@pytest.mark.parametrize(("family", "python"), PYTHONS)
def test_every_dependency_is_pinned_as_the_project_asks(
    repository: Path, family: str, python: str, system: str, machine: str
) -> None:
    where = environment(python, system, machine)
    for name, extra in (("runtime", ""), ("dev", "dev")):
        pinned = pins(constraints(repository, name, family), where)
        for requirement in wanted(repository, extra, where):
            version = pinned.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement.name} is not in {name}-{family}.txt: run scripts/lock"
            assert version in requirement.specifier, f"{requirement} is pinned to {version}: run scripts/lock"


@pytest.mark.parametrize(("system", "machine"), MACHINES)
@pytest.mark.parametrize(("family", "python"), PYTHONS)
def test_dev_is_runtime_and_more(repository: Path, family: str, python: str, system: str, machine: str) -> None:
    """An environment with the one set counts as holding the other."""
    where = environment(python, system, machine)
    runtime = pins(constraints(repository, "runtime", family), where)
    dev = pins(constraints(repository, "dev", family), where)
    assert runtime.items() <= dev.items()
    assert len(runtime) > 40


@pytest.mark.parametrize("family", ["py311", "py312"])
@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_every_pin_has_hashes_and_no_line_an_address(repository: Path, name: str, family: str) -> None:
    text = constraints(repository, name, family)
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[\w.-]+==", block), block.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^\s*(-|#)(?!-hash)", text.replace("    --hash", ""), re.MULTILINE)


def test_each_python_gets_its_mitmproxy(repository: Path) -> None:
    old = pins(constraints(repository, "runtime", "py311"), environment("3.11", "linux", "x86_64"))
    new = pins(constraints(repository, "runtime", "py312"), environment("3.13", "linux", "x86_64"))
    assert old["mitmproxy"] == Version("11.0.2")
    assert new["mitmproxy"].release[:2] == (12, 2)
