"""What the tests of detect share: the real types, every engine, a scanner without known values."""

from __future__ import annotations

from functools import cache

from harness.compiled_rules import rules_folder

from agentguard.detect.confirm import Engine
from agentguard.detect.engine import available_engines, build_engine
from agentguard.detect.fingerprint import Fingerprinter
from agentguard.detect.matching import ValueHit
from agentguard.detect.rules import CredentialType, load_types
from agentguard.detect.scanner import Scanner
from agentguard.detect.templates import expand
from agentguard.model.secret import SecretValue
from agentguard.paths import policies_dir

FINGERPRINTER = Fingerprinter(b"k" * 32)


class Values:
    """Known values, found plainly: the least an index can be."""

    def __init__(self, *values: SecretValue) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def scan(self, data: bytes, _words: bytes | None = None) -> list[ValueHit]:
        hits = []
        for value in self._values:
            at = data.find(value.value)
            while at >= 0:
                hits.append(ValueHit(at, at + len(value.value), value))
                at = data.find(value.value, at + 1)
        return hits


@cache
def types() -> tuple[CredentialType, ...]:
    return load_types(policies_dir() / "secrets.yaml", prove=True)


@cache
def engines() -> tuple[Engine, ...]:
    return tuple(
        build_engine(types(), prefer=name, cache=rules_folder()) for name, why_not in available_engines() if not why_not
    )


@cache
def scanner() -> Scanner:
    return Scanner(types(), engines()[0], FINGERPRINTER, Values())


def scanner_with(*values: SecretValue) -> Scanner:
    return Scanner(types(), engines()[0], FINGERPRINTER, Values(*values))


def example(identity: str, index: int = 0) -> str:
    """The example of a type, expanded."""
    kind = next(kind for kind in types() if kind.id == identity)
    return expand(kind.examples.match[index], kind.id)


def all_examples() -> list[tuple[str, str]]:
    """(type id, expanded example) of every type with a form of its own; of those told by a context, which are all
    found in one way, every fourth stands for the others (`load_types` has proved them all)."""
    own = [(kind, template) for kind in types() if not kind.value_form for template in kind.examples.match]
    told = [(kind, kind.examples.match[0]) for kind in types() if kind.value_form][::4]
    return [(kind.id, expand(template, kind.id)) for kind, template in (*own, *told)]
