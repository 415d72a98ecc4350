"""Chooses the matching engine: the fastest that this machine has. All find the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agentguard.detect.confirm import Engine, Hit
from agentguard.detect.engine_python import PythonEngine
from agentguard.detect.rules import CredentialType, Examples
from agentguard.errors import ConfigError

__all__ = ["ENGINES", "Engine", "Hit", "available_engines", "build_engine"]

ENGINES = ("hyperscan", "re2", "ahocorasick", "python")
"""Fastest first."""


def build_engine(types: Sequence[CredentialType], *, prefer: str | None = None, cache: Path | None = None) -> Engine:
    """The fastest engine that works here, or `prefer`.

    Args:
        types: what to find; `Hit.type_index` counts in this order.
        prefer: one of `ENGINES`.
        cache: a folder for compiled rules.

    Raises:
        ConfigError: `prefer` is not an engine, or does not work here.
    """
    if prefer is not None:
        if prefer not in ENGINES:
            raise ConfigError(f"no matching engine {prefer!r}; there are {', '.join(ENGINES)}")
        try:
            return _BUILDERS[prefer](types, cache)
        except Exception as error:
            raise ConfigError(f"the matching engine {prefer} does not work here: {_reason(error)}") from None
    for name in ENGINES[:-1]:
        try:
            return _BUILDERS[name](types, cache)
        except Exception:  # noqa: S112 (a library that is missing or broken: the next one finds the same)
            continue
    return _python(types, cache)


def available_engines() -> list[tuple[str, str]]:
    """(name, "") of every engine that works here; (name, why not) of the others. Fastest first."""
    out: list[tuple[str, str]] = []
    for name in ENGINES:
        try:
            _BUILDERS[name]((_PROBE,), None).scan(b"probe")
            out.append((name, ""))
        except Exception as error:
            out.append((name, _reason(error)))
    return out


def _hyperscan(types: Sequence[CredentialType], cache: Path | None) -> Engine:
    from agentguard.detect.engine_hyperscan import HyperscanEngine  # noqa: PLC0415 (13 ms, and it may be missing)

    return HyperscanEngine(types, cache)


def _re2(types: Sequence[CredentialType], _cache: Path | None) -> Engine:
    from agentguard.detect.engine_re2 import Re2Engine  # noqa: PLC0415 (9 ms, and it may be missing)

    return Re2Engine(types)


def _ahocorasick(types: Sequence[CredentialType], _cache: Path | None) -> Engine:
    from agentguard.detect.engine_ahocorasick import AhoCorasickEngine  # noqa: PLC0415 (it may be missing)

    return AhoCorasickEngine(types)


def _python(types: Sequence[CredentialType], _cache: Path | None) -> Engine:
    return PythonEngine(types)


_BUILDERS: dict[str, Callable[[Sequence[CredentialType], Path | None], Engine]] = {
    "hyperscan": _hyperscan,
    "re2": _re2,
    "ahocorasick": _ahocorasick,
    "python": _python,
}

_PROBE = CredentialType(
    id="probe",
    name="probe",
    provider="generic",
    pattern="probe",
    keywords=("probe",),
    examples=Examples(match=("probe",), no_match=("other",)),
)


def _reason(error: Exception) -> str:
    """In one line; of a missing library its name."""
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is not installed"
    text = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
