"""``coatcheck revoke list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...revocation.model import Entry
    from ...server.settings_model import Settings

__all__ = ["list_revocations"]

_MOST = 1_000_000

Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=_MOST, help="How many, at most.")]


def list_revocations(*, limit: Limit = 100, as_json: AsJSON = False, config: Config = None) -> None:
    """List what ended lately, by whom and why, the newest first.

    It is the ledger, as far as it is still kept: an entry is dropped when no token can be alive that it concerns. As
    JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> tuple[list[Entry], dict[str, str]]:
        entries = await flows.revoking.history(limit=limit)
        return entries, {} if as_json else await flows.revoking.emails(entries)

    entries, emails = administer(config, action)
    if as_json:
        for entry in entries:
            write_text(written(_record(entry)))
    elif entries:
        _render(entries, emails)
    else:
        write_text("Nothing was revoked lately.")


def _record(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "value": entry.value,
        "cutoff": entry.cutoff,
        "reason": entry.reason,
        "actor": entry.actor,
        "at": entry.at,
        "until": entry.until,
    }


def _render(entries: list[Entry], emails: dict[str, str]) -> None:
    from .. import times
    from ..terminal import cell, grid, make_console

    now = times.now()
    rows = [
        (
            cell(times.relative(entry.at, now)),
            cell(entry.kind),
            cell(emails.get(entry.value, entry.value)),
            cell(entry.reason, "dim"),
            cell(f"by {_named(entry.actor, emails)}", "dim"),
        )
        for entry in entries
    ]
    make_console().print(grid(rows, fixed=2))


def _named(actor: str, emails: dict[str, str]) -> str:
    return emails.get(actor.removeprefix("user:"), actor)
