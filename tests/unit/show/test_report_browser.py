"""The HTML report in a real browser: wide and narrow, light and dark, on paper, with hostile content, by keyboard."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from harness.browser import HEIGHT, Browser, Tab, chromium, png_bytes, png_size
from record_builders import HOSTILE, START, make_home, record_all_sorts

from agentguard.cli import main
from agentguard.record.reader import Reader
from agentguard.record.writer import Writer
from agentguard.show.report.data import gather
from agentguard.show.report.html import render_html

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="no Chromium here: the report is not looked at in a browser"),
]

DESKTOP, TABLET, TELEPHONE, PAPER = 1280, 744, 390, 672
"""Pixels; paper: what A4 has between the margins of the style sheet."""
SCRIPT = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><svg onload=alert(1)>"
VERY_LONG = SCRIPT + HOSTILE + "A" * 10_000
EVERY_LOOK = [(DESKTOP, False), (DESKTOP, True), (TABLET, False), (TELEPHONE, False), (TELEPHONE, True)]

TOO_WIDE = """
[...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > innerWidth + 0.5
    && one.getBoundingClientRect().width > 1 && !one.closest('thead')).map(one => one.outerHTML.slice(0, 200))
"""
TOO_FAINT = """
(() => {
  const light = colour => {
    const part = colour.match(/[\\d.]+/g).slice(0, 3).map(one => one / 255)
      .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement, style = getComputedStyle(one);
    if (!walk.currentNode.data.trim() || one.closest('title, desc') || !one.getClientRects().length) continue;
    const pair = [light(one.closest('svg') ? style.fill : style.color), light(behind(one))];
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    seen += 1;
    if (contrast < 4.5) found.push(contrast.toFixed(2) + ' ' + walk.currentNode.data.slice(0, 40));
  }
  return [seen, found];
})()
"""
PLACE_OF_HEADLINE = """
(one => [one.x, one.y, one.width, one.height])(document.querySelector('h1').getBoundingClientRect())
"""
HIDDEN = """
['.outcome', '.steps', '.flow', 'svg.timeline', '.tree', 'table', '.seal'].filter(name =>
    ![...document.querySelectorAll(name)].some(one => one.getBoundingClientRect().height > 20))
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


def page_of(folder: Path, name: str) -> Path:
    """The report of a session with one of everything, as a file."""
    home = make_home(folder)
    writer = Writer(home)
    writer.start()
    record_all_sorts(writer, name=name)
    writer.flush(5)
    writer.close()
    reader = Reader(home.database)
    session = reader.session("last")
    assert session is not None
    page = folder / "report.html"
    page.write_text(render_html(gather(reader, session, now_ns=START, zone=UTC)))
    reader.close()
    return page


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(tmp_path_factory.mktemp("ordinary"), "curl")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(tmp_path_factory.mktemp("hostile"), VERY_LONG)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home folder of two hostile sessions is."""
    folder = tmp_path_factory.mktemp("several")
    writer = Writer(make_home(folder))
    writer.start()
    for uid, name in (("s-all", VERY_LONG), ("s-two", HOSTILE)):
        record_all_sorts(writer, uid, name)
    writer.flush(5)
    writer.close()
    return folder


def is_sound(tab: Tab, page: Path) -> None:
    """Nothing came from elsewhere, nothing was complained of, and nothing stands out at the side."""
    assert tab.heard.requests == [page.as_uri()]
    assert tab.heard.complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize(("width", "dark"), EVERY_LOOK)
def test_it_can_be_read_on_every_screen(browser: Browser, ordinary: Path, width: int, dark: bool) -> None:
    tab = browser.open(ordinary, width, dark=dark)
    is_sound(tab, ordinary)
    assert tab.evaluate("document.styleSheets.length") == 1, "the policy admits the style sheet"
    assert tab.evaluate(HIDDEN) == []
    seen, faint = tab.evaluate(TOO_FAINT)
    assert seen > 200
    assert faint == []
    assert png_size(tab.picture(0, 0, width, HEIGHT)) == (width, HEIGHT)
    beside = sum(png_bytes(tab.picture(2, 200, 1, 1))[1:4])
    assert beside < 200 if dark else beside > 700, "red, green and blue of one pixel beside the text"
    place = tab.evaluate(PLACE_OF_HEADLINE)
    drawn = png_bytes(tab.picture(*place))
    assert sum(map(bool, drawn)) > len(drawn) / 50, "the headline is painted"
    tab.close()


@pytest.mark.parametrize("width", [TABLET, TELEPHONE])
@pytest.mark.parametrize(
    "words",
    [("report", "--since", "2026-01-01"), ("compare", "s-all", "s-two", "--format", "html")],
    ids=["range", "two"],
)
def test_pages_of_several_sessions_are_as_sound(
    browser: Browser, several: Path, words: tuple[str, ...], width: int
) -> None:
    page = several / f"{words[0]}.html"
    assert main([*words, "--home", str(several / "home"), "-o", str(page)]) == 0
    tab = browser.open(page, width, dark=width == TELEPHONE)
    is_sound(tab, page)
    assert tab.evaluate(TOO_FAINT)[1] == []
    assert tab.evaluate("document.title").startswith("▲ LEAKED")
    assert tab.evaluate("document.querySelectorAll('script, img, iframe, object, [onload], [style]').length") == 0
    tab.close()


@pytest.mark.parametrize("width", [DESKTOP, TABLET, TELEPHONE])
def test_hostile_names_do_nothing_in_a_browser(browser: Browser, hostile: Path, width: int) -> None:
    tab = browser.open(hostile, width)
    is_sound(tab, hostile)
    title = tab.evaluate("document.title")
    assert title.startswith("▲ LEAKED: <script>document.title='ran'</script>")
    assert (
        tab.evaluate("document.querySelectorAll('script, img, iframe, object, [onload], [onerror], [style]').length")
        == 0
    )
    text = tab.evaluate("document.body.innerText")
    assert "<script>document.title='ran'</script>" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", text + title)
    tab.close()


def test_the_policy_of_the_page_stops_what_should_ever_get_in(browser: Browser, ordinary: Path) -> None:
    tab = browser.open(ordinary, DESKTOP)
    tab.evaluate(
        """
        for (const [name, key, value] of [
            ['script', 'textContent', 'document.title = "ran"'],
            ['img', 'src', 'data:image/gif;base64,R0lGODlhAQABAAAAACw='],
            ['style', 'textContent', 'h1{display:none}']]) {
          const one = document.createElement(name);
          one[key] = value;
          document.body.append(one);
        }
        """
    )
    assert tab.evaluate("document.title").startswith("▲ LEAKED: curl")
    assert tab.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"
    assert tab.evaluate("fetch('data:,x').then(() => 'fetched', () => 'refused')") == "refused"
    assert sum("Content Security Policy" in words for words in tab.heard.complaints) >= 4
    tab.close()


def test_paper_has_all_of_it(browser: Browser, ordinary: Path) -> None:
    tab = browser.open(ordinary, PAPER, dark=True, media="print")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", (
        "dark is for screens"
    )
    assert tab.evaluate("document.querySelector('details table').getBoundingClientRect().height > 20"), (
        "nothing is folded"
    )
    assert "(https://platform.openai.com/" in tab.evaluate(
        "getComputedStyle(document.querySelector('.steps a'), '::after').content"
    )
    pages = len(re.findall(rb"/Type\s*/Page\b", tab.pdf()))
    assert 2 <= pages <= 12
    tab.close()


def test_a_keyboard_gets_through(browser: Browser, ordinary: Path) -> None:
    tab = browser.open(ordinary, DESKTOP)
    stops = []
    for _ in range(3):
        tab.press("Tab")
        stops.append(tab.evaluate("document.activeElement.getAttribute('href')"))
        assert tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0"), "what has the focus is seen"
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert stops == ["#outcome", "#next", "#flows"]
    tab.close()


def test_the_picture_of_the_readme_shows_what_is_there_now(
    browser: Browser, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location(
        "report_picture", repository / "scripts" / "lib" / "report_picture.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made, kept = script.picture(browser, tmp_path), (repository / "scripts" / "report.png").read_bytes()
    assert len(kept) < 200_000
    assert png_size(made)[0] == png_size(kept)[0] == 1040
    assert png_size(made)[1] == pytest.approx(png_size(kept)[1], rel=0.2), "fonts differ, what it shows does not"
