"""A verification on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from .terminal import cell, grid, heading, symbols_for
from .text import shortened
from .values import spelled
from .verification import Outcome

__all__ = ["render"]

_STYLES = {"ok": "bold green", "failed": "bold red", "not reached": "dim"}


def render(outcome: Outcome, console: Console) -> None:
    """Show every check, then the verdict, then the claims of a valid token."""
    symbols = symbols_for(console)
    signs = {"ok": symbols.passed, "failed": symbols.failed, "not reached": symbols.waiting}
    rows = [
        (
            Text(signs[step.status], style=_STYLES[step.status]),
            Text(step.check, style="" if step.status != "not reached" else "dim"),
            cell(step.message or step.status, "" if step.status == "failed" else "dim"),
        )
        for step in outcome.steps
    ]
    console.print(grid(rows, fixed=2))
    if outcome.claims is None:
        console.print(Text(f"\nRefused: {outcome.code}", style="bold red"))
        return
    console.print(Text("\nValid", style="bold green"))
    console.print(heading("Claims"))
    console.print(
        grid((cell(name, "cyan"), cell(shortened(spelled(value)))) for name, value in outcome.claims.items())
    )
