"""``coatcheck client list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import OAuthClient
    from ...server.settings_model import Settings

__all__ = ["list_clients"]

_PAGE = 500


def list_clients(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List all clients in the order of their identifiers.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> int:
        count, after = 0, ""
        while page := await flows.provider.clients.list(after=after, limit=_PAGE):
            _write(page, as_json=as_json)
            count, after = count + len(page), page[-1].id
        return count

    if administer(config, action) == 0 and not as_json:
        write_text("There are no clients yet: coatcheck client add NAME --redirect-uri URI")


def _write(page: list[OAuthClient], *, as_json: bool) -> None:
    from ..sinks import write_text
    from ..terminal import cell, grid, make_console
    from ..text import as_json as written
    from .rendering import as_record, kind_of, state_of

    if as_json:
        for client in page:
            write_text(written(as_record(client)))
        return
    rows = [
        (cell(client.id), cell(kind_of(client), "dim"), cell(state_of(client), "dim"), cell(client.name))
        for client in page
    ]
    make_console().print(grid(rows, fixed=3))
