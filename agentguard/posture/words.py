"""The words of findings: names of credentials, counts, and paths as a shell takes them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence

from agentguard.model.posture import Fix
from agentguard.model.secret import KNOWN_VALUE, SecretMatch
from agentguard.model.verdict import Severity
from agentguard.posture.evidence import Evidence

_MOST_NAMES = 3
_NAMES_A_URL = re.compile(r"(?i)ur[il]|dsn|conn|^[A-Z][A-Z0-9]*_[A-Z0-9_]+$")
_VAGUE = frozenset(
    """
    authorization auth bearer token key secret value password apikey api_key api-key access_token x-api-key t k s
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)


def label(evidence: Evidence, match: SecretMatch) -> str:
    """`STRIPE_KEY (Stripe secret key)`, or what it is when it stands under no name."""
    kind = evidence.type_name(match.type)
    if match.name and _says_all(evidence, match):
        return match.name
    if _says_little(evidence, match):
        return f"{'an' if kind[:1].lower() in 'aeio' else 'a'} {kind}"
    return f"{match.name} ({kind})"


def names(evidence: Evidence, matches: Iterable[SecretMatch]) -> str:
    """`STRIPE_KEY, OPENAI_API_KEY and 2 more`."""
    all_names = list(dict.fromkeys(_short(evidence, match) for match in matches))
    more = [f"{len(all_names) - _MOST_NAMES} more"] if len(all_names) > _MOST_NAMES else []
    return listed(all_names[:_MOST_NAMES] + more)


def _short(evidence: Evidence, match: SecretMatch) -> str:
    return f"the {evidence.type_name(match.type)}" if _says_little(evidence, match) else match.name


def _says_all(evidence: Evidence, match: SecretMatch) -> bool:
    """Whether its type adds nothing to its name: `DB_PASSWORD` is a password."""
    kind = evidence.types.get(match.type)
    return match.type == KNOWN_VALUE or (kind is not None and kind.at_rest)


def _says_little(evidence: Evidence, match: SecretMatch) -> bool:
    """Whether the name it stands under says less than its type. What stands before the password of a URL is a user."""
    kind = evidence.types.get(match.type)
    if kind is not None and "://" in kind.pattern and not _NAMES_A_URL.search(match.name):
        return True
    return not match.name or (match.type != KNOWN_VALUE and match.name.lower() in _VAGUE)


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def where(paths: Sequence[str]) -> str:
    """`src/app.py`, or `src/app.py and 3 more files`."""
    more = len(paths) - 1
    return f"{paths[0]} and {counted(more, 'more file')}" if more else paths[0]


def counted(number: int, one: str, many: str = "") -> str:
    """`1 key`, `2 keys`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lower(severity: Severity) -> Severity:
    """One step less grave; low stays low."""
    return list(Severity)[max(Severity.LOW.rank, severity.rank - 1)]


def variable(evidence: Evidence, match: SecretMatch) -> str:
    """The environment variable it would go by."""
    return constant(match.type if _says_little(evidence, match) else match.name) or "SECRET"


def constant(name: str) -> str:
    """`apiKey` as `API_KEY`; "" of nothing but signs."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", spaced).strip("_").upper()


def shell_path(path: str) -> str:
    """As a shell takes it; a leading `~/` stays what it is."""
    return "~/" + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def in_its_repository(evidence: Evidence, name: str, command: Callable[[str], str]) -> str:
    """What `command` makes of a file's path, run in the repository that has the file: it may be one within another."""
    within = [one for one in (evidence.git.repositories if evidence.git else ()) if name.startswith(f"{one}/")]
    if not within:
        return command(name)
    nearest = max(within, key=len)
    return f"(cd {shell_path(nearest)} && {command(name.removeprefix(f'{nearest}/'))})"


def ignore(path: str) -> str:
    """The command that has git ignore one file."""
    return f"printf '%s\\n' {shell_path(f'/{path}')} >> .gitignore"


def shell_paths(paths: Iterable[str]) -> str:
    return " ".join(map(shell_path, paths))


def rotate(evidence: Evidence, matches: Iterable[SecretMatch], *, why: str = "") -> list[Fix]:
    """One step for each issuer: make a new key, and revoke the old one."""
    by_page: dict[str, list[SecretMatch]] = {}
    for match in matches:
        kind = evidence.types.get(match.type)
        by_page.setdefault(kind.rotation if kind else "", []).append(match)
    return [_replace(evidence, page, group, why) for page, group in by_page.items()]


def _replace(evidence: Evidence, page: str, group: Sequence[SecretMatch], why: str) -> Fix:
    sentence = f"Replace {names(evidence, group)}{f', since {why}' if why else ''}"
    if page.startswith("https://"):
        return Fix(do=f"{sentence}: make a new key at its issuer and revoke the old one", page=page)
    if page:
        return Fix(do=f"{sentence}: {page.rstrip('.')}")
    return Fix(do=f"{sentence}: make a new one where {'it' if len(group) == 1 else 'they'} came from")
