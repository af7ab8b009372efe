"""What it costs to find out whom a credential stands for: checks, and look-ups in stores."""

from __future__ import annotations

import msgspec

from ..model import Check, Report, Sample, StoreLookup
from ..plots.marks import Box
from ..plots.markup import Markup, join
from ..plots.rows import Row, RowPlot, draw_rows
from .parts import (
    NOT_MEASURED,
    Column,
    count,
    figure,
    how_it_was_run,
    legend,
    name_of,
    seconds,
    section,
    spread,
    table,
)
from .saying import DASH, say_count, say_seconds
from .wording import best_of, entries, own_against_others, times, together

__all__ = ["checks_section"]

_HALF = 6.5


def checks_section(report: Report) -> Markup:
    """Return the section on costs; nothing if the report has neither checks nor look-ups."""
    if not report.checks and not report.stores:
        return Markup()
    plot = _plot(report)
    return section(
        "check",
        "What a check costs",
        lead=[*_checks_lead(report), *_stores_lead(report)],
        parts=(
            figure(
                (draw_rows(plot, narrow=False), draw_rows(plot, narrow=True)),
                before=legend(
                    report,
                    [row.family for row in plot.rows],
                    (
                        ("box", "seen before, or over an open connection"),
                        ("outline", "new, or over a new connection"),
                    ),
                ),
                caption="The axis is logarithmic: each line stands for ten times the one before. Boxes are quartiles, "
                "whiskers go from the least to the 99th percentile, and the line in a box is the median.",
            ),
            _checks_table(report) if report.checks else "",
            _capacity_table(report) if report.checks else "",
            _stores_table(report) if report.stores else "",
        ),
    )


def _checks_lead(report: Report) -> list[str]:
    warm = entries(report, {check.design: check.warm for check in report.checks})
    if not warm:
        return []
    best, last = best_of(warm), warm[-1]
    names = together([entry.name for entry in best])
    alike = "" if len(best) == 1 else " (their quartiles overlap)"
    cheapest = (
        f"Of credentials seen before, the cheapest to check: {names}{alike}, {say_seconds(best[0].middle)}."
    )
    ratio = f", {times(last.middle / best[0].middle)} as much" if best[0].middle > 0 else ""
    return [
        cheapest,
        f"The dearest: {last.name}, {say_seconds(last.middle)}{ratio}.",
        own_against_others(warm, say_seconds, verb="takes"),
    ]


def _stores_lead(report: Report) -> list[str]:
    measured = [(store.name, store.warm) for store in report.stores if store.warm is not None]
    if not measured:
        return []
    told = together([f"{say_seconds(sample.median)} in {name}" for name, sample in measured])
    return [f"To look a session up with each request takes {told}."]


def _plot(report: Report) -> RowPlot:
    ordered = sorted(report.checks, key=lambda check: check.warm.median)
    rows = [_check_row(report, check) for check in ordered]
    rows += [_store_row(store) for store in report.stores]
    return RowPlot(
        id="checks",
        title="Time for one check and for one look-up in a store, by design",
        description="; ".join(row.tip for row in rows) + ".",
        unit="seconds",
        axis="time for one, logarithmic",
        columns=("seen before", "new"),
        rows=tuple(rows),
        lane=34.0,
    )


def _check_row(report: Report, check: Check) -> Row:
    design = name_of(report, check.design)
    drawn = Row(
        label=design.name, family=design.family, group="Checking a credential", marks=(), values=(), tip=""
    )
    return _filled(drawn, warm=check.warm, new=check.first_seen)


def _store_row(store: StoreLookup) -> Row:
    drawn = Row(
        label=store.name,
        family="session",
        group="Looking a session up in a store",
        note=f"{NOT_MEASURED}: {store.reason}" if store.reason else NOT_MEASURED,
        marks=(),
        values=(),
        tip="",
    )
    return _filled(drawn, warm=store.warm, new=store.cold)


def _filled(row: Row, *, warm: Sample | None, new: Sample | None) -> Row:
    """Return the row with marks and figures: what was seen before above, what is new below."""
    marks = []
    if warm is not None:
        marks.append(Box(sample=warm, offset=-_HALF if new is not None else 0))
    if new is not None:
        marks.append(Box(sample=new, hollow=True, offset=_HALF if warm is not None else 0))
    values = (
        say_seconds(None if warm is None else warm.median),
        say_seconds(None if new is None else new.median),
    )
    tip = f"{row.label}: {values[0]} seen before, {values[1]} new, at the median"
    return msgspec.structs.replace(
        row, marks=tuple(marks), values=values, tip=tip if marks else f"{row.label}: not measured"
    )


def _checks_table(report: Report) -> Markup:
    names = ("Seen: median", "quartiles", "99 %", "noise", "New: median", "quartiles", "99 %", "noise")
    columns = [Column("Design", words=True), *map(Column, names)]
    rows = [
        (name_of(report, check.design).name, *spread(check.warm), *spread(check.first_seen))
        for check in report.checks
    ]
    how = [(name_of(report, check.design).name, check.how) for check in report.checks]
    return join((table("Time for one check", columns, rows), how_it_was_run("What was called", how)))


def _capacity_table(report: Report) -> Markup:
    load = say_count(report.load.requests_per_second)
    names = (
        "Checks a second, one core",
        f"Cores for {load} a second",
        "the same, all new",
        "First in a new process",
        "Loading the modules",
    )
    rows = [
        (
            name_of(report, check.design).name,
            count(check.per_second_per_core),
            count(check.cores),
            count(check.first_seen_cores),
            seconds(None if check.new_process is None else check.new_process.median),
            seconds(None if check.import_seconds is None else check.import_seconds.median),
        )
        for check in report.checks
    ]
    return table("What checks mean for a machine", [Column("Design", words=True), *map(Column, names)], rows)


def _stores_table(report: Report) -> Markup:
    names = ("Sessions", "Open connection: median", "quartiles", "99 %", "noise", "New connection")
    columns = [Column("Store", words=True), Column("Where", words=True), *map(Column, names)]
    load = say_count(report.load.requests_per_second)
    more = (
        "Of it here, processor",
        "Look-ups a second, one core",
        f"Cores for {load} a second",
        "Waiting at any moment",
    )
    rows = [_store_cells(store) for store in report.stores]
    needs = [
        (
            store.name,
            seconds(None if store.cpu is None else store.cpu.median),
            count(store.per_second_per_core),
            count(store.cores),
            count(store.waiting),
        )
        for store in report.stores
        if store.state == "measured"
    ]
    return join(
        (
            table("Look-ups in stores", columns, rows),
            table(
                "What look-ups mean for a machine", [Column("Store", words=True), *map(Column, more)], needs
            ),
        )
    )


def _store_cells(store: StoreLookup) -> tuple[str, ...]:
    name = " ".join(filter(None, (store.name, store.version)))
    if store.warm is None:
        why = f"{NOT_MEASURED}: {store.reason}" if store.reason else NOT_MEASURED
        return name, why, *[DASH] * 6
    cold = seconds(store.cold.median) if store.cold is not None else DASH
    return name, store.place, count(store.rows), *spread(store.warm), cold
