"""``coatcheck revoke everything``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..errors import UsageError

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["everything"]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
IssuedBefore = Annotated[
    str | None,
    typer.Option(
        "--issued-before",
        metavar="TIME",
        help="End only the sessions that began before: 2026-01-31T12:00:00Z, or seconds since 1970. "
        "Access tokens are void in any case: who is still signed in gets new ones without noticing.",
        show_default=False,
    ),
]


def everything(*, yes: Yes = False, issued_before: IssuedBefore = None, config: Config = None) -> None:
    """End all sessions of all users, and void all tokens that were issued until now.

    Everybody has to sign in again, you too. It is one transaction, and takes as long for a million sessions as for one.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..times import parse_instant
    from ..user.delete import is_interactive

    instant = None if issued_before is None else parse_instant(issued_before)
    if not yes:
        if not is_interactive():
            raise UsageError("Nobody is here to be asked: --yes revokes without a question.")
        who = "everybody" if instant is None else "everybody who signed in before then"
        typer.confirm(f"Sign {who} out, and void all tokens?", abort=True)

    async def action(settings: Settings, flows: Flows) -> int:
        from ...flows.ending import ADMINISTRATOR

        revoked = await flows.revoking.everything(actor=ADMINISTRATOR, issued_before=instant)
        return revoked.ended_sessions

    write_text(f"Revoked; sessions ended: {administer(config, action):,}.")
