"""Make the README's picture of a report: `scripts/report-picture [FILE.png]` (default: scripts/report.png).

The picture is the real report of a synthetic session, as Chromium shows it on a desktop in light colours.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.browser import Browser

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "tui")]

WIDTH = 1040
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <match target="pattern">
    <test name="family" compare="not_eq" qual="all"><string>DejaVu Sans Mono</string></test>
    <edit name="family" mode="prepend_first" binding="strong">
      <string>Inter</string><string>Cantarell</string><string>Noto Sans</string><string>Liberation Sans</string>
    </edit>
  </match>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""
"""The fonts of a desktop, where they are: what a bare machine takes for its system's font is made for consoles."""
LAST_SHOWN = "document.querySelector('.flow').getBoundingClientRect().bottom"
"""The picture ends below the first flow; CSS pixels."""
MARGIN = 24


def page(folder: Path) -> Path:
    """The report of the session that the dashboard's picture shows, after its end."""
    import tui_sample  # noqa: PLC0415  (the path is set above)

    from agentguard.record.reader import Reader  # noqa: PLC0415
    from agentguard.show.report.data import gather  # noqa: PLC0415
    from agentguard.show.report.html import render_html  # noqa: PLC0415

    reader = Reader(tui_sample.fill(folder / "home", live=False))
    try:
        session = reader.session("last")
        assert session is not None
        text = render_html(gather(reader, session, now_ns=tui_sample.NOW_NS, zone=UTC))
    finally:
        reader.close()
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


def picture(browser: Browser, folder: Path) -> bytes:
    """PNG. `folder`: for the session and its report."""
    tab = browser.open(page(folder), WIDTH)
    return bytes(tab.picture(0, 0, WIDTH, round(tab.evaluate(LAST_SHOWN)) + MARGIN))


def main() -> int:
    from harness.browser import Browser  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "scripts" / "report.png", metavar="FILE.png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentguard-picture-") as name:
        fonts = Path(name) / "fonts.conf"
        fonts.write_text(FONTS, encoding="utf-8")
        with Browser(Path(name) / "browser", {"FONTCONFIG_FILE": str(fonts)}) as browser:
            arguments.file.write_bytes(picture(browser, Path(name)))
    print(f"wrote {arguments.file}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
