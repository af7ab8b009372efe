"""Results as tables of text, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.bare import CRYPTOGRAPHY, STDLIB
from bench.harness import Row, Timing
from bench.importing import PRIMITIVES
from bench.memory import SUBJECTS, Weight, Weights
from bench.peers.base import OURS
from bench.targets import Target, bare_of

NOTHING = "-"


@dataclass(frozen=True)
class Table:
    """A heading, a header line, lines, and what has to be said about them."""

    title: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """For the terminal: the first column to the left, figures to the right."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.lines, strict=True)]
        wordy = any(len(cell) > 24 for line in self.lines for cell in line[1:])
        header, *body = [_pad(line, widths, wordy=wordy) for line in (self.header, *self.lines)]
        rule = "-" * max(map(len, (header, *body)))
        heading = (self.title, rule, header, rule) if header else (self.title, rule)
        return "\n".join((*heading, *body, *self.notes, ""))

    def markdown(self) -> str:
        """The same for a document."""
        rule = ["---", *("---:" for _ in self.header[1:])]
        body = ["| " + " | ".join(line) + " |" for line in (self.header, rule, *self.lines)]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join((f"## {self.title}", "", *body, *([""] if notes else []), *notes, ""))


def _pad(line: Sequence[str], widths: Sequence[int], *, wordy: bool) -> str:
    first, *others = zip(line, widths, strict=True)
    cells = [first[0].ljust(first[1])]
    cells += [cell.ljust(width) if wordy else cell.rjust(width) for cell, width in others]
    return "  ".join(cells).rstrip()


def number(value: float) -> str:
    """Three figures that matter, or all of them before the point."""
    size = abs(value)
    return f"{value:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"


def race_tables(operation: str, rows: Sequence[Row], names: Sequence[str]) -> list[Table]:
    """The medians of a group of races, their ratios to ours, and their distances to the bare primitive."""
    bare = [STDLIB, CRYPTOGRAPHY] if any(row.timing(STDLIB) for row in rows) else [CRYPTOGRAPHY]

    def table(title: str, columns: Sequence[str], cell: Callable[[Row, Timing], str]) -> Table:
        lines = [[row.label, *(_cell(row, name, cell) for name in columns)] for row in rows]
        return Table(title, ["", *columns], lines)

    medians = table(
        f"{operation}: µs, median of the rounds ± half the interquartile range",
        [*names, *bare],
        lambda _, timing: f"{number(timing.median_us)} ±{timing.spread:.0%}",
    )
    return [
        Table(medians.title, medians.header, medians.lines, _notes(rows)),
        table(f"{operation}: times as long as {OURS}", [*names[1:], *bare], _ratio),
        table(f"{operation}: µs beyond the fastest bare primitive", names, _beyond),
    ]


def _cell(row: Row, name: str, cell: Callable[[Row, Timing], str]) -> str:
    if name in row.failures:
        return "failed"
    timing = row.timing(name)
    return NOTHING if timing is None else cell(row, timing)


def _ratio(row: Row, timing: Timing) -> str:
    ours = row.timing(OURS)
    return NOTHING if ours is None else f"{timing.ratio_to(ours):.2f}"


def _beyond(row: Row, timing: Timing) -> str:
    bare = bare_of(row)
    return NOTHING if bare is None else number(timing.beyond(bare))


def _notes(rows: Sequence[Row]) -> list[str]:
    aliases: dict[str, list[str]] = {}
    for row in rows:
        for timing in row.timings:
            if timing.note:
                aliases.setdefault(f"{row.label} {timing.note}", []).append(timing.name)
    failures = [f"{row.label}: {name} FAILED: {why}" for row in rows for name, why in row.failures.items()]
    return [f"{what}: {', '.join(names)}" for what, names in aliases.items()] + failures


def refusal_table(refusals: Mapping[str, Mapping[str, bool]], failures: Sequence[str]) -> Table:
    """Which faults each verifier, set up as it was timed, refuses."""
    faults = next(iter(refusals.values()), {})
    lines = [
        [name, *("refused" if found[fault] else "ACCEPTED" for fault in faults)]
        for name, found in refusals.items()
    ]
    return Table(
        "Bad tokens: what each verifier, as timed above, makes of them", ["", *faults], lines, failures
    )


def import_table(row: Row) -> Table:
    """Import times in milliseconds."""
    bare = row.timing(PRIMITIVES)
    lines = [
        [
            timing.name,
            f"{number(timing.median_us / 1_000)} ±{timing.spread:.0%}",
            NOTHING if bare is None else number(timing.beyond(bare) / 1_000),
        ]
        for timing in row.timings
    ]
    header = ["", "ms, median", f"beyond {PRIMITIVES}"]
    failures = [f"{name} FAILED: {why}" for name, why in row.failures.items()]
    return Table("Import: in a fresh interpreter", header, lines, failures)


def memory_table(weights: Weights, names: Mapping[str, str]) -> Table:
    """Bytes per object; ``names`` are the libraries' by module."""
    lines = [[subject, *(_weight(weights[module, subject]) for module in names)] for subject in SUBJECTS]
    failures = [
        f"{names[module]}, {subject} FAILED: {weight}"
        for (module, subject), weight in weights.items()
        if isinstance(weight, str)
    ]
    title = "Memory: bytes each, as Python counts them / as the process grows"
    return Table(title, ["", *names.values()], lines, failures)


def _weight(weight: Weight | str) -> str:
    if isinstance(weight, str):
        return "failed"
    resident = NOTHING if weight.resident is None else f"{weight.resident:.0f}"
    return f"{weight.traced:.0f} / {resident}"


def facts_table(facts: Mapping[str, str], missing: Sequence[str]) -> Table:
    """The machine and the versions, and the libraries that could not be imported."""
    return Table("Machine", ["", ""], list(facts.items()), missing)


def limits_table(targets: Sequence[Target]) -> Table:
    """What is aimed at, before anything is measured."""
    lines = [[target.what, target.wanted] for target in targets]
    return Table("Targets on this machine", ["", "wanted"], lines)


def targets_table(targets: Sequence[Target]) -> Table:
    """What was aimed at, and what this run says."""
    lines = [
        [
            target.what,
            target.wanted,
            NOTHING if target.figure is None else f"{target.figure:.2f} {target.unit}",
            target.verdict,
        ]
        for target in targets
    ]
    return Table("Targets and results", ["", "wanted", "this run", "verdict"], lines)
