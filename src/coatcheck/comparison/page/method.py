"""How it was measured, on what, how quiet it was, what was not measured, and with which claims."""

from __future__ import annotations

from collections.abc import Sequence

from ..model import Report
from ..plots.marks import Dots
from ..plots.markup import Markup, element, join
from ..plots.rows import Row, RowPlot, draw_rows
from .parts import Column, exactly, figure, name_of, paragraphs, seconds, section, share, table
from .saying import say_count, say_octets, say_seconds, say_share

__all__ = ["claims_section", "method_section", "missing_section", "names_section", "not_measured"]


def method_section(report: Report) -> Markup:
    """Return the section on the method, the machine and the noise."""
    noise = report.noise
    change = f"{say_share(abs(noise.drift))} {'slower' if noise.drift >= 0 else 'faster'}"
    span = say_seconds(report.machine.seconds)
    lead = [
        f"All of it was measured in one run of {span} on one machine, in turns.",
        noise.verdict,
        f"Work that is always the same, timed between all else, became {change} from the first third to the last.",
    ]
    if report.machine.quick:
        lead.append("The run was cut short, so there is more noise than there has to be.")
    return section(
        "method",
        "How it was measured",
        lead=lead,
        parts=(
            paragraphs(report.notes) if report.notes else "",
            _yardstick(report),
            element("div", _machine(report), _noise(report), class_="pair"),
        ),
    )


def missing_section(report: Report) -> Markup:
    """Return the section on what was not measured, and why."""
    missing = not_measured(report)
    if not missing:
        return section(
            "missing", "What was not measured", lead=["Nothing that this report could show."], parts=()
        )
    columns = [Column("What", words=True), Column("Why", words=True)]
    return section(
        "missing",
        "What was not measured",
        lead=(),
        parts=(table("Not measured", columns, missing, titled=False),),
    )


def not_measured(report: Report) -> list[tuple[str, str]]:
    """Return what was not measured, each with the reason that the report gives."""
    unknown = "the report does not say why"
    found = [
        (f"Look-up: {store.name}", store.reason or unknown)
        for store in report.stores
        if store.state == "not measured"
    ]
    for name, windows in (("After the sign-out", report.windows), ("Permissions", report.staleness)):
        found += [
            (f"{name}: {name_of(report, window.design).name}", window.reason or unknown)
            for window in windows
            if window.sample is None
        ]
    processes = [name_of(report, check.design).name for check in report.checks if check.new_process is None]
    if processes:
        found.append((f"First check in a new process: {', '.join(processes)}", "left out in this run"))
    return found


def claims_section(report: Report) -> Markup:
    """Return the section on the claims that the tokens carried. Their values are not in the report."""
    claims = report.claims
    personal = [claim for claim in claims.claims if claim.personal is not None]
    source = "from a file" if claims.source == "a file" else "the default ones"
    lead = [
        f"The claims are {source}: {say_octets(claims.octets)} as compact JSON, before the token is made of them."
    ]
    if personal:
        lead.append(
            f"{len(personal)} of {len(claims.claims)} look personal. Whoever holds a signed token can read them: "
            "it is not encrypted."
        )
    columns = [
        Column("Claim", words=True),
        Column("Octets"),
        Column("Of all"),
        *(Column(name, words=True) for name in ("Kind", "Whose", "Personal?")),
    ]
    rows = [
        (
            element("bdi", claim.name),
            exactly(claim.octets),
            share(claim.octets / claims.octets if claims.octets else None),
            claim.kind,
            "given" if claim.given else "added",
            claim.personal or "no",
        )
        for claim in claims.claims
    ]
    return section(
        "claims", "The claims", lead=lead, parts=(table("Claims, without their values", columns, rows),)
    )


def names_section(report: Report) -> Markup:
    """Return what the names of the designs mean; nothing if the report explains none."""
    if not report.designs:
        return Markup()
    rows = [
        (
            join((element("span", "", class_=f"swatch {design.family}", aria_hidden="true"), design.name)),
            design.meaning,
        )
        for design in report.designs
    ]
    columns = [Column("Design", words=True), Column("What it is", words=True)]
    return section(
        "names", "What the names mean", lead=(), parts=(table("Designs", columns, rows, titled=False),)
    )


def _yardstick(report: Report) -> Markup:
    """Return a picture of how quiet the machine was."""
    sample = report.noise.yardstick
    kinds = (
        ("Each time", sample.figures, sample.median),
        ("Median of a round", sample.rounds, sample.median),
    )
    rows = tuple(
        Row(
            label=label,
            family="revocation",
            marks=(Dots(figures=figures, median=median, height=30),),
            values=(say_seconds(min(figures)), say_seconds(max(figures))),
            tip=f"{label}: from {say_seconds(min(figures))} to {say_seconds(max(figures))}",
        )
        for label, figures, median in kinds
        if figures
    )
    if not rows:
        return Markup()
    plot = RowPlot(
        id="noise",
        title="The same work again and again: the noise of the machine",
        description="; ".join(row.tip for row in rows) + ".",
        unit="seconds",
        axis="time for one HMAC-SHA-256 of 400 octets, logarithmic",
        columns=("least", "most"),
        rows=rows,
        lane=42.0,
    )
    return figure(
        (draw_rows(plot, narrow=False), draw_rows(plot, narrow=True)),
        caption="Work that is always the same, timed in every round between all else. On a quiet machine its dots "
        "stand close together. The line is the median of all.",
    )


def _machine(report: Report) -> Markup:
    machine = report.machine
    load = "unknown" if machine.load is None else say_count(machine.load)
    rows: list[tuple[str, str]] = [
        ("Processor", machine.cpu),
        ("Cores", f"{machine.cores}, of which {machine.usable_cores} could be used"),
        ("Load in the minute before", load),
        ("System", machine.system),
        ("Python", machine.python),
        *machine.versions.items(),
        ("When", machine.measured_at),
        ("Command", machine.command),
    ]
    return _facts("The machine", rows)


def _noise(report: Report) -> Markup:
    noise = report.noise
    yardstick = noise.yardstick
    quartiles = join((seconds(yardstick.first_quartile), " to ", seconds(yardstick.third_quartile)))
    rows: list[tuple[str, str]] = [
        ("Least difference that the clock shows", seconds(noise.resolution)),
        ("Yardstick (one HMAC-SHA-256): median", seconds(yardstick.median)),
        ("Its quartiles", quartiles),
        ("Its 99th percentile", seconds(yardstick.p99)),
        ("Between its rounds", share(yardstick.noise)),
        ("Drift", share(noise.drift)),
    ]
    return _facts("The noise", rows)


def _facts(caption: str, rows: Sequence[tuple[str, str]]) -> Markup:
    body = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows]
    return element("table", element("caption", caption), element("tbody", *body), class_="facts")
