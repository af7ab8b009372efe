"""Markup: what is not markup is escaped, whatever is in it."""

from __future__ import annotations

import math
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.comparison.plots.markup import Markup, element, escape, join, number, visible
from tests.comparison.page.pictures import read_picture

ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates and control characters as well


@given(ANY_TEXT, ANY_TEXT)
def test_text_comes_back_as_it_is_seen(content: str, attribute: str) -> None:
    read = read_picture(element("p", content, title=attribute))
    assert (read.text or "") == visible(content)
    assert read.attrib == {"title": visible(attribute)}
    assert len(read) == 0


@given(ANY_TEXT)
def test_nothing_unseen_is_left_in_a_text(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} & {unicodedata.category(letter) for letter in shown}
    shown.encode()  # no surrogate alone


def test_a_text_that_turns_its_neighbours_around_is_shown_as_what_it_is() -> None:
    assert visible("a\u202eb\u2066\n\x00\ud800 c\u00a0d") == "a\ufffdb\ufffd\ufffd\ufffd\ufffd c\u00a0d"


def test_a_browser_reads_the_same_as_a_reader_of_xml() -> None:
    seen: list[tuple[str, str]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its form
            seen.append(("start", tag))

        def handle_data(self, data: str) -> None:
            seen.append(("data", data))

    reader = Reader()
    reader.feed(
        element("p", "</p><script>alert(1)</script>", element("br"), element("span"), class_='"><img src=x>')
    )
    assert seen == [
        ("start", "p"),
        ("data", "</p><script>alert(1)</script>"),
        ("start", "br"),
        ("start", "span"),
    ]


def test_attributes_are_named_after_arguments() -> None:
    made = element("path", class_="a", stroke_width=1.5, x=-0.001, hidden=True, open=False, title=None)
    assert made == '<path class="a" stroke-width="1.5" x="0" hidden="hidden"/>'


def test_markup_is_not_escaped_again() -> None:
    assert join(("<", element("b", "&"), escape(">"))) == "&lt;<b>&amp;</b>&gt;"
    assert escape(Markup("<i>")) == "<i>"


@pytest.mark.parametrize(
    "name", ["", "a b", "a>", "1", "é"], ids=["empty", "two", "bracket", "digit", "accent"]
)
def test_names_are_names(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of an element"):
        element(name)
    with pytest.raises(ValueError, match="not the name of an attribute"):
        element("p", **{name: "x"})


def test_coordinates_are_finite_and_short() -> None:
    assert [number(value) for value in (0, 1.0, 2.126, -0.0004, 1e6)] == ["0", "1", "2.13", "0", "1000000"]
    with pytest.raises(ValueError, match="not finite"):
        number(math.nan)
