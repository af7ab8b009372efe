"""``coatcheck client show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..configured import Config
from ..options import AsJSON
from .options import ClientId

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import OAuthClient
    from ...server.settings_model import Settings

__all__ = ["show"]


def show(client_id: ClientId, *, as_json: AsJSON = False, config: Config = None) -> None:
    """Show what a client is like."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written
    from .rendering import as_record

    async def action(settings: Settings, flows: Flows) -> OAuthClient:
        return await flows.provider.clients.get(client_id)

    client = administer(config, action)
    if as_json:
        write_text(written(as_record(client), indent=2))
    else:
        _render(client)


def _render(client: OAuthClient) -> None:
    from .. import times
    from ..terminal import cell, grid, heading, make_console
    from ..text import as_json as written
    from .rendering import as_record, kind_of, state_of

    record = as_record(client)
    for name in ("created_at", "disabled_at", "client_name", "registered_by"):
        record.pop(name, None)
    rows = [
        ("kind", kind_of(client)),
        ("state", state_of(client)),
        ("added", times.iso(client.created_at) or ""),
    ]
    rows += [(name, _told(value, written)) for name, value in record.items()]
    console = make_console()
    console.print(heading(client.name).plain.strip(), markup=False)
    console.print(grid([(name, cell(value)) for name, value in rows]))


def _told(value: Any, written: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(map(str, value)) or "none"
        case dict():
            return str(written(value))
    return str(value)
