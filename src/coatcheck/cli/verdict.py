"""A verification on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ..inspection.meanings import is_moment
from ..inspection.verification import Outcome
from .terminal import cell, grid, heading, symbols_for, width_of
from .text import shortened, spelled

__all__ = ["render"]

_STYLES = {"ok": "bold green", "failed": "bold red"}


def render(outcome: Outcome, console: Console) -> None:
    """Show the checks up to the one that failed, then the verdict, then the claims of a valid token."""
    symbols = symbols_for(console)
    signs = {"ok": symbols.passed, "failed": symbols.failed}
    reached = [step for step in outcome.steps if step.status != "not reached"]
    rows = [
        (
            Text(signs[step.status], style=_STYLES[step.status]),
            step.check,
            cell(step.message, "" if step.status == "failed" else "dim"),
        )
        for step in reached
    ]
    console.print(grid(rows, fixed=2))
    waiting = len(outcome.steps) - len(reached)
    if waiting:
        more = f"{waiting} more check{'' if waiting == 1 else 's'} not reached"
        console.print(Text(f"  {symbols.waiting}  {more}", style="dim"))
    if outcome.claims is None:
        console.print(Text(f"\nRefused: {outcome.code}", style="bold red"))
        return
    console.print(Text("\nValid", style="bold green"))
    console.print(heading("Claims"))
    console.print(
        grid(
            (
                (cell(name, "cyan"), cell(shortened(spelled(value))), cell(_moment(outcome, name), "dim"))
                for name, value in outcome.claims.items()
            ),
            width=width_of(console),
        )
    )


def _moment(outcome: Outcome, name: str) -> str:
    """Say when a time is; what the other claims mean, whoever verifies them knows."""
    claims = outcome.claims or {}
    return outcome.meanings.get(name, "") if is_moment(name, claims[name]) else ""
