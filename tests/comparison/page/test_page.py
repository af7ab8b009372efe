"""The page: one file that loads nothing, with every figure of the report, and nothing of it believed."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coatcheck.comparison.model import ClaimSize, Report, Sample, Window
from coatcheck.comparison.page import render
from coatcheck.comparison.page.saying import say_octets, say_seconds, say_share
from coatcheck.comparison.plots.markup import visible
from tests.comparison.page.sample import made_up_report, sample_of

HOSTILE = (
    '"><script>alert(1)</script>',
    "</style></svg></title><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "' onload='alert(1)",
    "]]><!--",
    "&lt;script&gt;",
    "a\u202eb\u0000\ud800c",
    "M" * 5_000,
)
REPORT = made_up_report()
# Nothing that a browser would fetch, run or send. Where the icon is, it is in the file.
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav", "section"),
    *("h1", "h2", "p", "ul", "ol", "li", "a", "span", "strong", "data", "bdi", "figure", "figcaption", "div"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("svg", "g", "path", "rect", "circle", "text", "desc"),
}


def parse(page: str) -> ET.Element:
    assert page.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - our own output


def text_of(element: ET.Element | None) -> str:
    assert element is not None
    return "".join(element.itertext())


def table_of(page: ET.Element, caption: str) -> list[ET.Element]:
    """Return the rows of a table's body."""
    found = [each for each in page.iter("table") if text_of(each.find("caption")) == caption]
    assert len(found) == 1, caption
    return list(found[0].iterfind("tbody/tr"))


def figures_in(row: ET.Element) -> list[float]:
    return [float(data.attrib["value"]) for data in row.iter("data")]


@pytest.fixture(scope="module")
def page() -> ET.Element:
    return parse(render(REPORT))


def test_the_same_report_gives_the_same_page() -> None:
    assert render(REPORT) == render(made_up_report())
    again = msgspec.json.decode(msgspec.json.encode(REPORT), type=Report)
    assert render(again) == render(REPORT)


def test_the_page_allows_itself_nothing_but_its_own_style(page: ET.Element) -> None:
    head = page.find("head")
    assert head is not None
    policy = {meta.attrib.get("http-equiv"): meta.attrib.get("content") for meta in head.iter("meta")}
    digest = base64.b64encode(hashlib.sha256(text_of(head.find("style")).encode()).digest()).decode()
    assert policy["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    names = [element.tag for element in head]
    assert names.index("meta") < names.index("style")


def test_nothing_in_the_page_comes_from_elsewhere(page: ET.Element) -> None:
    assert {element.tag for element in page.iter()} <= ELEMENTS
    for element in page.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in {"src", "style", "srcset", "action", "ping"}
            assert (
                name != "href"
                or value.startswith("#")
                or (element.tag == "link" and value.startswith("data:image/"))
            )
    style = text_of(page.find("head/style"))
    assert not re.search(r"url\(|@import|@font-face|expression|://", style)
    assert "://" not in re.sub(r"--store [a-z]+://", "", text_of(page.find("body")))


def test_every_link_leads_somewhere_and_every_name_is_given_once(page: ET.Element) -> None:
    names = [element.attrib["id"] for element in page.iter() if "id" in element.attrib]
    assert len(names) == len(set(names))
    for element in page.iter():
        for attribute in ("href", "aria-labelledby"):
            if element.tag != "link":
                for name in element.attrib.get(attribute, "").removeprefix("#").split():
                    assert name in names


def test_headings_are_in_order_and_each_picture_says_what_it_shows(page: ET.Element) -> None:
    assert [element.tag for element in page.iter() if element.tag in {"h1", "h2"}].count("h1") == 1
    assert [text_of(element) for element in page.iter("h2")] == [
        "In short",
        "What travels with every request",
        "What a check costs",
        "How long it still works after the sign-out",
        "How long a role that was taken away still counts",
        "Cost against window",
        "How it was measured",
        "What was not measured",
        "The claims",
        "What the names mean",
    ]
    pictures = [svg for svg in page.iter("svg") if svg.attrib.get("role") == "img"]
    assert len(pictures) == 2 * 6
    for svg in pictures:
        assert [child.tag for child in svg][:2] == ["title", "desc"]
        assert len(text_of(svg.find("desc"))) > 20
    # What is not a picture is not read out.
    assert all("aria-hidden" in svg.attrib for svg in page.iter("svg") if svg not in pictures)


def test_each_section_with_a_picture_has_its_figures_in_a_table_beneath(page: ET.Element) -> None:
    for section in page.iter("section"):
        inside = [element.tag for element in section.iter()]
        if "figure" in inside:
            assert "table" in inside[inside.index("figcaption") :]


def test_sizes_in_the_table_are_those_of_the_report(page: ET.Element) -> None:
    rows = table_of(page, "Sizes, at 250 requests a second")
    names = {design.id: design.name for design in REPORT.designs}
    expected = {
        names[size.design]: [
            *(size.credential_octets, size.line_octets, size.month_octets, size.times_opaque),
            *(size.cookie_octets, size.cookie_share, size.headers_share),
        ]
        for size in REPORT.sizes
    }
    assert {text_of(row.find("th")): figures_in(row) for row in rows} == expected


def five(sample: Sample) -> list[float]:
    return [sample.median, sample.first_quartile, sample.third_quartile, sample.p99, sample.noise]


def test_costs_in_the_tables_are_those_of_the_report(page: ET.Element) -> None:
    rows = table_of(page, "Time for one check")
    assert [figures_in(row) for row in rows] == [
        [*five(check.warm), *five(check.first_seen)] for check in REPORT.checks
    ]
    rows = table_of(page, "What checks mean for a machine")
    for row, check in zip(rows, REPORT.checks, strict=True):
        assert figures_in(row)[:3] == [check.per_second_per_core, check.cores, check.first_seen_cores]
    rows = table_of(page, "Look-ups in stores")
    for row, store in zip(rows, REPORT.stores, strict=True):
        cold = [] if store.cold is None else [store.cold.median]
        assert figures_in(row) == ([] if store.warm is None else [store.rows, *five(store.warm), *cold])


@pytest.mark.parametrize("which", ["windows", "staleness"])
def test_windows_in_the_tables_are_those_of_the_report(page: ET.Element, which: str) -> None:
    windows: tuple[Window, ...] = getattr(REPORT, which)
    captions = {
        "windows": "From the order to the first refusal",
        "staleness": "From taking the role to the first answer without it",
    }
    for row, window in zip(table_of(page, captions[which]), windows, strict=True):
        bounds = [
            bound for bound in (window.longest, window.lifetime, window.accepted_after) if bound is not None
        ]
        assert figures_in(row) == [*([] if window.sample is None else five(window.sample)), *bounds]


def test_a_figure_in_words_is_the_figure(page: ET.Element) -> None:
    rows = table_of(page, "Time for one check")
    said = [text_of(data) for data in rows[0].iter("data")][:5]
    warm = REPORT.checks[0].warm
    assert said == [
        *(say_seconds(each) for each in (warm.median, warm.first_quartile, warm.third_quartile, warm.p99)),
        say_share(warm.noise),
    ]
    assert say_octets(4.1e9) == "4.1\N{NO-BREAK SPACE}GB"


def test_what_was_not_measured_is_said_with_its_reason(page: ET.Element) -> None:
    rows = [[text_of(cell) for cell in row] for row in table_of(page, "Not measured")]
    assert rows == [
        ["Look-up: Redis", "no address was given"],
        ["After the sign-out: Denylist in Redis", "no address was given"],
        ["Permissions: Denylist in Redis", "no address was given"],
    ]


def test_a_first_check_that_was_left_out_is_said_too() -> None:
    checks = tuple(msgspec.structs.replace(check, new_process=None) for check in REPORT.checks[:2])
    report = msgspec.structs.replace(REPORT, checks=checks)
    rows = [text_of(row.find("th")) for row in table_of(parse(render(report)), "Not measured")]
    assert rows[-1] == "First check in a new process: Opaque ID, JWT, HS256"


class Seen(HTMLParser):
    """What a browser sees: the elements, and the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def poisoned(text: str) -> Report:
    """Return the report with a text in every place where one can be."""
    structs = msgspec.structs.replace
    return structs(
        REPORT,
        machine=structs(
            REPORT.machine,
            cpu=text,
            system=text,
            python=text,
            versions={text: text},
            command=text,
            measured_at=text,
        ),
        claims=structs(
            REPORT.claims, claims=(ClaimSize(name=text, octets=9, kind=text, given=True, personal=text),)
        ),
        designs=tuple(structs(design, name=text, meaning=text) for design in REPORT.designs),
        summary=(text,),
        checks=tuple(structs(check, how=text) for check in REPORT.checks),
        stores=tuple(
            structs(store, name=text, place=text, reason=text, version=text) for store in REPORT.stores
        ),
        windows=tuple(structs(window, how=text, reason=text) for window in REPORT.windows),
        limits=tuple(structs(limit, name=text, counts=text, source=text) for limit in REPORT.limits),
        noise=structs(REPORT.noise, verdict=text),
        notes=(text,),
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_the_report_becomes_markup(text: str) -> None:
    page = render(poisoned(text))
    page.encode()
    usual, seen = Seen(), Seen()
    usual.feed(render(REPORT))
    seen.feed(page)
    assert seen.tags <= usual.tags
    assert seen.attributes <= usual.attributes
    parsed = parse(page)
    claims = table_of(parsed, "Claims, without their values")
    assert text_of(claims[0].find("th")) == visible(text)


@settings(max_examples=8)
@given(st.text(st.characters(), max_size=50))
def test_any_text_leaves_the_page_well_formed(text: str) -> None:
    parse(render(poisoned(text)))


def nothing_of(report: Report) -> Report:
    return msgspec.structs.replace(
        report,
        summary=(),
        sizes=(),
        checks=(),
        stores=(),
        windows=(),
        staleness=(),
        limits=(),
        notes=(),
        designs=(),
    )


def test_a_report_without_figures_is_a_page_still() -> None:
    empty = nothing_of(REPORT)
    noise = msgspec.structs.replace(empty.noise, yardstick=sample_of([0.0]))
    quiet = msgspec.structs.replace(
        noise, yardstick=msgspec.structs.replace(noise.yardstick, figures=(), rounds=())
    )
    page = parse(render(msgspec.structs.replace(empty, noise=quiet)))
    assert [text_of(element) for element in page.iter("h2")] == [
        "In short",
        "How it was measured",
        "What was not measured",
        "The claims",
    ]
    assert "Nothing that this report could show." in text_of(page)


def test_windows_that_nobody_measured_are_a_page_too() -> None:
    windows = tuple(
        msgspec.structs.replace(each, sample=None, basis="not measured") for each in REPORT.windows
    )
    page = parse(render(msgspec.structs.replace(REPORT, windows=windows, staleness=windows)))
    assert "None of the designs was measured in this run." in text_of(page)
    assert "Cost against window" not in [text_of(element) for element in page.iter("h2")]


@pytest.mark.parametrize("odd", [0.0, -1.0, math.nan, math.inf, 5e-324, 1e300], ids=str)
def test_odd_figures_are_no_reason_to_fail(odd: float) -> None:
    sample = Sample(
        count=1,
        calls=1,
        minimum=odd,
        first_quartile=odd,
        median=odd,
        third_quartile=odd,
        p99=odd,
        maximum=odd,
        noise=odd,
        rounds=(odd,),
        figures=(odd,),
    )
    structs = msgspec.structs.replace
    report = structs(
        REPORT,
        checks=tuple(structs(check, warm=sample, first_seen=sample, cores=odd) for check in REPORT.checks),
        windows=tuple(structs(each, sample=sample, longest=odd, lifetime=odd) for each in REPORT.windows),
        noise=structs(REPORT.noise, yardstick=sample, drift=odd),
    )
    parse(render(report))


def test_a_design_that_the_report_does_not_explain_is_called_by_its_id() -> None:
    page = parse(render(msgspec.structs.replace(REPORT, designs=REPORT.designs[1:])))
    assert "opaque-id" in [text_of(row.find("th")) for row in table_of(page, "Time for one check")]
