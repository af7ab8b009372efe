"""An audit on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..audit.model import Finding, Report, Severity
from .terminal import Symbols, cell, heading, symbols_for
from .text import shortened

__all__ = ["render"]

_STYLES: dict[Severity, str] = {
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold cyan",
    "info": "dim",
}
_LONGEST = 300
_MOST_SHOWN = 8


def render(report: Report, file: str, console: Console) -> None:
    """Show what was found, the worst first, then what could not be judged."""
    symbols = symbols_for(console)
    console.print(cell(_first_line(report, file), "bold"))
    for severity, count in report.counts.items():
        if count:
            console.print(heading(severity.upper() if severity != "info" else "FOR INFORMATION"))
            found = [finding for finding in report.findings if finding.severity == severity]
            console.print(_rows(found, severity, symbols))
    _print_basis(report, console)
    console.print()
    console.print(_sum(report))


def _first_line(report: Report, file: str) -> str:
    if report.kind == "token":
        return f"{file}: one token"
    what = f"HAR of {report.creator}" if report.kind == "HAR" and report.creator else report.kind
    hosts = f", {_number(len(report.hosts), 'host')}" if report.hosts else ""
    return f"{file}: {what}, {_number(report.exchanges, 'exchange')}{hosts}"


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _rows(findings: list[Finding], severity: Severity, symbols: Symbols) -> Table:
    """Return the findings by rule: what is wrong, where, and what to do."""
    signs = {"high": symbols.failed, "medium": symbols.warning, "low": symbols.note, "info": symbols.note}
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=0)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    rules = list(dict.fromkeys(finding.rule for finding in findings))
    for position, rule in enumerate(rules):
        found = [finding for finding in findings if finding.rule == rule]
        first = found[0]
        if position:
            table.add_row()
        sign = Text(signs[severity], style=_STYLES[severity])
        table.add_row("", sign, Text.assemble(cell(first.title, "bold"), " ", (f"[{rule}]", "dim")))
        for finding in found[:_MOST_SHOWN]:
            table.add_row("", "", cell(f"{finding.subject}: {shortened(finding.evidence, _LONGEST)}"))
            if place := _place(finding):
                table.add_row("", "", cell(f"  {place}", "dim"))
        if len(found) > _MOST_SHOWN:
            table.add_row(
                "", "", Text(f"and {len(found) - _MOST_SHOWN:,} more, which --json shows", style="dim")
            )
        fix = Text.assemble(cell(first.fix), " ", (f"({', '.join(first.sources)})", "dim"))
        table.add_row("", Text(symbols.fix, style="dim"), fix)
    return table


def _place(finding: Finding) -> str:
    if finding.where is None:
        return ""
    more = f", and {_number(finding.also, 'other')}" if finding.also else ""
    return f"entry {finding.where.entry}{more}: {finding.where.method} {finding.where.url}".rstrip(": ")


def _print_basis(report: Report, console: Console) -> None:
    """Say what the findings rest on."""
    lines = list(report.notes)
    if report.session_cookies:
        lines.insert(0, f"Taken for sessions or tokens: {', '.join(report.session_cookies)}.")
    if report.other_cookies:
        others = ", ".join(report.other_cookies)
        lines.insert(1, f"Other cookies, not judged (--session-cookie NAME if one is): {others}.")
    if lines:
        console.print(heading("What this rests on"))
        table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(width=0)
        table.add_column(overflow="fold")
        for line in lines:
            table.add_row("", cell(shortened(line, _LONGEST * 2)))
        console.print(table)


def _sum(report: Report) -> Text:
    if not report.findings:
        return Text("Nothing was found.", style="bold green")
    parts: list[tuple[str, str] | str] = []
    for severity, count in report.counts.items():
        if count:
            parts += [", "] if parts else []
            parts.append((f"{count} {severity}", _STYLES[severity]))
    return Text.assemble(*parts)
