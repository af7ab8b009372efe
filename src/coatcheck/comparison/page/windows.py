"""How long a credential still works after it should not, and how long a role that was taken away still counts."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Report, Window
from ..plots.marks import Band, Dots, Mark
from ..plots.markup import Markup, join
from ..plots.rows import Row, RowPlot, draw_rows
from .parts import Column, count, figure, how_it_was_run, legend, name_of, seconds, section, spread, table
from .saying import say_count, say_seconds
from .wording import best_of, entries, own_against_others, times, together

__all__ = ["staleness_section", "windows_section"]

_CAPTION = (
    "The axis is logarithmic. Each dot is one credential; the line "
    "among them is the median. A band goes as far as the design allows, and is dashed where nothing was measured."
)


def windows_section(report: Report) -> Markup:
    """Return the section on revocation; nothing if the report has no windows."""
    if not report.windows:
        return Markup()
    plot = _plot(
        report,
        report.windows,
        identity="windows",
        title="How long a credential is still accepted after it was revoked, by design",
        axis="time from the sign-out to the first refusal, logarithmic",
    )
    return section(
        "sign-out",
        "How long it still works after the sign-out",
        lead=_lead(report, report.windows, thing="to refuse"),
        parts=(
            _figure(report, plot, report.windows),
            _table(report, report.windows, "From the order to the first refusal"),
        ),
    )


def staleness_section(report: Report) -> Markup:
    """Return the section on stale permissions; nothing if the report has none."""
    if not report.staleness:
        return Markup()
    plot = _plot(
        report,
        report.staleness,
        identity="staleness",
        title="How long a role that was taken away still counts, by design",
        axis="time until the first answer without the role, logarithmic",
    )
    return section(
        "permissions",
        "How long a role that was taken away still counts",
        lead=_lead(report, report.staleness, thing="to forget the role"),
        parts=(
            _figure(report, plot, report.staleness),
            _table(report, report.staleness, "From taking the role to the first answer without it"),
        ),
    )


def _lead(report: Report, windows: Sequence[Window], *, thing: str) -> list[str]:
    found = entries(report, {window.design: window.sample for window in windows if window.sample is not None})
    if not found:
        return ["None of the designs was measured in this run."]
    best, last = best_of(found), found[-1]
    names = together([entry.name for entry in best])
    alike = "" if len(best) == 1 else " (their quartiles overlap)"
    sentences = [f"Soonest {thing}: {names}{alike}, after {say_seconds(best[0].middle)} at the median."]
    if last not in best:
        ratio = f", {times(last.middle / best[0].middle)} as long" if best[0].middle > 0 else ""
        sentences.append(f"Last: {last.name}, after {say_seconds(last.middle)}{ratio}.")
    sentences.append(own_against_others(found, say_seconds, verb="takes"))
    silent = [name_of(report, window.design).name for window in windows if window.look_up]
    if silent:
        sentences.append(f"These ask a store or a server with each request: {together(silent)}.")
    return sentences


def _figure(report: Report, plot: RowPlot, windows: Sequence[Window]) -> Markup:
    marks = [("dot", "one credential"), ("band-key", "as far as the design allows")]
    scaled = any(window.basis == "scaled" for window in windows)
    more = (
        " \N{ALMOST EQUAL TO} stands before what was scaled up from a shorter lifetime that was really run."
    )
    return figure(
        (draw_rows(plot, narrow=False), draw_rows(plot, narrow=True)),
        before=legend(report, [row.family for row in plot.rows], marks),
        caption=_CAPTION + (more if scaled else ""),
    )


def _plot(report: Report, windows: Sequence[Window], *, identity: str, title: str, axis: str) -> RowPlot:
    # The soonest first; what was not measured, last.
    ordered = sorted(
        windows, key=lambda window: (window.sample is None, window.sample.median if window.sample else 0.0)
    )
    rows = tuple(_row(report, window) for window in ordered)
    return RowPlot(
        id=identity,
        title=title,
        description="; ".join(row.tip for row in rows) + ".",
        unit="seconds",
        axis=axis,
        columns=("median", "at most"),
        rows=rows,
        lane=38.0,
    )


def _row(report: Report, window: Window) -> Row:
    design = name_of(report, window.design)
    median = None if window.sample is None else window.sample.median
    about = "\N{ALMOST EQUAL TO}\N{NO-BREAK SPACE}" if window.basis == "scaled" and median is not None else ""
    values = about + say_seconds(median), say_seconds(window.longest)
    return Row(
        label=design.name,
        family=design.family,
        marks=_marks(window),
        values=values,
        tip=f"{design.name}: {values[0] if median is not None else 'not measured'}, at most {values[1]}",
        note=f"not measured: {window.reason}" if window.reason else "not measured",
    )


def _marks(window: Window) -> tuple[Mark, ...]:
    sample, longest = window.sample, window.longest
    marks: list[Mark] = []
    if longest is not None and longest > 0:
        low = longest / 1000 if sample is None else min(sample.minimum, longest)
        marks.append(Band(low=low, high=longest, dashed=sample is None))
    if sample is not None:
        marks.append(Dots(figures=sample.figures, median=sample.median, height=26))
    return tuple(marks)


def _table(report: Report, windows: Sequence[Window], caption: str) -> Markup:
    columns = [
        Column("Design", words=True),
        *map(Column, ("Median", "Quartiles", "99 %", "Noise", "At most, by design", "Lifetime")),
        Column("Still accepted"),
        Column("Where from", words=True),
    ]
    rows = [
        (
            name_of(report, window.design).name,
            *spread(window.sample),
            seconds(window.longest) if window.longest is not None else "no bound",
            seconds(window.lifetime) if window.lifetime is not None else "none",
            count(window.accepted_after),
            _basis(window),
        )
        for window in windows
    ]
    how = [(name_of(report, window.design).name, window.how) for window in windows]
    return join((table(caption, columns, rows), how_it_was_run("What was run", how)))


def _basis(window: Window) -> str:
    if window.basis == "scaled" and window.measured_lifetime is not None:
        return f"{say_seconds(window.measured_lifetime)} really run, times {say_count(window.factor)}"
    if window.basis == "not measured":
        return f"not measured: {window.reason}" if window.reason else "not measured"
    return window.basis
