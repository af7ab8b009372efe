"""A comparison as text: what it means first, the figures below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table

from ..comparison.figures import say_count, say_octets, say_seconds, say_share
from ..comparison.model import Check, Report, Sample, StoreLookup, Window
from .terminal import cell, heading, make_console

__all__ = ["show"]

_ENOUGH = 100
_GAP = _INDENT = 2
_NONE = "-"


def show(report: Report) -> None:
    """Write a report to standard output."""
    console = make_console()
    names = {each.id: each.name for each in report.designs}
    console.print(cell("Sessions and tokens, measured on this machine", "bold"))
    for sentence in report.summary:
        console.print(_item(sentence))
    _sizes(console, report, names)
    _checks(console, report, names)
    _stores(console, report)
    _windows(console, "After sign-out or theft, it still works for", report.windows, names=names)
    _windows(console, "A role that was taken away still counts for", report.staleness, names=names)
    _limits(console, report, names)
    _ground(console, report)


def _item(sentence: str, style: str = "") -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(cell("*"), cell(sentence, style))
    return Padding(table, (0, 0, 0, _INDENT))


def _note(text: str) -> RenderableType:
    return Padding(cell(text, "dim"), (0, 0, 0, _INDENT))


def _table(
    console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]], *, spare: Sequence[int]
) -> None:
    """Print rows below their titles, names on the left and numbers on the right.

    Args:
        console: Where to.
        titles: Of the columns.
        rows: As long as the titles.
        spare: Which columns to leave out where the terminal is too narrow, the first one first: a number that is cut
            off is worse than none.
    """
    kept = list(range(len(titles)))
    widths = [max(cell_len(row[column]) for row in (titles, *rows)) for column in kept]
    for column in spare:
        if sum(_GAP + widths[each] for each in kept) > console.width:
            kept.remove(column)
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    table.add_column(width=0)
    for column in kept:
        table.add_column(justify="right" if column else "left", no_wrap=True)
    table.add_row("", *(cell(titles[column], "dim") for column in kept))
    for row in rows:
        table.add_row("", *(cell(row[column]) for column in kept))
    console.print(table)
    if len(kept) < len(titles):
        left_out = ", ".join(title for column, title in enumerate(titles) if column not in kept)
        console.print(_note(f"Too narrow for: {left_out}."))


def _sizes(console: Console, report: Report, names: dict[str, str]) -> None:
    rate = say_count(report.load.requests_per_second)
    console.print(heading(f"Size, and what it comes to at {rate} requests per second"))
    rows = [
        (
            names[size.design],
            f"{size.credential_octets:,} B",
            f"{size.line_octets:,} B",
            f"{say_count(size.times_opaque)} x",
            say_octets(size.month_octets),
            say_share(size.cookie_share),
            say_share(size.headers_share),
        )
        for size in report.sizes
    ]
    titles = ("", "credential", "header line", "opaque ID", "a month", "of a cookie", "of 8 KiB")
    _table(console, titles, rows, spare=(1, 6, 3, 5))


def _checks(console: Console, report: Report, names: dict[str, str]) -> None:
    console.print(heading("One check"))
    titles = ("", "warm", "quartiles", "99 %", "noise", "first seen", "new process", "per s and core")
    rows = [_check_row(check, names) for check in report.checks]
    _table(console, titles, rows, spare=(7, 2, 6, 4))
    console.print(_note("New process: from the key's text to the answer, once the modules are loaded."))


def _check_row(check: Check, names: dict[str, str]) -> Sequence[str]:
    return (
        names[check.design],
        *_spread(check.warm),
        say_seconds(check.first_seen.median),
        _NONE if check.new_process is None else say_seconds(check.new_process.median),
        say_count(check.per_second_per_core),
    )


def _spread(sample: Sample) -> tuple[str, str, str, str]:
    low, high = say_seconds(sample.first_quartile), say_seconds(sample.third_quartile)
    if low.rpartition(" ")[2] == high.rpartition(" ")[2]:
        low = low.rpartition(" ")[0]  # the unit is said once
    return (
        say_seconds(sample.median),
        f"{low} to {high}",
        _most(sample),
        f"±{say_share(sample.noise)}",
    )


def _most(sample: Sample) -> str:
    """Return the 99th percentile; with fewer than a hundred figures there is none, and this is the greatest."""
    return say_seconds(sample.p99) if sample.count >= _ENOUGH else f"max {say_seconds(sample.maximum)}"


def _stores(console: Console, report: Report) -> None:
    rate = say_count(report.load.requests_per_second)
    console.print(heading(f"One look-up of a session in a store, and {rate} in each second"))
    titles = ("", "warm", "quartiles", "99 %", "noise", "connecting", "per s and core", "cores", "waiting")
    measured = [each for each in report.stores if each.state == "measured"]
    _table(console, titles, [_store_row(each) for each in measured], spare=(2, 6, 8, 4))
    for each in report.stores:
        if each.state == "measured":
            version = f" {each.version}" if each.version else ""
            console.print(_note(f"{each.name}{version}: {each.place}, {each.rows:,} sessions."))
        else:
            console.print(_note(f"{each.name}: not measured: {each.reason}."))


def _store_row(each: StoreLookup) -> Sequence[str]:
    assert each.warm is not None  # noqa: S101 - it was measured
    return (
        each.name,
        *_spread(each.warm),
        _NONE if each.cold is None else say_seconds(each.cold.median),
        say_count(each.per_second_per_core or 0),
        say_count(each.cores or 0),
        say_count(each.waiting or 0),
    )


def _windows(console: Console, title: str, windows: Sequence[Window], *, names: dict[str, str]) -> None:
    console.print(heading(title))
    titles = ("", "half of them", "99 %", "at most", "requests", "asks", "figures")
    _table(console, titles, [_window_row(each, names) for each in windows], spare=(4, 2, 5, 6))
    console.print(
        _note(
            "Requests: accepted after the order at the median, if all carried it. Asks: a store or another process, "
            "with each request."
        )
    )
    scaled = sorted({each.measured_lifetime for each in windows if each.measured_lifetime is not None})
    if scaled:
        console.print(_note(f"Scaled: run with a lifetime of {say_seconds(scaled[0])}, and multiplied."))


def _window_row(window: Window, names: dict[str, str]) -> Sequence[str]:
    if window.sample is None:
        return (names[window.design], _NONE, _NONE, _NONE, _NONE, _NONE, f"not measured: {window.reason}")
    sample = window.sample
    return (
        names[window.design],
        say_seconds(sample.median),
        say_seconds(sample.p99) if sample.count >= _ENOUGH else _NONE,
        say_seconds(sample.maximum if window.longest is None else window.longest),
        f"{window.accepted_after or 0:,}",
        "yes" if window.look_up else "no",
        f"{sample.count} {window.basis}",
    )


def _limits(console: Console, report: Report, names: dict[str, str]) -> None:
    console.print(heading("Limits on what is sent"))
    for limit in report.limits:
        touched = [
            f"{names[use.design]} {say_share(use.share)}" for use in limit.uses if use.verdict != "fits"
        ]
        largest = max(use.share for use in limit.uses)
        said = ", ".join(touched) or f"none comes near; the largest takes {say_share(largest)}"
        console.print(_item(f"{limit.name}, {limit.octets:,} B: {said}."))


def _ground(console: Console, report: Report) -> None:
    machine, claims = report.machine, report.claims
    console.print(heading("Measured"))
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    given = [f"{each.name} {each.octets}" for each in claims.claims]
    for line in (
        f"{machine.cpu}, {machine.usable_cores} of {machine.cores} cores; {machine.system}; {machine.python}",
        versions,
        f"{machine.measured_at}, {machine.seconds:.0f} s{', quick' if machine.quick else ''}: {machine.command}",
        f"Claims from {claims.source}, {claims.octets} B as JSON: {', '.join(given)}",
        report.noise.verdict,
        *report.notes,
    ):
        console.print(_item(line, "dim"))
