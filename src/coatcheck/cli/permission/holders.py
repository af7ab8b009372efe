"""Whose permission it is, as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..sources import one_of

if TYPE_CHECKING:
    from ...oauth.model import HolderKind

__all__ = ["ClientHolder", "RoleHolder", "UserHolder", "holder_of"]

UserHolder = Annotated[str | None, typer.Option("--user", metavar="EMAIL", help="A user.")]
RoleHolder = Annotated[str | None, typer.Option("--role", metavar="NAME", help="All who have a role.")]
ClientHolder = Annotated[
    str | None, typer.Option("--client", metavar="ID", help="A client that acts in its own name.")
]


def holder_of(user: str | None, role: str | None, client: str | None) -> tuple[HolderKind, str]:
    """Return who is meant. Raises ``UsageError`` unless it is exactly one."""
    one_of([("--user", user), ("--role", role), ("--client", client)])
    if user is not None:
        return "user", user
    return ("role", role) if role is not None else ("client", client or "")
