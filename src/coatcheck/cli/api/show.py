"""``coatcheck api show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON
from .options import Audience

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import API
    from ...server.settings_model import Settings

__all__ = ["show"]


def show(audience: Audience, *, as_json: AsJSON = False, config: Config = None) -> None:
    """Show an API: what can be done there, and what signs its tokens."""
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written
    from .rendering import as_record

    async def action(settings: Settings, flows: Flows) -> API:
        return await flows.provider.apis.get(audience)

    api = administer(config, action)
    if as_json:
        write_text(written(as_record(api), indent=2))
    else:
        _render(api)


def _render(api: API) -> None:
    from .. import times
    from ..terminal import cell, grid, heading, make_console

    life = "as the server's own" if api.token_lifetime is None else times.in_words(api.token_lifetime)
    rows = [("audience", api.audience), ("signed by", api.algorithm), ("tokens live", life)]
    rows += [
        (each.name, f"{each.description}{' (everybody)' if each.for_everybody else ''}".strip())
        for each in api.scopes
    ]
    console = make_console()
    console.print(heading(api.name).plain.strip(), markup=False)
    console.print(grid([(cell(name), cell(value)) for name, value in rows]))
