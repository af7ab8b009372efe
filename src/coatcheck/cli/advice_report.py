"""Advice on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..advice.model import Advice, Client, Configuration, Source, Statement
from ..advice.questions import words_for
from ..advice.sources import cite_briefly
from .terminal import Symbols, heading, symbols_for

__all__ = ["render"]

_NAMES: dict[Client, str] = {
    "browser": "Pages in a browser",
    "spa": "Single-page app",
    "mobile": "Mobile app",
    "cli": "Command line, desktop",
    "machine": "Machines",
    "agent": "Agents (MCP)",
}


def render(advice: Advice, console: Console) -> None:
    """Show the advice: what had to give first, then the credentials, then all that follows from them."""
    symbols = symbols_for(console)
    _print_conflicts(advice, console, symbols)
    _print_statements("Something else", advice.instead, console, sign=(symbols.warning, "bold yellow"))
    _print_clients(advice, console)
    _print_statements(
        "What you can do without", advice.unneeded, console, sign=(symbols.passed, "bold green")
    )
    _print_statements(
        "Who checks it, and how they hear of its end", advice.checks, console, sign=(symbols.note, "dim")
    )
    _print_threats(advice, console, symbols)
    _print_configuration(advice.configuration, console)


def _print_conflicts(advice: Advice, console: Console, symbols: Symbols) -> None:
    if not advice.conflicts:
        return
    console.print(heading("What does not go together"))
    table = _table()
    for conflict in advice.conflicts:
        table.add_row("", Text(symbols.failed, style="bold red"), Text(conflict.conflict, style="bold"))
        table.add_row("", "", Text(conflict.gives))
        given, taken = (words_for(conflict.answer, value) for value in (conflict.given, conflict.taken))
        taken_instead = f'{conflict.answer}: "{taken}", not "{given}"'
        table.add_row("", Text(symbols.fix, style="dim"), Text(taken_instead))
        table.add_row("", "", _cited(conflict.sources))
    console.print(table)


def _print_clients(advice: Advice, console: Console) -> None:
    console.print(heading("The credentials"))
    table = _table()
    told: set[str] = set()
    for position, each in enumerate(advice.clients):
        if position:
            table.add_row()
        table.add_row(
            "", Text(_NAMES[each.client], style="bold cyan"), Text(each.credential.name, style="bold")
        )
        table.add_row("", "", Text(each.reason))
        if each.credential.id not in told:
            table.add_row("", "", Text(each.credential.how))
        told.add(each.credential.id)
        table.add_row("", "", _cited(each.sources))
    console.print(table)


def _print_statements(
    title: str, statements: Sequence[Statement], console: Console, *, sign: tuple[str, str]
) -> None:
    if not statements:
        return
    console.print(heading(title))
    table = _table()
    for statement in statements:
        table.add_row("", Text(sign[0], style=sign[1]), Text(statement.title, style="bold"))
        table.add_row("", "", Text(statement.text))
        table.add_row("", "", _cited(statement.sources))
    console.print(table)


def _print_threats(advice: Advice, console: Console, symbols: Symbols) -> None:
    console.print(heading("What can still happen, and what to do"))
    table = _table()
    for threat in advice.threats:
        who = ", ".join(_NAMES[client] for client in threat.clients)
        table.add_row("", Text(symbols.warning, style="bold yellow"), Text(threat.threat, style="bold"))
        table.add_row("", Text(symbols.fix, style="dim"), Text(threat.do))
        table.add_row("", "", Text(f"{who}. ", style="dim").append_text(_cited(threat.sources)))
    console.print(table)


def _print_configuration(configuration: Configuration, console: Console) -> None:
    """Print what is to be copied as it is: no line of it is broken or set in."""
    blocks = [("coatcheck.toml", configuration.toml())]
    commands = [f"# {command.why}\n{command.line}\n" for command in configuration.commands]
    blocks.append(("Once, where the server runs", "".join(commands)))
    blocks += [(code.title, code.text) for code in configuration.code]
    for title, text in blocks:
        if text:
            console.print(heading(title))
            console.print(Text(text.rstrip("\n")), soft_wrap=True)


def _table() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=0)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _cited(sources: Sequence[Source]) -> Text:
    return Text(cite_briefly(sources), style="dim")
