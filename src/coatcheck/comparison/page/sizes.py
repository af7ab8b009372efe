"""How many octets a credential adds to each request, and which limits it comes near."""

from __future__ import annotations

from typing import Final

from ..model import Limit, Report, Size
from ..plots.marks import Bar
from ..plots.markup import Markup
from ..plots.rows import Row, RowPlot, Threshold, draw_rows
from .parts import Column, count, exactly, figure, legend, name_of, octets, section, share, table
from .saying import say_count, say_octets, say_share
from .wording import Entry, best_of, order_of, own_against_others, times, together

__all__ = ["sizes_section"]

_CARRIERS: Final = {"cookie": "Cookie", "authorization": "Authorization"}


def sizes_section(report: Report) -> Markup:
    """Return the section on sizes; nothing if the report has none."""
    if not report.sizes:
        return Markup()
    ordered = sorted(report.sizes, key=lambda size: size.line_octets)
    plot = _plot(report, ordered)
    return section(
        "size",
        "What travels with every request",
        lead=_lead(report, ordered),
        parts=(
            figure(
                (draw_rows(plot, narrow=False), draw_rows(plot, narrow=True)),
                before=legend(report, [name_of(report, size.design).family for size in ordered]),
                caption="Each bar is a whole header line of HTTP/1.1, with its name. These are counted, so there is no "
                "error bar. Dashed lines are limits; what counts against each of them is in the table.",
            ),
            _table(report, ordered),
            _limits(report),
        ),
    )


def _lead(report: Report, ordered: list[Size]) -> list[str]:
    found = order_of([_entry(report, size) for size in ordered])
    first, last, best = ordered[0], ordered[-1], best_of(found)
    smallest = f"{'The smallest is' if len(best) == 1 else 'The smallest are'} {together([each.name for each in best])}"
    ratio = times(last.line_octets / max(first.line_octets, 1))
    rate = say_count(report.load.requests_per_second)
    month = say_octets(last.month_octets)
    sentences = [
        f"{smallest} with {say_octets(first.line_octets)} in each request.",
        f"The largest is {found[-1].name} with {say_octets(last.line_octets)}, {ratio} as much.",
        f"At {rate} requests a second that is {say_octets(first.month_octets)} a month against {month}.",
    ]
    for limit in report.limits:
        over = [name_of(report, use.design).name for use in limit.uses if use.verdict == "exceeds"]
        if over:
            sentences.append(
                f"{together(over)} {'exceeds' if len(over) == 1 else 'exceed'} a limit: {limit.name}."
            )
    return [*sentences, own_against_others(found, say_octets, verb="takes", measured=False)]


def _entry(report: Report, size: Size) -> Entry:
    design, value = name_of(report, size.design), size.line_octets
    return Entry(name=design.name, family=design.family, middle=value, low=value, high=value)


def _plot(report: Report, ordered: list[Size]) -> RowPlot:
    rows = []
    for size in ordered:
        design = name_of(report, size.design)
        values = say_octets(size.line_octets), say_octets(size.month_octets)
        tip = f"{design.name}: {values[0]} a request, {values[1]} a month"
        rows.append(
            Row(
                label=design.name,
                family=design.family,
                marks=(Bar(value=size.line_octets),),
                values=values,
                tip=tip,
            )
        )
    return RowPlot(
        id="sizes",
        title="Octets per request and per month, by design",
        description="; ".join(row.tip for row in rows) + ".",
        unit="octets",
        axis="octets in each request",
        columns=("a request", "a month"),
        rows=tuple(rows),
        thresholds=_thresholds(report),
        lane=26.0,
    )


def _thresholds(report: Report) -> tuple[Threshold, ...]:
    """Return a line for each limit that is not far beyond all bars; those that are almost equal share one."""
    largest = max([8192, *(size.line_octets for size in report.sizes)])
    near: list[list[Limit]] = []
    for limit in sorted(report.limits, key=lambda limit: limit.octets):
        if limit.octets > largest * 1.25:
            continue
        if near and limit.octets <= near[-1][0].octets * 1.02:
            near[-1].append(limit)
        else:
            near.append([limit])
    return tuple(Threshold(value=limits[0].octets, label=_label(limits)) for limits in near)


def _label(limits: list[Limit]) -> str:
    more = f" and {len(limits) - 1} more" if len(limits) > 1 else ""
    return f"{limits[0].octets:,} B: {limits[0].name}{more}"


def _table(report: Report, ordered: list[Size]) -> Markup:
    columns = [
        Column("Design", words=True),
        Column("Header", words=True),
        *map(
            Column,
            (
                "Credential",
                "Whole line",
                "A month",
                "Times the opaque ID",
                "As a cookie",
                "Of 4096",
                "Of 8192",
            ),
        ),
    ]
    rows = [
        (
            name_of(report, size.design).name,
            _CARRIERS[size.carrier],
            octets(size.credential_octets),
            octets(size.line_octets),
            octets(size.month_octets),
            count(size.times_opaque),
            octets(size.cookie_octets),
            share(size.cookie_share),
            share(size.headers_share),
        )
        for size in ordered
    ]
    return table(f"Sizes, at {say_count(report.load.requests_per_second)} requests a second", columns, rows)


def _limits(report: Report) -> Markup:
    if not report.limits:
        return Markup()
    columns = [
        Column("Limit", words=True),
        Column("Octets"),
        *(Column(name, words=True) for name in ("What counts", "Exceeded by", "Near", "Source")),
    ]
    rows = [
        (
            limit.name,
            exactly(limit.octets),
            limit.counts,
            _uses(report, limit, "exceeds"),
            _uses(report, limit, "near"),
            limit.source,
        )
        for limit in report.limits
    ]
    return table("Limits", columns, rows)


def _uses(report: Report, limit: Limit, verdict: str) -> str:
    found = [
        f"{name_of(report, use.design).name} ({say_share(use.share)})"
        for use in limit.uses
        if use.verdict == verdict
    ]
    return together(found) or "none"
