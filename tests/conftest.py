"""No test may touch the real home folder, meet a real secret, or leave through a real proxy.

The environment is cut down to a short list of harmless names before the first fixture runs, and every test gets a
home folder of its own. What a package installer needs of the real environment is kept aside, for the few tests that
install something: ask for `installer_env`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
"""On a busy machine an example may take any time; and a failure of today is one of tomorrow, on every machine."""

KEPT = {"PATH", "LANG", "LANGUAGE", "TERM", "TZ", "USER", "LOGNAME", "TMPDIR", "CI"}
KEPT_PREFIXES = ("AGENTGUARD_TEST_", "LC_", "PYTEST_", "HYPOTHESIS_", "COVERAGE_", "PYTHON", "TEXTUAL_SNAPSHOT_")
INSTALLER = {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}
INSTALLER_PREFIXES = ("PIP_", "UV_", "npm_config_", "NPM_CONFIG_")

_real_environment: dict[str, str] = {}
_real_home = Path.home()
_installer: dict[str, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Cut the environment down before anything can read it, in this process and in each xdist worker."""
    _real_environment.update(os.environ)
    _installer.update(getattr(config, "workerinput", {}).get("installer") or _installer_settings())
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    # A shell that starts the suite in the background has it ignore Ctrl-C, and with it everything that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of xdist starts in the cut environment: hand it what its parent kept aside."""
    node.workerinput["installer"] = dict(_installer)


def pytest_unconfigure() -> None:
    """Other plugins finish after us, some in the real home."""
    os.environ.clear()
    os.environ.update(_real_environment)


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home for fixtures that outlive a test; and the proof that none was made in the real one."""
    real = _real_home / ".agentguard"
    existed = real.exists()
    _use_home(os.environ, tmp_path_factory.mktemp("home"))
    yield
    assert existed or not real.exists(), f"a test made {real} in the real home"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of this test: empty, its own, beside `tmp_path` and not inside it."""
    path = tmp_path_factory.mktemp("home")
    variables: dict[str, str] = {}
    _use_home(variables, path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Path.home() == path
    return path


@pytest.fixture
def installer_env(home: Path) -> dict[str, str]:
    """The environment for pip, npm and their like: this machine's settings and download cache, and a temporary home."""
    return {**os.environ, **_installer}


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout under test."""
    return Path(__file__).resolve().parent.parent


def _use_home(environment: dict[str, str] | os._Environ[str], path: Path) -> None:
    environment["HOME"] = str(path)
    environment["AGENTGUARD_HOME"] = str(path / ".agentguard")
    environment["XDG_CONFIG_HOME"] = str(path / ".config")
    environment["XDG_CACHE_HOME"] = str(path / ".cache")
    environment["XDG_DATA_HOME"] = str(path / ".local/share")
    environment["XDG_STATE_HOME"] = str(path / ".local/state")


def _installer_settings() -> dict[str, str]:
    settings = {
        name: value
        for name, value in os.environ.items()
        if name in INSTALLER or name.startswith(INSTALLER_PREFIXES) or name.lower().endswith("_proxy")
    }
    caches = Path(os.environ.get("XDG_CACHE_HOME", _real_home / ".cache"))
    settings.setdefault(
        "PIP_CACHE_DIR", str(_real_home / "Library/Caches/pip" if sys.platform == "darwin" else caches / "pip")
    )
    for path in (_real_home / ".config/pip/pip.conf", _real_home / ".pip/pip.conf"):
        if path.is_file():
            settings.setdefault("PIP_CONFIG_FILE", str(path))
    return settings
