"""Look at how credentials are kept in a project, and say what to put right first.

PATH is a folder, a repository mostly. The home folder is looked at only with --home-folder, and of it only known
places: shell histories, agents' transcripts and MCP configurations, files of credentials. Nothing is changed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.command_name import command
from agentguard.config import Home, folder_of_user, home_path, open_home, working_folder
from agentguard.errors import EXIT_ERROR, EXIT_FOUND, EXIT_OK, StoreError, UsageError
from agentguard.formats import add_format, color, room
from agentguard.model.verdict import Severity
from agentguard.upgrade import bring_up_to_date

if TYPE_CHECKING:
    from agentguard.model.at_rest import ScanResult, SecretAtRest
    from agentguard.model.posture import Posture
    from agentguard.scan.setting import Setting
    from agentguard.show.progress import ProgressLine

_LEVELS = [severity.value for severity in Severity if severity is not Severity.INFO]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", nargs="?", type=Path, default=Path(), metavar="PATH", help="a folder (default: this one)"
    )
    parser.add_argument("--home-folder", action="store_true", help="also the known places of your home folder")
    parser.add_argument("--no-history", dest="history", action="store_false", help="leave the git history out")
    parser.add_argument(
        "--older-than", metavar="DAYS", type=int, default=90, help="a key is old after DAYS (default: 90; 0: never)"
    )
    parser.add_argument(
        "--fail-on", choices=_LEVELS, default=_LEVELS[0], help="exit with 1 from here on (default: low)"
    )
    parser.add_argument("--full", action="store_true", help="every step of every finding")
    add_format(parser, "text", "json", "csv", "sarif")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, ConfigError, PolicyError and StoreError."""
    if arguments.older_than < 0:
        raise UsageError("--older-than takes 0 or more days")
    user_home = folder_of_user()
    root = _root(arguments.path, user_home)
    home = open_home(home_path(arguments.home))
    bring_up_to_date(home)
    posture, at_rest, opened = _look(arguments, home, root, user_home)
    posture = _record(home, posture, at_rest, opened)
    print(_rendered(arguments, posture, root, user_home), end="")
    if posture.unread:
        return EXIT_ERROR
    least = Severity(arguments.fail_on).rank
    return EXIT_FOUND if any(one.severity.rank >= least for one in posture.weaknesses) else EXIT_OK


def _root(path: Path, user_home: Path) -> Path:
    """The folder, resolved.

    Raises:
        UsageError: there is no such folder, or it is the whole home folder.
    """
    root = Path(os.path.realpath(path))
    if not root.is_dir():
        raise UsageError(f"{path} is no folder")
    home = Path(os.path.realpath(user_home))
    if home.is_relative_to(root):
        raise UsageError(
            f"{root} is your home folder or holds it: name a project, and add --home-folder for its places"
        )
    return root


def _look(
    arguments: argparse.Namespace, home: Home, root: Path, user_home: Path
) -> tuple[Posture, tuple[SecretAtRest, ...], frozenset[str]]:
    """What was found, each place of each credential, and the files that were looked into."""
    from agentguard.detect.file_scan import FileScanner
    from agentguard.detect.files import load_file_patterns
    from agentguard.model.posture import Breadth
    from agentguard.paths import policies_dir
    from agentguard.posture.assess import assess
    from agentguard.posture.catalogue import load_catalogue
    from agentguard.posture.look import Knowledge, Look, Question
    from agentguard.posture.reading import FileReader
    from agentguard.record.looks import Looks
    from agentguard.record.reader import Reader
    from agentguard.scan.setting import setting_of
    from agentguard.show.progress import ProgressLine

    began, now_ns = time.monotonic(), time.time_ns()
    setting = setting_of(home.root)
    scanner = setting.scanner()
    catalogue = load_catalogue(policies_dir() / "posture.yaml")
    patterns = load_file_patterns(policies_dir() / "files.yaml")
    with contextlib.closing(Reader(home.database)) as reader:
        known = reader.credentials()
    question = Question(
        root=root,
        home=user_home if arguments.home_folder else None,
        older_than_days=arguments.older_than,
        excluded=frozenset({os.path.realpath(home.root)}),
        first_seen={one.fingerprint: one.first_seen_ns for one in known},
        rotated=frozenset(one.fingerprint for one in known if one.rotated_ns is not None),
        now_ns=now_ns,
    )
    with ProgressLine() as line:
        looked = Look(
            question,
            Knowledge(catalogue=catalogue, patterns=patterns, types=scanner.types),
            FileReader(
                catalogue, FileScanner(scanner), scanner, Looks(home.looks, home.looks_key(), time.time_ns).note
            ),
            history=partial(_history, setting, line) if arguments.history else None,
            on_file=lambda count: line.tell(0, 0, f"{count:,} files"),
        ).run()
    breadth = Breadth(home=arguments.home_folder, history=arguments.history, older_than_days=arguments.older_than)
    posture = assess(looked, breadth, lambda text: scanner.redact(text)[0])
    return replace(posture, seconds=time.monotonic() - began), looked.at_rest, looked.opened


def _history(setting: Setting, line: ProgressLine, root: Path) -> ScanResult:
    from agentguard.posture.past import look_back

    def tell(_tally: object, done: int, total: int) -> None:
        line.tell(done, total, f"{done:,} of {total:,} commits")

    return look_back(setting, root, tell)


def _record(home: Home, posture: Posture, at_rest: tuple[SecretAtRest, ...], opened: frozenset[str]) -> Posture:
    """Keep it, and say what it was before. That it could not be kept is told, and costs nothing else."""
    from agentguard.model.credential import FoundBy
    from agentguard.record.at_rest import Run, keep_at_rest, keep_posture
    from agentguard.record.reader import Reader

    def looked_at(path: str) -> bool:
        return path in opened or not os.path.lexists(path)

    run_of = Run(found_by=FoundBy.CHECK, root=Path(posture.root), time_ns=posture.time_ns, looked_at=looked_at)
    try:
        with contextlib.closing(Reader(home.database)) as reader:
            before = reader.earlier_posture(posture)
        posture = replace(posture, earlier=posture.since(before) if before else None)
        keep_at_rest(home, at_rest, run_of)
        keep_posture(home, posture)
    except StoreError as error:
        print(f"agentguard: this look was not recorded: {error}", file=sys.stderr)
    return posture


def _rendered(arguments: argparse.Namespace, posture: Posture, root: Path, user_home: Path) -> str:
    """With the end of its last line."""
    if arguments.format == "json":
        from agentguard.show.posture_json import render_json

        return render_json(posture) + "\n"
    if arguments.format == "csv":
        from agentguard.show.posture_csv import posture_csv

        return posture_csv(posture)
    if arguments.format == "sarif":
        from agentguard.show.posture_sarif import render_sarif

        return render_sarif(posture, before=_before(root), home=str(user_home)) + "\n"
    from agentguard.show.posture_lines import Style, posture_lines

    style = Style(
        width=room(100),
        color=color(),
        full=arguments.full,
        elsewhere=root != working_folder(),
        more=f"{command()} check --full",
    )
    return "".join(f"{line}\n" for line in posture_lines(posture, style))


def _before(root: Path) -> str:
    """What stands before a path of the project, seen from here."""
    here = Path(os.path.realpath(working_folder()))
    if root == here:
        return ""
    return f"{root.relative_to(here) if root.is_relative_to(here) else root}/"
