"""What stands in the help of each verb besides its options: examples, exit statuses, and where to look next.

Every example is parsed by a test; statuses are those of DESIGN and `agentguard.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """Of one verb."""

    examples: tuple[tuple[str, str], ...]
    """A command line as one types it, and what it does."""
    statuses: tuple[tuple[str, str], ...] = ()
    """Beside those that every verb has (`COMMON`)."""
    see: tuple[str, ...] = ()
    """Other verbs."""


COMMON = (
    ("2", "an error; one line on standard error says what to do"),
    ("130", "stopped with Ctrl-C"),
)
_DONE = ("0", "done")

PAGES: Mapping[str, Page] = {
    "status": Page(
        (
            ("agentguard", "where you stand, in twelve lines at most"),
            ("agentguard status --format json", "the same for a prompt or a status bar"),
        ),
        (_DONE,),
        ("sessions", "keys", "tui"),
    ),
    "run": Page(
        (
            ("agentguard run -- claude", "start Claude Code under guard; its terminal stays its own"),
            ("agentguard run --capture -- codex exec 'fix the tests'", "also read what goes round the proxy"),
            ("agentguard run --quiet -- ./agent.sh", "no banner and no summary: for scripts"),
            ("agentguard run --allow-privileged -- claude", "let the agent use sudo; less is seen exactly"),
        ),
        (
            ("the agent's", "what the agent ended with; 128 + N when signal N ended it"),
            ("126", "the program is there and cannot be executed"),
            ("127", "the program was not found"),
        ),
        ("watch", "tui", "report", "install"),
    ),
    "watch": Page(
        (
            ("agentguard watch", "every agent of yours that runs, and those that start"),
            ("agentguard watch --pid 4711", "that process and its tree, until it ends"),
            ("agentguard watch --agent claude --hold", "only Claude Code; hold openers of your files until identified"),
        ),
        (("0", "stopped by SIGTERM, or the processes of --pid have ended"),),
        ("run", "tui", "doctor"),
    ),
    "tui": Page(
        (
            ("agentguard tui", "the newest session, live; press ? for the keys"),
            ("agentguard tui --session 0198c2", "one session, by the beginning of its uid"),
        ),
        (_DONE,),
        ("events", "report", "status"),
    ),
    "report": Page(
        (
            ("agentguard report", "the newest session as HTML in the home folder; its path is printed"),
            ("agentguard report 0198c2 --format markdown", "one session, for a pull request or an issue"),
            ("agentguard report --last --format json", "everything that is known of it"),
            ("agentguard report --last --format sarif -o leaks.sarif", "for a code scanning service"),
            ("agentguard report --since 7d", "all sessions of a week: outcomes, keys, receivers, day by day"),
        ),
        (_DONE,),
        ("compare", "sessions", "events", "schema"),
    ),
    "compare": Page(
        (
            ("agentguard compare 0198c2", "what is new in the newest session against an earlier one"),
            ("agentguard compare 0198c2 0198d7 --format markdown", "two sessions, for a pull request"),
        ),
        (("0", "done, whatever is new"),),
        ("report", "sessions"),
    ),
    "events": Page(
        (
            ("agentguard events --session last", "what the newest session did"),
            ("agentguard events --follow --min-severity high", "what matters, as it happens"),
            ("agentguard events --search paste.example --limit 20", "the newest twenty that name it"),
            ("agentguard events --format jsonl --kind http | jq .host", "hosts that were sent to"),
        ),
        (_DONE,),
        ("tui", "report", "schema"),
    ),
    "sessions": Page(
        (
            ("agentguard sessions", "all, newest first"),
            ("agentguard sessions --limit 5", "the newest five"),
            ("agentguard sessions --format json | jq '.[0].outcome'", "how the newest came out"),
        ),
        (_DONE,),
        ("status", "report", "purge"),
    ),
    "scan": Page(
        (
            ("agentguard scan", "the files of this folder"),
            ("agentguard scan --staged", "what `git commit` would commit now"),
            ("agentguard scan --history", "every commit, stash and merge of this repository"),
            ("git show HEAD:config.yml | agentguard scan --stdin", "what comes through a pipe"),
            (
                "agentguard scan --baseline known.json --update-baseline",
                "know what is there, and later tell what is new",
            ),
        ),
        (("0", "none found"), ("1", "some found"), ("2", "an error, or something could not be scanned")),
        ("check", "hook", "keys"),
    ),
    "check": Page(
        (
            ("agentguard check", "this folder and its history"),
            ("agentguard check --home-folder --no-history", "also the known places of your home folder"),
            ("agentguard check --fail-on high --format sarif", "for continuous integration"),
        ),
        (
            ("0", "nothing to put right, or nothing as grave as --fail-on"),
            ("1", "something to put right"),
            ("2", "an error, or something could not be looked at"),
        ),
        ("scan", "keys"),
    ),
    "keys": Page(
        (
            ("agentguard keys", "the rotation worklist, then every key"),
            ("agentguard keys worklist", "only what must be rotated, with the page of its provider"),
            ("agentguard keys show 7f3a91", "one key in full, by the beginning of its fingerprint"),
            ("agentguard keys rotated 7f3a91", "it was replaced: it leaves the worklist until its old value is used"),
        ),
        (_DONE,),
        ("scan", "report", "status"),
    ),
    "doctor": Page(
        (
            ("agentguard doctor", "which sensors work here, proved by a small guarded session"),
            ("agentguard doctor --format json", "the same for a bug report"),
        ),
        (("0", "AgentGuard can guard a session here"), ("2", "it cannot; the lines marked ✗ say why")),
        ("run", "verify", "purge"),
    ),
    "verify": Page(
        (
            ("agentguard verify", "every chain, every seal, and the register of all sessions"),
            ("agentguard verify --session last --format json", "one session, for a program"),
        ),
        (("0", "nothing was changed"), ("1", "something was changed or removed")),
        ("purge", "report"),
    ),
    "purge": Page(
        (
            ("agentguard purge --older-than 90d --dry-run", "say what would go"),
            ("agentguard purge --older-than 30d", "ask, then remove it and give the room back"),
            ("agentguard purge --older-than 6mo --yes", "for a timer"),
        ),
        (_DONE,),
        ("verify", "doctor", "uninstall"),
    ),
    "hook": Page(
        (
            ("agentguard hook install git", "no commit or push of this repository brings in a key"),
            ("agentguard hook status git", "whether the gate stands, proved with a made-up key"),
            ("agentguard hook uninstall git", "take it out, and put back what stood there"),
        ),
        (
            ("0", "done, or in place"),
            ("1", "`status`: not in place; `run`: keys found"),
        ),
        ("scan", "uninstall"),
    ),
    "schema": Page(
        (
            ("agentguard schema", "the names, and what each is of"),
            ("agentguard schema report", "JSON Schema 2020-12, for a validator or a code generator"),
        ),
        (_DONE,),
        ("report", "events"),
    ),
    "policy": Page(
        (
            ("agentguard policy list", "the rules in force here, in the order they are tried"),
            ("agentguard policy check .agentguard.yaml", "whether a policy is valid"),
            ("agentguard policy explain --activity send --host paste.example", "which rule decides, and why"),
            ("agentguard policy trust .agentguard.yaml", "let this content of a repository's policy do more"),
        ),
        (_DONE, ("1", "`test`: an example did not come out")),
        ("run", "events"),
    ),
    "install": Page(
        (
            ("agentguard install --dry-run", "show each line for your start files, and name every new file"),
            ("agentguard install", "put the command on the PATH; asks which agents to guard by name"),
            ("agentguard install --aliases claude,codex", "these start under guard in your shells"),
        ),
        (_DONE, ("2", "an error, or a start file cannot be written: its lines are shown")),
        ("uninstall", "completions", "run"),
    ),
    "uninstall": Page(
        (
            ("agentguard uninstall --dry-run", "list what would go"),
            ("agentguard uninstall", "ask, then remove it; the database and the keys stay"),
            ("agentguard uninstall --purge-data --yes", "the database, the keys and the reports as well"),
        ),
        (_DONE, ("2", "an error, a session runs, or something is left")),
        ("install", "purge", "hook"),
    ),
    "completions": Page(
        (
            ("agentguard completions bash > ~/.local/share/bash-completion/completions/agentguard", "for bash"),
            ("agentguard completions zsh > ~/.zfunc/_agentguard", "for zsh, with ~/.zfunc in fpath"),
            ("agentguard completions fish > ~/.config/fish/completions/agentguard.fish", "for fish"),
        ),
        (_DONE,),
        ("install", "man"),
    ),
    "man": Page(
        (
            ("agentguard man | man -l -", "read it now"),
            ("agentguard man > ~/.local/share/man/man1/agentguard.1", "`man agentguard` finds it there"),
        ),
        (_DONE,),
        ("install", "completions"),
    ),
    "notify": Page(
        (
            ("agentguard notify test", "send a made-up notification by every channel"),
            ("agentguard notify test desktop", "by that one"),
            ("agentguard notify list", "the channels, and how each fared last"),
        ),
        (("0", "delivered"), ("2", "not delivered, or an error")),
        ("run", "watch"),
    ),
    "demo": Page(
        (
            ("agentguard demo", "three leaks of made-up secrets, seen from end to end"),
            ("agentguard demo --home /tmp/agentguard-demo", "with a home folder of its own"),
        ),
        (("0", "every step was seen"), ("2", "something was not")),
        ("doctor", "run"),
    ),
}
