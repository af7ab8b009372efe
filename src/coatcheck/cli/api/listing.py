"""``coatcheck api list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import API
    from ...server.settings_model import Settings

__all__ = ["list_apis"]


def list_apis(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List all APIs, this server's own first.

    A star is at scopes that every user has. As JSON, there is one object on
    each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..terminal import cell, grid, make_console
    from ..text import as_json as written
    from .rendering import as_record, scopes_of

    async def action(settings: Settings, flows: Flows) -> list[API]:
        return await flows.provider.apis.list()

    apis = administer(config, action)
    if as_json:
        for api in apis:
            write_text(written(as_record(api)))
        return
    rows = [
        (cell(api.audience), cell(api.algorithm, "dim"), cell(api.name), cell(scopes_of(api))) for api in apis
    ]
    make_console().print(grid(rows, fixed=3))
