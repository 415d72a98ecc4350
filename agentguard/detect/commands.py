"""Commands that fetch a credential (policies/commands.yaml), recognised word by word in a command line."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentguard.detect.command_lines import commands_within, is_assignment, program_name
from agentguard.detect.git_paths import named_paths
from agentguard.detect.policy_yaml import Table, flag, load_mapping, strings, table_list, text

_HELP = frozenset({"--help", "--version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRule:
    """One entry of policies/commands.yaml."""

    id: str
    fetches: str
    """What it gives away, in words: "a secret of HashiCorp Vault"."""
    programs: tuple[str, ...]
    words: tuple[str, ...] = ()
    with_options: tuple[str, ...] = ()
    argument: str = ""
    alone: bool = False
    builtin: bool = False
    secret_path: bool = False
    """Only where it names a secret file (policies/files.yaml)."""
    maybe: bool = False
    """It may show a secret, or anything else."""
    examples_match: tuple[str, ...] = ()
    examples_no_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandMatch:
    """A rule, and whether the command was found inside another one (`sudo`, `sh -c`)."""

    rule: CommandRule
    wrapped: bool
    paths: tuple[str, ...] = ()
    """Secret files that it names, from the folder it runs in."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: CommandRule
    programs: re.Pattern[str]
    phrases: tuple[tuple[re.Pattern[str], ...], ...]
    """Ways of saying it; () when no word is asked for."""
    argument: re.Pattern[str] | None


class CredentialCommands:
    """The rules, compiled. Immutable: any thread may ask."""

    def __init__(self, rules: Sequence[CommandRule], is_secret: Callable[[str], object] = lambda _: None) -> None:
        """`is_secret` is asked of absolute paths: whether that is the name of a secret file."""
        self._is_secret = is_secret
        self.rules = tuple(rules)
        self._compiled = tuple(_compile(rule) for rule in rules)
        self._any_program = re.compile("|".join(entry.programs.pattern for entry in self._compiled) or r"(?!)")

    def match(self, argv: Sequence[str]) -> CommandRule | None:
        """The rule that a command line falls under, through wrappers (`sudo`, `env A=b`, `sh -c '...'`) too."""
        found = self.find(argv)
        return found.rule if found else None

    def find(self, argv: Sequence[str]) -> CommandMatch | None:
        """As `match`, and says whether a wrapper was peeled off. The first command that matches wins."""
        for command, wrapped in commands_within(argv):
            name = program_name(command[0])
            if self._any_program.match(name) is None or _HELP.intersection(command):
                continue
            for entry in self._compiled:
                if not entry.programs.match(name) or not _fits(entry, command[1:]):
                    continue
                paths = tuple(self._secret_paths(command[1:])) if entry.rule.secret_path else ()
                if paths or not entry.rule.secret_path:
                    return CommandMatch(entry.rule, wrapped, paths)
        return None

    def _secret_paths(self, words: Sequence[str]) -> Iterator[str]:
        return (path for path in named_paths(words) if self._is_secret("/" + path.removeprefix("/")))


def load_commands(path: Path, is_secret: Callable[[str], object] = lambda _: None) -> CredentialCommands:
    """Read policies/commands.yaml. `is_secret` as for `CredentialCommands`.

    Raises:
        PolicyError: it cannot be read or is invalid; names the file, the line and what is wrong.
    """
    rules = [_rule(entry) for entry in table_list(load_mapping(path, allowed=("commands",)), "commands")]
    return CredentialCommands(rules, is_secret)


def _rule(entry: Table) -> CommandRule:
    entry.only(
        *("id", "fetches", "programs", "words", "with", "argument", "alone", "builtin", "secret_path", "maybe"),
        "examples",
    )
    examples = entry.table("examples")
    rule = CommandRule(
        id=text(entry, "id", required=True),
        fetches=text(entry, "fetches", required=True),
        programs=strings(entry, "programs"),
        words=strings(entry, "words"),
        with_options=strings(entry, "with"),
        argument=text(entry, "argument"),
        alone=flag(entry, "alone"),
        builtin=flag(entry, "builtin"),
        secret_path=flag(entry, "secret_path"),
        maybe=flag(entry, "maybe"),
        examples_match=strings(examples, "match"),
        examples_no_match=strings(examples, "no_match"),
    )
    if not rule.programs:
        raise entry.error(f"command {rule.id!r} names no programs")
    if not (rule.words or rule.with_options or rule.argument or rule.alone):
        raise entry.error(f"command {rule.id!r} would match every use of {', '.join(rule.programs)}")
    return rule


def _compile(rule: CommandRule) -> _Compiled:
    return _Compiled(
        rule=rule,
        programs=_alternatives("|".join(rule.programs)),
        phrases=tuple(tuple(_alternatives(word) for word in phrase.split()) for phrase in rule.words),
        argument=_alternatives(rule.argument) if rule.argument else None,
    )


def _alternatives(globs: str) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in globs.split("|")))


def _fits(entry: _Compiled, words: Sequence[str]) -> bool:
    rule = entry.rule
    if rule.with_options and not any(_has_option(words, option) for option in rule.with_options):
        return False
    rests = [_after(phrase, words) for phrase in entry.phrases] or [list(words)]
    return any(rest is not None and _rest_fits(entry, rest) for rest in rests)


def _has_option(words: Sequence[str], option: str) -> bool:
    return any(word == option or word.startswith(option + "=") for word in words)


def _after(phrase: Sequence[re.Pattern[str]], words: Sequence[str]) -> list[str] | None:
    """What follows the phrase; None when the words do not say it.

    Which options take a value is not known: a word that does not fit is passed over when an option precedes it.
    """
    position, after_option = 0, False
    for index, word in enumerate(words):
        if word.startswith("-"):
            after_option = "=" not in word and word != "--"
        elif phrase[position].match(word):
            position, after_option = position + 1, False
            if position == len(phrase):
                return list(words[index + 1 :])
        elif not after_option:
            return None
        else:
            after_option = False
    return None


def _rest_fits(entry: _Compiled, rest: Sequence[str]) -> bool:
    if entry.argument is not None:
        return any(entry.argument.match(word) for word in rest if not word.startswith("-"))
    return not entry.rule.alone or not _further_words(entry.rule, rest)


def _further_words(rule: CommandRule, rest: Sequence[str]) -> list[str]:
    """Words that are neither options, nor the value that may follow one, nor variables that `env` sets."""
    further, after_option = [], False
    for word in rest:
        if word.startswith("-"):
            after_option = "=" not in word and word not in (*rule.with_options, "-0")
        elif after_option:
            after_option = False
        elif rule.builtin or not is_assignment(word):
            further.append(word)
    return further
