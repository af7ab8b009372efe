"""An inspection on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..inspection.model import Entry, Finding, Report, Weight
from .findings import FINDING_STYLES, finding_rows
from .terminal import cell, grid, heading, symbols_for, width_of
from .text import readable, shortened, spelled

__all__ = ["render"]

_LONGEST_NAME = 24


def render(report: Report, console: Console) -> None:
    """Show a report."""
    for banner in _banners(report):
        console.print(banner)
    console.print(_title(report))
    console.print(Text("Not verified: this shows what the token says, not whether it is true.", style="bold"))
    _headers(report, console)
    _payload(report, console)
    console.print(heading("Weight"))
    console.print(grid(_weight(report.weight)))
    console.print(heading(_summary(report.findings)))
    if report.findings:
        console.print(finding_rows(report.findings, symbols_for(console)))


def _banners(report: Report) -> Iterator[Text]:
    codes = {finding.code for finding in report.findings}
    if codes & {"unsigned", "no_signature"}:
        yield Text(" UNSIGNED: anyone can have written every word of this. ", style="bold red reverse")


def _title(report: Report) -> Text:
    kind = "Signed token (JWS)" if report.kind == "JWS" else "Encrypted token (JWE)"
    if any(finding.code == "unsigned" for finding in report.findings):
        kind = "Unsigned token (JWS)"
    return Text.assemble((kind, "bold"), f", {report.form} form, {report.weight.token:,} characters")


def _headers(report: Report, console: Console) -> None:
    several = len(report.headers) > 1
    for number, header in enumerate(report.headers, start=1):
        suffix = f" {number}" if several else ""
        if header.protected or not header.unprotected:
            console.print(heading(f"Header{suffix}"))
            console.print(_entries(header.protected, width_of(console)))
        if header.unprotected:
            console.print(heading(f"Unprotected header{suffix}, which anyone can change"))
            console.print(_entries(header.unprotected, width_of(console)))


def _payload(report: Report, console: Console) -> None:
    if report.kind == "JWE":
        console.print(heading("Content"))
        console.print(Text("  encrypted: only the holder of the key can read it"))
    elif report.claims is not None:
        console.print(heading("Claims, readable for everybody"))
        console.print(_entries(_claims(report.claims, report.meanings), width_of(console)))
    elif report.content is not None:
        console.print(heading("Content, readable for everybody"))
        for line in readable(report.content).split("\n"):
            console.print(Text(f"  {line}", overflow="fold"))
    else:
        console.print(heading("Content"))
        console.print(Text("  none in the token: detached"))


def _claims(claims: Mapping[str, Any], meanings: Mapping[str, str]) -> list[Entry]:
    return [Entry(name, value, meanings.get(name, "")) for name, value in claims.items()]


def _entries(entries: Sequence[Entry], width: int) -> Table | Text:
    if not entries:
        return Text("  (empty)", style="dim")
    return grid(
        (
            (
                cell(shortened(entry.name, _LONGEST_NAME), "cyan"),
                cell(shortened(spelled(entry.value))),
                cell(entry.meaning, _meaning_style(entry)),
            )
            for entry in entries
        ),
        width=width,
    )


def _meaning_style(entry: Entry) -> str:
    if entry.meaning.startswith("expired "):
        return "red"
    return "" if entry.meaning.endswith("UTC") else "dim"


def _weight(weight: Weight) -> Iterator[tuple[Text, Text]]:
    parts = ", ".join(f"{name} {size:,}" for name, size in weight.segments.items())
    heavy, light = weight.megabytes_per_million
    yield cell("token", "cyan"), cell(f"{weight.token:,} bytes: {parts}")
    yield (
        cell("each request", "cyan"),
        cell(f"{weight.authorization:,} bytes as Authorization header, {weight.cookie:,} as cookie"),
    )
    yield (
        cell("a session ID", "cyan"),
        cell(
            f"43 bytes, {weight.session_cookie} as cookie; the token's cookie is {weight.ratio:,} times that"
        ),
    )
    yield (
        cell("a million", "cyan"),
        cell(f"requests carry {heavy:,.0f} MB, with a session ID {light:,.0f} MB"),
    )


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No warnings, which does not make the token genuine"
    counts = [(name, sum(finding.severity == name for finding in findings)) for name in FINDING_STYLES]
    return ", ".join(
        f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts if count
    ).capitalize()
