"""What the guard costs. Every figure is a ratio of medians taken in one run, in interleaved rounds.

`files`: the same work with no sensor, under `agentguard run` in its variants, and under strace, fatrace and bpftrace.
`proxy`: requests, event streams, WebSockets, long bodies: direct, through a bare streaming mitmproxy, and the guard.
`capture`: connections and messages of a program that uses no proxy: alone, guarded, and with `run --capture`.
`index`: how much text a second of processor time looks through for secrets.
`detect`: how long an LLM request and megabytes of text take to scan, beside bare Hyperscan.
`hook`: what the git gate adds to a commit.
`accuracy`: how many secrets are found in samples made here, and what is taken for one in source code that holds none.
`keys`: what the inventory of credentials costs the writer, and `agentguard keys` over a million events.
`scan`: what a scan of a large tree and of histories costs, beside kingfisher where it is given.
`report`: what the HTML report of a session of a million events costs.
`tui`: how quick the dashboard is over a million events, and what it costs.
`start`: how long until the agent's first instruction, and `--help`.

Example: scripts/bench files --format md
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench_accuracy import bench_accuracy
from bench_capture import bench_capture
from bench_detect import bench_detect
from bench_files import bench_files
from bench_hook import bench_hook
from bench_index import bench_index
from bench_keys import bench_keys
from bench_proxy import bench_proxy
from bench_report import bench_report
from bench_scan import bench_scan
from bench_setting import Setting
from bench_start import bench_start
from bench_tui import bench_tui

BENCHES: dict[str, Callable[[Setting], None]] = {
    "files": bench_files,
    "proxy": bench_proxy,
    "capture": bench_capture,
    "start": bench_start,
    "index": bench_index,
    "hook": bench_hook,
    "detect": bench_detect,
    "accuracy": bench_accuracy,
    "keys": bench_keys,
    "scan": bench_scan,
    "report": bench_report,
    "tui": bench_tui,
}


def main() -> int:
    """Run the ones that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="*", choices=[*BENCHES, []], default=[], metavar=f"{{{','.join(BENCHES)}}}")
    parser.add_argument("--rounds", type=int, help="how often each thing is measured (9)")
    parser.add_argument("--quick", action="store_true", help="see that it works: small work, one round, no figures")
    parser.add_argument("--format", choices=["text", "md"], default="text", help="of the table of `files`")
    parser.add_argument("--rg", type=Path, metavar="FILE", help="measure this rg (a static one, say) beside the first")
    parser.add_argument("--kingfisher", type=Path, metavar="FILE", help="measure this program beside `scan`")
    options = parser.parse_args()
    for name in options.what or BENCHES:
        with tempfile.TemporaryDirectory(prefix="agentguard-bench-") as folder:
            BENCHES[name](
                Setting(
                    base=Path(folder).resolve(),
                    rounds=options.rounds or (1 if options.quick else 9),
                    quick=options.quick,
                    markdown=options.format == "md",
                    further_rg=options.rg,
                    kingfisher=options.kingfisher,
                )
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
