"""The page in a real browser: nothing is cut off, no text touches another, and nothing is complained of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from coatcheck.comparison.page import render
from tests.chromium import launched
from tests.comparison.page.sample import made_up_report

SCREENS: list[tuple[str, int, Literal["light", "dark"]]] = [
    ("desk", 1280, "light"),
    ("desk-dark", 1280, "dark"),
    ("tablet", 760, "light"),
    ("phone", 390, "light"),
    ("phone-dark", 390, "dark"),
]

# Texts of the pictures that are shown: which touch another, or leave their picture; a pixel is forgiven.
MISPLACED = """() => {
  const wrong = [];
  const touch = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 2 && other.top < one.bottom - 2;
  for (const plot of document.querySelectorAll("svg.plot")) {
    const frame = plot.getBoundingClientRect();
    if (frame.width === 0) continue;
    const boxes = [...plot.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([text, box], index) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) wrong.push(text);
      for (const [other, its] of boxes.slice(index + 1)) {
        if (touch(box, its)) wrong.push(text + " | " + other);
      }
    });
  }
  return wrong;
}"""

# Text and ground, as a browser has worked them out: whether the ground changes with the scheme.
GROUND = "() => getComputedStyle(document.body).backgroundColor"
HUES = "() => [...document.querySelectorAll('svg.plot .fill')].map(each => getComputedStyle(each).fill)"
SHOWN = """() => [...document.querySelectorAll("svg.plot")]
  .filter(each => each.clientWidth).map(each => [...each.classList])"""
REACHABLE = """() => [...document.querySelectorAll(".scroll")]
  .every(each => each.tabIndex === 0 && each.getAttribute("aria-label"))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(made_up_report()), encoding="utf-8")
    return Path(file).as_uri()


@pytest.mark.parametrize("name, width, scheme", SCREENS, ids=[screen[0] for screen in SCREENS])
def test_the_page_is_whole_on_every_screen(
    browser: Browser, address: str, *, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(MISPLACED) == []
    shown = page.evaluate(SHOWN)
    assert len(shown) == 6
    assert all(("narrow" if width < 720 else "wide") in classes for classes in shown)
    assert page.evaluate(GROUND) == ("rgb(245, 247, 246)" if scheme == "light" else "rgb(16, 20, 19)")
    assert ("rgb(18, 115, 91)" if scheme == "light" else "rgb(95, 211, 172)") in page.evaluate(HUES)
    assert complaints == []
    assert [request for request in requests if not request.startswith("data:")] == [address]
    context.close()


def test_paper_is_white_and_has_everything(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(address)
    page.emulate_media(media="print", color_scheme="dark")
    assert (
        page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--card').trim()")
        == "#ffffff"
    )
    assert page.evaluate("document.querySelector('details .scroll').getBoundingClientRect().height") > 0
    assert page.evaluate("document.querySelector('svg.plot.wide').getBoundingClientRect().width") > 0
    assert page.evaluate("document.querySelector('svg.plot.narrow').getBoundingClientRect().width") == 0
    assert page.locator("nav").is_hidden()
    context.close()


def test_tables_that_scroll_can_be_reached_with_the_keyboard(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address)
    assert page.evaluate(REACHABLE)
    context.close()
