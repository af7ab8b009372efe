"""What a check costs against how long a revoked credential still works: both in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ..designs import OWN_COOKIE, OWN_TOKEN
from ..model import Report, Sample, Window
from ..plots.markup import Markup, element, join
from ..plots.scatter import Point, ScatterPlot, draw_scatter
from .parts import Column, figure, legend, name_of, seconds, section, table
from .saying import say_seconds
from .wording import OWN, together

__all__ = ["Pair", "pairs_of", "trade_off_section", "unbeaten"]

_TOKEN: Final = "jwt-es256"  # noqa: S105 - the name of a design
_BY_CHECK: Final = {
    "expiry-only": _TOKEN,
    "refresh": _TOKEN,
    "ledger-process": OWN_COOKIE,
    "ledger-services": OWN_TOKEN,
}
"""Which check each way of ending access needs with every request, where it has none of its own name."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One design in both disciplines.

    Attributes:
        window: How long it still works.
        after: Its figures.
        cost: Of the check, with each request.
        of: What the cost is made of.
    """

    window: Window
    after: Sample
    cost: Sample
    of: str


def pairs_of(report: Report) -> list[Pair]:
    """Return the designs of which both are known, in the order of the windows."""
    return [
        Pair(window=window, after=window.sample, cost=cost[0], of=cost[1])
        for window in report.windows
        if window.sample is not None and (cost := _cost(report, window.design)) is not None
    ]


def unbeaten(pairs: Sequence[Pair]) -> list[Pair]:
    """Return those that no other beats in one discipline without losing to it in the other, by the medians."""
    return [pair for pair in pairs if not any(_beats(other, pair) for other in pairs)]


def trade_off_section(report: Report) -> Markup:
    """Return the section on both; nothing if there are not two designs of which both are known."""
    pairs = pairs_of(report)
    if len(pairs) < 2:
        return Markup()
    plot = _plot(report, pairs)
    wide, missing = draw_scatter(plot, narrow=False)
    narrow, _ = draw_scatter(plot, narrow=True)
    unnamed = f" There was no room to name {together(missing)}." if missing else ""
    return section(
        "both",
        "Cost against window",
        lead=_lead(report, pairs),
        parts=(
            figure(
                (wide, narrow),
                before=legend(
                    report,
                    [point.family for point in plot.points],
                    (("ring", "by the medians, nothing beats it in both"),),
                ),
                caption="Further left is cheaper, further down ends sooner. Both axes are logarithmic. Thick bars are "
                f"quartiles; thin ones go from the least to the 99th percentile.{unnamed}",
                after=_numbers(plot),
            ),
            _table(report, pairs),
            _left_out(report, pairs),
        ),
    )


def _numbers(plot: ScatterPlot) -> Markup:
    """Return what the numbers mean that stand on narrow pages in place of names."""
    return element("ol", *(element("li", point.tip) for point in plot.points), class_="only-narrow")


def _beats(one: Pair, other: Pair) -> bool:
    """Return whether one is no worse in both and better in at least one."""
    first = (one.cost.median, one.after.median)
    second = (other.cost.median, other.after.median)
    return first != second and first[0] <= second[0] and first[1] <= second[1]


def _cost(report: Report, way: str) -> tuple[Sample, str] | None:
    """Return what a check costs in a design, and what that is made of; ``None`` if it was not measured."""
    checks = {check.design: check.warm for check in report.checks}
    stores = {store.store: store.warm for store in report.stores}
    direct = way if way in checks else _BY_CHECK.get(way)
    if direct is not None:
        return (checks[direct], f"check of {name_of(report, direct).name}") if direct in checks else None
    kind, _, store = way.partition("-")
    look_up = next((sample for name, sample in stores.items() if name == store), None)
    if look_up is None:
        return None
    if kind == "session":
        return look_up, "one look-up"
    if kind == "denylist" and _TOKEN in checks:
        return _added(checks[_TOKEN], look_up), f"check of {name_of(report, _TOKEN).name}, and one look-up"
    return None


def _added(one: Sample, other: Sample) -> Sample:
    """Return the sum of two: the medians add up well enough, and the ends are on the safe side."""
    return msgspec.structs.replace(
        one,
        minimum=one.minimum + other.minimum,
        first_quartile=one.first_quartile + other.first_quartile,
        median=one.median + other.median,
        third_quartile=one.third_quartile + other.third_quartile,
        p99=one.p99 + other.p99,
        maximum=one.maximum + other.maximum,
        noise=max(one.noise, other.noise),
        rounds=(),
        figures=(),
    )


def _lead(report: Report, pairs: Sequence[Pair]) -> list[str]:
    best = unbeaten(pairs)
    named = [
        f"{name_of(report, pair.window.design).name} ({say_seconds(pair.cost.median)} a check, "
        f"{say_seconds(pair.after.median)} to refuse)"
        for pair in best
    ]
    usual = "The usual choice is between a check that is cheap and an end that comes soon."
    sentences = [
        usual,
        f"By the medians of this run, nothing is both cheaper and sooner than {together(named)}.",
    ]
    for pair in pairs:
        design = name_of(report, pair.window.design)
        if design.family == OWN and pair not in best:
            winners = [name_of(report, other.window.design).name for other in pairs if _beats(other, pair)]
            which = "which is" if len(winners) == 1 else "which are"
            sentences.append(
                f"{design.name} is beaten by {together(winners)}, {which} neither dearer nor later."
            )
    return sentences


def _plot(report: Report, pairs: Sequence[Pair]) -> ScatterPlot:
    best = [pair.window.design for pair in unbeaten(pairs)]
    points = [_point(report, pair, ringed=pair.window.design in best) for pair in pairs]
    points.sort(key=lambda point: (not point.ringed, point.y.median))  # who has no room for a name comes last
    return ScatterPlot(
        id="both",
        title="Cost of a check against the time that a revoked credential still works, by design",
        description="; ".join(point.tip for point in points) + ".",
        x_axis="time for one check, with each request \N{RIGHTWARDS ARROW}",
        y_axis="\N{UPWARDS ARROW} time that a revoked credential still works",
        points=tuple(points),
    )


def _point(report: Report, pair: Pair, *, ringed: bool) -> Point:
    design = name_of(report, pair.window.design)
    tip = f"{design.name}: {say_seconds(pair.cost.median)} a check, refused after {say_seconds(pair.after.median)}"
    return Point(label=design.name, family=design.family, x=pair.cost, y=pair.after, tip=tip, ringed=ringed)


def _table(report: Report, pairs: Sequence[Pair]) -> Markup:
    names = ("A check: median", "quartiles", "99 %", "Still works: median", "quartiles", "99 %")
    columns = [Column("Design", words=True), *map(Column, names), Column("The cost is that of", words=True)]
    rows = [
        (name_of(report, pair.window.design).name, *_figures(pair.cost), *_figures(pair.after), pair.of)
        for pair in pairs
    ]
    return table("Cost and window", columns, rows)


def _figures(sample: Sample) -> tuple[Markup, Markup, Markup]:
    quartiles = join((seconds(sample.first_quartile), " to ", seconds(sample.third_quartile)))
    return seconds(sample.median), quartiles, seconds(sample.p99)


def _left_out(report: Report, pairs: Sequence[Pair]) -> Markup:
    there = {pair.window.design for pair in pairs}
    names = [name_of(report, window.design).name for window in report.windows if window.design not in there]
    if not names:
        return Markup()
    text = f"Not in this picture, because cost or window was not measured: {together(names)}."
    return element("p", text, class_="aside")
