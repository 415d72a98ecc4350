"""Commands that commit or push without the hooks that would look: recognised as git itself reads its command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agentguard.detect.command_lines import program_name
from agentguard.detect.once import Once
from agentguard.model.attributed import Attributed
from agentguard.model.observation import ExecObservation

NO_VERIFY = "git-no-verify"
"""Told to run no hooks."""
HOOKS_PATH = "git-hooks-path"
"""Sent to look for them elsewhere."""
ENVIRONMENT = "git-hooks-environment"
"""One of the two, by a variable."""
PLUMBING = "git-plumbing"
"""Commits and branches made by the commands that know no hooks."""
ROUND_THE_HOOKS = (NO_VERIFY, HOOKS_PATH, ENVIRONMENT, PLUMBING)
"""Of a finding, in `command_rule`, beside the ids of policies/commands.yaml."""

_RUN_HOOKS = frozenset({"commit", "merge", "pull", "push", "rebase", "am", "cherry-pick", "revert"})
_SHORT_N = frozenset({"commit", "am"})
"""Whose `-n` is `--no-verify`; elsewhere it is something harmless."""
_SHORT_WITH_VALUE = "mFCctSu"
"""Letters behind which the rest of the word is a value; but for `S` and `u` the next word is, where nothing is left."""
_LONG_WITH_VALUE = frozenset(
    f"--{name}"
    for name in (
        *("message", "file", "author", "date", "template", "reuse-message", "reedit-message", "fixup", "squash"),
        *("cleanup", "trailer", "pathspec-from-file", "strategy", "strategy-option", "onto", "exec", "repo"),
        *("receive-pack", "push-option"),
    )
)
_GLOBAL_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"})
_SETTINGS = ("-c", "--config-env")
_LEAST = "--no-veri"
"""The shortest that git takes for `--no-verify`: before that it might be `--no-verbose`."""
_KEY = "core.hookspath"
_ASKS = frozenset({"--get", "--get-all", "--get-regexp", "get", "--list", "-l", "list"})
_HUSKY = (".husky", ".husky/_")
"""husky sets these, at each `npm install`."""
_GATE = "agentguard"


class GateBypasses:
    """For one thread: the pipeline's."""

    def __init__(self, once: Once) -> None:
        self._once = once

    def of(self, attributed: Attributed, started: ExecObservation) -> tuple[str, list[str]]:
        """(how it goes round the hooks, in a word of `ROUND_THE_HOOKS`, or ""; variables that say so, once each)."""
        variables = [
            variable
            for variable in disabling_variables(started.environ or ())
            if not self._once.again("hooks", attributed.session, variable)
        ]
        if any(ancestor.name == "git" for ancestor in attributed.ancestors):  # git hands `-c` on to what it runs so
            variables = []
        return bypass(started.process.cmdline) or (ENVIRONMENT if variables else ""), variables


def bypass(argv: Sequence[str]) -> str:
    """How a command line goes round the hooks: a word of `ROUND_THE_HOOKS`, or "".

    What a wrapper or a shell runs is an exec of its own, and is asked for itself.
    """
    name = program_name(argv[0]) if argv else ""
    if not name.startswith("git"):
        return ""
    settings, words = _taken_apart(argv[1:]) if name == "git" else ([], [name.removeprefix("git-"), *argv[1:]])
    if not words:
        return ""
    verb, rest = words[0], words[1:]
    if verb == "config":
        return HOOKS_PATH if _sets_hooks_path(rest) else ""
    if verb in _RUN_HOOKS:
        if any(setting.partition("=")[0].lower() == _KEY for setting in settings):
            return HOOKS_PATH
        return NO_VERIFY if _says_no_verify(verb, rest) else ""
    branch = any(word == "HEAD" or word.startswith("refs/heads/") for word in rest)
    return PLUMBING if verb in ("commit-tree", "fast-import") or (verb == "update-ref" and branch) else ""


def disabling_variables(environ: Iterable[tuple[str, str]]) -> list[str]:
    """`NAME=value` of those that keep hooks from being run, by git, husky or the pre-commit framework."""
    found: list[str] = []
    for name, value in environ:
        key = name.startswith("GIT_CONFIG_KEY_") and value.lower() == _KEY
        if key or (name, value) == ("HUSKY", "0") or (name == "SKIP" and _GATE in value):
            found.append(f"{name}={value}")
        elif name == "GIT_CONFIG_PARAMETERS" and _KEY in value.lower():
            found.append(f"{name}={_KEY}")
    return found


def _taken_apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """(settings of `-c`, the command and its words)."""
    settings: list[str] = []
    at = 0
    while at < len(words) and words[at].startswith("-"):
        option, _, attached = words[at].partition("=")
        takes_next = option in _GLOBAL_WITH_VALUE and not attached
        if option in _SETTINGS:
            settings += words[at + 1 : at + 2] if takes_next else [attached]
        at += 2 if takes_next else 1
    return settings, list(words[at:])


def _sets_hooks_path(words: Sequence[str]) -> bool:
    if _ASKS.intersection(words):
        return False
    lowered = [word.lower() for word in words]
    if _KEY not in lowered:
        return False
    at = lowered.index(_KEY)
    value = words[at + 1] if at + 1 < len(words) else ""
    removes = any(word.startswith("--unset") or word == "unset" for word in words[:at])
    return removes or (value != "" and value not in _HUSKY)


def _says_no_verify(verb: str, words: Sequence[str]) -> bool:
    return any(
        ("--no-verify".startswith(word) and len(word) >= len(_LEAST)) or (verb in _SHORT_N and _short_n(word))
        for word in _options(words)
    )


def _options(words: Sequence[str]) -> Iterator[str]:
    """Those words that are options, up to `--`: the value of one may look like another."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "--":
            return
        elif word.startswith("-"):
            skip = word in _LONG_WITH_VALUE or (not word.startswith("--") and _value_follows(word[1:]))
            yield word


def _letters(cluster: str) -> str:
    """The options of `-anm`; behind one that takes a value the rest is that."""
    ends = [at for at, letter in enumerate(cluster) if letter in _SHORT_WITH_VALUE]
    return cluster[: ends[0] + 1] if ends else cluster


def _value_follows(cluster: str) -> bool:
    return cluster == _letters(cluster) and cluster[-1:] in tuple("mFCct")


def _short_n(word: str) -> bool:
    return not word.startswith("--") and "n" in _letters(word[1:])
