"""What can be said of an API, as options."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ...oauth.model import APIScope

__all__ = [
    "Algorithm",
    "Audience",
    "Everybody",
    "Name",
    "Scope",
    "TokenLife",
    "parse_lifetime",
    "parse_scopes",
]

Audience = Annotated[
    str,
    typer.Argument(metavar="URI", help="Its audience, like https://api.example.", show_default=False),
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="What users are told it is called.")]
Scope = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="NAME=TEXT", help="What it allows, and what users are told. Repeatable."),
]
Everybody = Annotated[
    list[str] | None,
    typer.Option("--everybody", metavar="NAME", help="A scope that every user has. Repeatable."),
]
Algorithm = Annotated[
    str | None,
    typer.Option("--algorithm", metavar="NAME", help="What signs its tokens; ES256 unless given."),
]
TokenLife = Annotated[
    str | None, typer.Option("--token-life", metavar="TIME", help="How long its tokens are good, like 5m.")
]


def parse_scopes(scopes: list[str] | None, everybody: list[str] | None) -> list[APIScope]:
    """Return scopes out of ``name=text`` and the names of those that every user has."""
    from ...oauth.model import APIScope

    open_to_all = frozenset(everybody or ())
    found = {}
    for text in scopes or ():
        name, _, description = text.partition("=")
        found[name] = APIScope(name=name, description=description, for_everybody=name in open_to_all)
    for name in everybody or ():
        found.setdefault(name, APIScope(name=name, for_everybody=True))
    return list(found.values())


def parse_lifetime(text: str | None) -> timedelta | None:
    """Return a span like ``5m``. Raises ``UsageError`` if it is none."""
    from ..times import parse_span

    return None if text is None else parse_span(text)
