"""Print the JSON Schema of what a verb prints with `--format json`; without NAME, list them.

A document says which schema it is of: `"schema": "agentguard-keys/1"`. Fields may join under the same number; when one
goes or changes its meaning, the number grows. `events` and `sessions` print bare rows: an array, or with
`--format jsonl` one item of it a line.
"""

from __future__ import annotations

import argparse
import json

from agentguard.command_name import command
from agentguard.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="of a schema; default: list them")


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError for a name that is none."""
    from agentguard.show.schemas.catalogue import SCHEMAS

    if arguments.name is None:
        width = max(map(len, SCHEMAS))
        for name, schema in SCHEMAS.items():
            print(f"{name:<{width}}  {schema['title'].removeprefix('AgentGuard: ')}")
        return 0
    if arguments.name not in SCHEMAS:
        raise UsageError(f"no schema {arguments.name!r}; `{command()} schema` lists them")
    print(json.dumps(SCHEMAS[arguments.name], indent=2))
    return 0
