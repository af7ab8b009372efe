"""A key's facts on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from .findings import finding_rows
from .key_report import KeyReport
from .terminal import cell, grid, symbols_for
from .text import shortened, visible

__all__ = ["render"]


def render(report: KeyReport, console: Console) -> None:
    """Show a key without its private parts."""
    console.print(
        Text.assemble((visible(f"{report.kind[0].upper()}{report.kind[1:]}"), "bold"), f", {report.form}")
    )
    rows = [(Text(name, style="cyan"), cell(shortened(value))) for name, value in _facts(report)]
    if rows:
        console.print(grid(rows))
    if report.findings:
        console.print()
        console.print(finding_rows(report.findings, symbols_for(console)))


def _facts(report: KeyReport) -> Iterator[tuple[str, str]]:
    if report.alg is not None:
        yield "algorithm", report.alg
    elif report.fitting:
        yield "fits", ", ".join(report.fitting)
    if report.kty is not None:
        curve = "" if report.crv is None else f", {report.crv}"
        yield "type", f"{report.kty}{curve}, {report.size:,} bits"
    if report.subject is not None:
        yield "subject", report.subject
    if report.expires is not None:
        yield "expires", report.expires
    if report.kid is not None:
        yield "kid", report.kid
    if report.thumbprint is not None:
        yield "thumbprint", report.thumbprint
