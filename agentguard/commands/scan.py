"""Find credentials in files, in what is staged and in a repository's history.

Exit status: 0 nothing found, 1 credentials found, 2 something could not be scanned.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from agentguard.config import home_path, working_folder
from agentguard.errors import EXIT_ERROR, EXIT_FOUND, EXIT_OK, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders (default: this folder)")
    parser.add_argument("--staged", action="store_true", help="what is about to be committed, instead")
    parser.add_argument("--ignored", action="store_true", help="also the files that git ignores")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, GitError, PolicyError, ConfigError."""
    from agentguard.scan.git import Git
    from agentguard.scan.scan import scan_paths, scan_staged
    from agentguard.scan.setting import file_scanner
    from agentguard.show.at_rest_lines import result_json, text_lines

    if arguments.staged and arguments.paths:
        raise UsageError("--staged takes no paths: git knows what is staged")
    scanner = file_scanner(home_path(arguments.home))
    if arguments.staged:
        result = scan_staged(scanner, Git(working_folder(), as_called=True))
    else:
        result = scan_paths(scanner, arguments.paths or [Path()], ignored=arguments.ignored)
    if arguments.format == "json":
        print(result_json(result))
    else:
        print("\n".join(text_lines(result, shutil.get_terminal_size((120, 24)).columns)))
    for unread in result.unread:
        print(f"agentguard: {unread.path}: {unread.reason}", file=sys.stderr)
    if result.unread:
        return EXIT_ERROR
    return EXIT_FOUND if result.found else EXIT_OK
