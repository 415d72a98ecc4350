"""Find credentials in files, in what is about to be committed, or in a repository's history.

PATH is a file or a folder; several may be given. What git ignores is left out. Archives and notebooks are looked into.
Nothing is changed, and nothing leaves this machine. What is found also goes into `agentguard keys`.

A comment with `agentguard:allow` (or `gitleaks:allow`) on its line lets a credential pass.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentguard.config import Home, home_path, working_folder
from agentguard.errors import EXIT_ERROR, EXIT_FOUND, EXIT_OK, StoreError, UsageError
from agentguard.formats import add_format, color, room
from agentguard.model.verdict import Severity

if TYPE_CHECKING:
    from agentguard.model.at_rest import ScanResult
    from agentguard.scan.git import Git
    from agentguard.scan.look import OnSecret
    from agentguard.scan.scan import Scan
    from agentguard.scan.tally import Tally
    from agentguard.show.issuers import Issuer, Issuers
    from agentguard.show.progress import ProgressLine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="default: this folder")
    what = parser.add_argument_group("what is scanned instead of the files").add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="what the index would bring into the next commit")
    what.add_argument(
        "--history", action="store_true", help="all refs, stashes and merges of the repository at PATH or here"
    )
    what.add_argument("--stdin", action="store_true", help="what comes through a pipe")
    history = parser.add_argument_group("with --history")
    history.add_argument(
        "--commits", metavar="RANGE", action="append", default=[], help="only these, as `main..HEAD` or `-5`"
    )
    history.add_argument("--dangling", action="store_true", help="also what only the reflog, or no ref, leads to")
    known = parser.add_argument_group("what is known")
    known.add_argument("--baseline", metavar="FILE", type=Path, help="pass over the credentials it holds")
    known.add_argument("--update-baseline", action="store_true", help="write what is found now to --baseline")
    limits = parser.add_argument_group("how")
    limits.add_argument("--ignored", action="store_true", help="also the files that git ignores")
    limits.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[], help="leave out paths, or parts of them, that fit"
    )
    limits.add_argument(
        "--min-severity", choices=list(Severity), default=Severity.LOW, metavar="S", help="of info, low (default), ..."
    )
    limits.add_argument("--jobs", "-j", type=int, default=0, metavar="N", help="processes (default: one a processor)")
    add_format(limits, "text", "json", "csv", "sarif")
    limits.add_argument("--output", "-o", type=Path, metavar="FILE", help="instead of standard output")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, GitError, PolicyError, ConfigError, and OSError of standard input or of the output."""
    from agentguard.scan.baseline import new_baseline, read_baseline
    from agentguard.scan.scan import Scan
    from agentguard.scan.setting import setting_of
    from agentguard.show.progress import ProgressLine

    _check(arguments)
    update, file = arguments.update_baseline, arguments.baseline
    baseline = None
    if file is not None:
        baseline = new_baseline(file) if update and not file.exists() else read_baseline(file)
    began_ns, base = time.time_ns(), _base(arguments)
    setting = replace(setting_of(home_path(arguments.home)), baseline=baseline, entries=update, base=str(base))
    if setting.cache is not None and not (arguments.staged or arguments.history or arguments.stdin):
        setting = replace(setting, on_secret=_on_secret(Home(home_path(arguments.home))))
    with ProgressLine() as line:
        scan = Scan(setting, arguments.jobs, _told(line, "commits" if arguments.history else "files"))
        _scan(scan, arguments)
    result = scan.result(Severity(arguments.min_severity))
    if setting.cache is not None and not arguments.stdin:
        result = _kept(arguments, scan, result, base, began_ns)
    if update:
        return _updated(arguments, scan, result)
    _print(arguments, result, _issuers(scan))
    if result.unread:
        return EXIT_ERROR
    return EXIT_FOUND if result.found else EXIT_OK


def _on_secret(home: Home) -> OnSecret | None:
    """What tells the guards of this home folder of our opens; None where there never was one."""
    if not home.looks.exists():
        return None
    from agentguard.detect.files import load_file_patterns
    from agentguard.paths import policies_dir
    from agentguard.record.looks import Looks
    from agentguard.scan.look import OnSecret

    looks = Looks(home.looks, home.looks_key(), time.time_ns)
    return OnSecret(looks.note, load_file_patterns(policies_dir() / "files.yaml").match_name)


def _check(arguments: argparse.Namespace) -> None:
    """Raises UsageError for what makes no sense together."""
    if (arguments.staged or arguments.stdin) and arguments.paths:
        raise UsageError("--staged and --stdin take no PATH")
    if arguments.history and len(arguments.paths) > 1:
        raise UsageError("--history takes one PATH: a repository")
    if not arguments.history and (arguments.commits or arguments.dangling):
        raise UsageError("--commits and --dangling belong to --history")
    if arguments.commits and arguments.dangling:
        raise UsageError("--commits names some commits, --dangling adds to all of them; give one")
    if arguments.update_baseline and arguments.baseline is None:
        raise UsageError("--update-baseline needs --baseline FILE: the file that it writes")
    if arguments.jobs < 0:
        raise UsageError("--jobs takes 1 or more")


def _base(arguments: argparse.Namespace) -> Path:
    """The folder that the results' paths are relative to."""
    from agentguard.scan.git import repository_of

    return repository_of(_git(arguments)) if arguments.staged or arguments.history else working_folder()


def _git(arguments: argparse.Namespace) -> Git:
    from agentguard.scan.git import Git

    if arguments.staged:
        return Git(working_folder(), as_called=True)
    return Git(arguments.paths[0] if arguments.paths else working_folder())


def _scan(scan: Scan, arguments: argparse.Namespace) -> None:
    """Scan what was asked for."""
    from agentguard.scan.history import Range

    if arguments.staged:
        scan.staged(_git(arguments))
    elif arguments.history:
        scan.history(_git(arguments), Range(tuple(arguments.commits), arguments.dangling))
    elif arguments.stdin:
        scan.stream(sys.stdin.buffer)
    else:
        scan.paths(arguments.paths or [Path()], ignored=arguments.ignored, exclude=arguments.exclude)


def _told(line: ProgressLine, unit: str) -> Callable[[Tally, int, int], None]:
    """What a scan tells its progress to."""

    def tell(tally: Tally, done: int, total: int) -> None:
        of = f" of {total:,}" if total else ""
        line.tell(done, total, f"{done:,}{of} {unit}, {tally.bytes / 1e6:,.0f} MB, {len(tally.found):,} found")

    return tell


def _kept(arguments: argparse.Namespace, scan: Scan, result: ScanResult, base: Path, began_ns: int) -> ScanResult:
    """Into the inventory that `agentguard keys` shows: all of it, whatever severity is told. A scan that could not be
    kept is told all the same."""
    from agentguard.model.credential import FoundBy
    from agentguard.record.at_rest import Run, keep_at_rest
    from agentguard.scan.looked import Looked
    from agentguard.upgrade import bring_up_to_date

    home, every = Home(home_path(arguments.home)), scan.result(Severity.INFO)
    if not (every.found or every.passed or home.database.exists()):
        return result
    roots = () if arguments.staged or arguments.history else arguments.paths or (Path(),)
    looked = Looked(base, roots, ignored=arguments.ignored, exclude=arguments.exclude, unread=every.unread)
    run = Run(found_by=FoundBy.SCAN, root=base, time_ns=began_ns, looked_at=looked.at)
    try:
        bring_up_to_date(home)
        keep_at_rest(home, (*every.found, *every.passed), run)
    except StoreError as error:
        return replace(result, notes=(*result.notes, f"Not kept for `agentguard keys`: {error}."))
    return result


def _updated(arguments: argparse.Namespace, scan: Scan, result: ScanResult) -> int:
    """Write the baseline. What could not be read is not in it: that is told, and is an error still."""
    from agentguard.scan.baseline import write_baseline
    from agentguard.show.at_rest_lines import unread_lines
    from agentguard.show.phrases import plural

    baseline = scan.setting.baseline
    assert baseline is not None
    written = baseline.updated(scan.entries)
    write_baseline(arguments.baseline, written)
    new, gone = len(written.entries - baseline.entries), len(baseline.entries - written.entries)
    print(
        f"{arguments.baseline}: {plural(len(written.entries), 'credential')} known ({new:,} new, {gone:,} gone).",
        *unread_lines(result),
        sep="\n",
        file=sys.stderr,
    )
    return EXIT_ERROR if result.unread else EXIT_OK


def _issuers(scan: Scan) -> dict[str, Issuer]:
    """What `show.issuers` would read from the policies again."""
    from agentguard.show.issuers import Issuer

    return {
        kind.id: Issuer(
            name=kind.name, provider=kind.provider, scope=kind.scope, severity=kind.severity, rotation=kind.rotation
        )
        for kind in scan.types
    }


def _print(arguments: argparse.Namespace, result: ScanResult, issuers: Issuers) -> None:
    from agentguard.show.at_rest_lines import Style, found_lines, summary_lines

    if arguments.format == "json":
        from agentguard.show.at_rest_json import result_json

        text = result_json(result, issuers) + "\n"
    elif arguments.format == "sarif":
        from agentguard.show.at_rest_sarif import result_sarif

        text = result_sarif(result, issuers) + "\n"
    elif arguments.format == "csv":
        from agentguard.show.at_rest_csv import result_csv

        text = result_csv(result, issuers)
    else:
        terminal = sys.stdout.isatty() and arguments.output is None
        lines = found_lines(
            result, issuers, Style(room() if terminal else 0, color=arguments.output is None and color())
        )
        text = "".join(f"{line}\n" for line in lines)
    if arguments.output is not None:
        arguments.output.write_text(text, encoding="utf-8", newline="")
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    print("\n".join(summary_lines(result, issuers)), file=sys.stderr)
