"""Warnings on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ..inspection.model import Finding
from .terminal import Symbols, cell, grid

__all__ = ["FINDING_STYLES", "finding_rows"]

FINDING_STYLES = {"danger": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def finding_rows(findings: Sequence[Finding], symbols: Symbols) -> Table:
    """Return findings, each with its remedy below it."""
    signs = {"danger": symbols.failed, "warning": symbols.warning, "note": symbols.note}
    rows: list[tuple[Text | str, ...]] = []
    for finding in findings:
        sign = Text(signs[finding.severity], style=FINDING_STYLES[finding.severity])
        rows.append((sign, cell(finding.message)))
        rows.append((Text(symbols.fix, style="dim"), cell(finding.fix, "dim")))
    return grid(rows)
