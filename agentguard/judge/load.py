"""The policies in force: what ships with the program, then the user's own, then the repository's."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from agentguard.errors import PolicyError
from agentguard.judge.parse import PolicyFile, parse_policy
from agentguard.judge.policy import Policy, Rule
from agentguard.paths import policies_dir
from agentguard.yaml_reader import MAX_BYTES

REPOSITORY_POLICY = ".agentguard.yaml"
HOME_POLICY = "policy.yaml"
DEFAULT = "default.yaml"
TRUST_FILE = "trusted_policies"

Trusted = Callable[[Path, bytes], bool]
"""(path of a repository's policy, its bytes) → whether the user trusts exactly these."""


def load_policy(
    *, home: Path | None, workspace: Path | None, base: Path | None = None, trusted: Trusted | None = None
) -> Policy:
    """The policy in force for a session in `workspace`.

    First come the rules of a trusted repository, then the user's `policy.yaml` in `home`, then `base` and the
    shipped defaults. A repository that is not trusted may only make verdicts stricter: the file is the agent's to
    write.

    Args:
        home: the home folder; None leaves the user's policy and the trust store out.
        workspace: where the agent works; None leaves the repository's policy out.
        base: the shipped policy to build on; `policies/default.yaml` when None.
        trusted: decides trust instead of the store in `home`.

    Raises:
        PolicyError: `FILE:LINE: what is wrong`, for the first file that is invalid.
    """
    rules = _shipped(base or policies_dir() / DEFAULT)
    own = home / HOME_POLICY if home else None
    gateways: tuple[str, ...] = ()
    if own is not None and (data := read_policy(own)) is not None:
        users = parse_policy(data, source=HOME_POLICY, shown=str(own))
        rules, gateways = _all_rules(users) + rules, users.gateways
    found = find_repository_policy(workspace) if workspace else None
    if found is None or (data := read_policy(found)) is None:
        return Policy(_unique(rules), gateways=gateways)
    repository = parse_policy(data, source=REPOSITORY_POLICY, shown=str(found))
    stricter = _all_rules(repository)
    decide = trusted or (TrustStore(home).trusts if home else None)
    if decide is not None and decide(found, data):
        return Policy(_unique(stricter + rules), gateways=(*repository.gateways, *gateways))
    # A gateway makes `exposed` of `leaked`: that is milder, so a repository may not name one by itself.
    left_out = tuple(name for name in repository.gateways if name not in gateways)
    return Policy(_unique(rules), stricter=stricter, gateways=gateways, gateways_not_trusted=left_out)


def load_file(path: Path) -> PolicyFile:
    """One file by itself, to check it.

    Raises:
        PolicyError: it is invalid, missing or unreadable.
    """
    data = read_policy(path)
    if data is None:
        raise PolicyError(f"{path}: no such file")
    return parse_policy(data, source=source_name(path), shown=str(path))


def source_name(path: Path) -> str:
    """How a verdict names a policy file: `policies/NAME` for those that ship, the file's own name for others."""
    shipped = path.resolve().parent == policies_dir().resolve()
    return f"policies/{path.name}" if shipped else path.name


def find_repository_policy(workspace: Path) -> Path | None:
    """`.agentguard.yaml` in `workspace` or above it, as far as the repository's root; None when there is none."""
    start = workspace.absolute()
    folders = [start, *start.parents]
    root = next((number for number, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    candidates = (folder / REPOSITORY_POLICY for folder in folders[: root + 1])
    return next((path for path in candidates if os.path.lexists(path)), None)


def read_policy(path: Path) -> bytes | None:
    """The bytes of a regular file, at most one more than a policy may have; None when there is no file.

    Raises:
        PolicyError: it is something else (a device never ends), or cannot be read.
    """
    try:
        # Opening a FIFO would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PolicyError(f"{path}: a policy must be a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'bad name'}") from None


class TrustStore:
    """Which repository policies the user trusts: `SHA256 PATH` lines in the home folder. A changed file is not."""

    def __init__(self, home: Path) -> None:
        self._file = home / TRUST_FILE

    def trusts(self, path: Path, data: bytes) -> bool:
        """Whether exactly this content at this place is trusted."""
        return self._entry(path, data) in self._lines()

    def trust(self, path: Path, data: bytes) -> None:
        """Remember it, instead of what was trusted at this place before.

        Raises:
            OSError: the store cannot be written.
        """
        entry = self._entry(path, data)
        kept = [line for line in self._lines() if line and line.partition(" ")[2] != entry.partition(" ")[2]]
        aside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in [*kept, entry])
        aside.replace(self._file)

    def _entry(self, path: Path, data: bytes) -> str:
        place = os.fsdecode(path.resolve()).replace("\n", "\\n")
        return f"{hashlib.sha256(data).hexdigest()} {place}"

    def _lines(self) -> list[str]:
        try:
            return self._file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        except FileNotFoundError:
            return []


def _shipped(base: Path) -> tuple[Rule, ...]:
    rules = _all_rules(load_file(base))
    default = policies_dir() / DEFAULT
    return rules if base.resolve() == default.resolve() else rules + _all_rules(load_file(default))


def _all_rules(parsed: PolicyFile) -> tuple[Rule, ...]:
    """A file's rules, then those of the shipped policy it extends."""
    if not parsed.extends:
        return parsed.rules
    return parsed.rules + load_file(policies_dir() / f"{parsed.extends}.yaml").rules


def _unique(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Each rule once, where it first stands: two layers may extend the same shipped policy."""
    first: dict[str, Rule] = {}
    for rule in rules:
        first.setdefault(rule.name, rule)
    return tuple(first.values())
