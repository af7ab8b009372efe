"""What all sections are made of: figures in words, tables, pictures with their tables, and legends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from ..model import Design, Report, Sample
from ..plots.markup import Markup, element, join
from .saying import say_count, say_octets, say_seconds, say_share

__all__ = [
    "NOT_MEASURED",
    "Column",
    "count",
    "exactly",
    "figure",
    "how_it_was_run",
    "legend",
    "name_of",
    "octets",
    "paragraphs",
    "seconds",
    "section",
    "share",
    "spread",
    "table",
]

NOT_MEASURED: Final = "not measured"

_BEFORE_UNIT: Final = re.compile(r"(?<=[0-9]) (?=(?:ns|µs|ms|s|min|h|d|[kMGTP]?B|%)(?![^\W_]))")

_EXACT: Final = 2**53
_FAMILIES: Final = {
    "coatcheck": "Coatcheck",
    "session": "opaque ID, looked up",
    "signed": "signed token",
    "encrypted": "encrypted token",
    "revocation": "ways to end access",
}


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        name: What is in it.
        words: Whether it has words rather than numbers.
    """

    name: str
    words: bool = False


def seconds(value: float | None) -> Markup:
    """Return a cell with a duration, or that it was not measured."""
    return _cell(say_seconds, value)


def octets(value: float | None) -> Markup:
    """Return a cell with a size."""
    return _cell(say_octets, value)


def exactly(value: int) -> Markup:
    """Return a cell with a whole number, not rounded."""
    return element("data", f"{value:,}", value=repr(value))


def count(value: float | None) -> Markup:
    """Return a cell with a number."""
    return _cell(say_count, value)


def share(value: float | None) -> Markup:
    """Return a cell with a fraction as a percentage."""
    return _cell(say_share, value)


def spread(sample: Sample | None) -> tuple[Markup, Markup, Markup, Markup]:
    """Return four cells: the median, both quartiles, the 99th percentile and the noise."""
    if sample is None:
        return seconds(None), seconds(None), seconds(None), share(None)
    quartiles = join((seconds(sample.first_quartile), " to ", seconds(sample.third_quartile)))
    return seconds(sample.median), quartiles, seconds(sample.p99), share(sample.noise)


def name_of(report: Report, design: str) -> Design:
    """Return the design; one that the report does not explain is called by its ``id``."""
    try:
        return report.design(design)
    except KeyError:
        return Design(id=design, name=design, meaning="", family="revocation")


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, titled: bool = True
) -> Markup:
    """Return a table that scrolls sideways where it is too wide. The first cell of a row is its heading.

    Args:
        caption: What it shows.
        columns: What is in its columns.
        rows: Cells, as many as columns.
        titled: Whether the caption is to be seen; a heading right before it may say enough.
    """
    head = [element("th", column.name, scope="col", class_=_class(column)) for column in columns]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", class_="words"),
            *(
                element("td", cell, class_=_class(column))
                for cell, column in zip(row[1:], columns[1:], strict=True)
            ),
        )
        for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption, class_=None if titled else "unseen"),
            element("thead", element("tr", *head)),
            element("tbody", *body),
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex="0",
    )


def figure(pictures: Sequence[Markup], *, caption: str, before: str = "", after: str = "") -> Markup:
    """Return a picture with what is said above it, and the caption below it.

    Args:
        pictures: It twice, for wide and for narrow pages; the style shows one of them.
        caption: What one has to know to read it.
        before: Markup above it: its legend.
        after: Markup below it.
    """
    return element("figure", before, *pictures, element("figcaption", caption), after, class_="card")


def legend(report: Report, families: Sequence[str], marks: Sequence[tuple[str, str]] = ()) -> Markup:
    """Return what the colours and the marks mean.

    Args:
        report: Not all families are in every one.
        families: Those in the picture, with repetitions, in the order of its rows.
        marks: Class and meaning of each mark.
    """
    shown = [family for family in _FAMILIES if family in families]
    items = [
        element("li", element("span", "", class_=f"swatch {family}", aria_hidden="true"), _FAMILIES[family])
        for family in shown
        if len(shown) > 1
    ]
    items += [
        element("li", element("span", "", class_=f"key {name}", aria_hidden="true"), text)
        for name, text in marks
    ]
    return element("ul", *items, class_="legend") if items else Markup()


def section(identity: str, title: str, *, lead: Sequence[str], parts: Sequence[str]) -> Markup:
    """Return a section of the page.

    Args:
        identity: By which the contents lead to it.
        title: Its heading.
        lead: What its figures say, sentence by sentence.
        parts: What follows.
    """
    return element(
        "section",
        element("h2", title, id=f"{identity}-heading"),
        element("p", " ".join(lead), class_="lead") if lead else "",
        *parts,
        id=identity,
        aria_labelledby=f"{identity}-heading",
    )


def how_it_was_run(caption: str, rows: Sequence[tuple[str, str]]) -> Markup:
    """Return what was run for each design, folded up; designs for which it was the same share a row."""
    names: dict[str, list[str]] = {}
    for name, how in rows:
        names.setdefault(how, []).append(name)
    columns = [Column("Designs", words=True), Column("What was run", words=True)]
    body = [(", ".join(found), how) for how, found in names.items()]
    return element("details", element("summary", caption), table(caption, columns, body, titled=False))


def paragraphs(texts: Sequence[str]) -> Markup:
    """Return a list of sentences. A number and its unit stay on one line."""
    kept = [_BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text) for text in texts]
    return element("ul", *(element("li", text) for text in kept), class_="sentences")


def _cell(say: Callable[[float], str], value: float | None) -> Markup:
    if value is None or not math.isfinite(value):
        return element("span", NOT_MEASURED, class_="none")
    # The same report gives the same page, whether its 60 was read from a file as 60 or as 60.0.
    exact = int(value) if value == int(value) and abs(value) < _EXACT else value
    return element("data", say(value), value=repr(exact))


def _class(column: Column) -> str:
    return "words" if column.words else "number"
