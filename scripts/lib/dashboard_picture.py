"""Make the README's picture of the dashboard: `scripts/dashboard-picture [FILE.svg]` (default: scripts/dashboard.svg).

The picture is the real dashboard over a real database that holds a synthetic session, at a frozen time: the same
every time it is made.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tui")]

WIDTH, HEIGHT = 120, 36


async def picture(width: int, height: int) -> str:
    """The live screen as SVG."""
    import tui_sample  # noqa: PLC0415  (the path is set above)
    from pilots import make_app, settle  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="agentguard-picture-") as folder:
        app = make_app(tui_sample.fill(Path(folder) / "home"))
        async with app.run_test(size=(width, height)) as pilot:
            await settle(pilot)
            return self_contained(app.export_screenshot(title="agentguard tui"))


def self_contained(svg: str) -> str:
    """Without fonts from the network, and with the same ids every time."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, DejaVu Sans Mono")
    svg = re.sub(r"terminal-\d+-", "dashboard-", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "scripts" / "dashboard.svg", metavar="FILE.svg")
    parser.add_argument("--size", default=f"{WIDTH}x{HEIGHT}", help="columns and rows (default: %(default)s)")
    arguments = parser.parse_args()
    width, height = (int(part) for part in arguments.size.split("x"))
    arguments.file.write_text(asyncio.run(picture(width, height)), encoding="utf-8")
    print(f"wrote {arguments.file}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
