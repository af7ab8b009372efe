"""``coatcheck service list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.model import Service
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["list_services"]


def list_services(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List the services in the order of their names.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> list[Service]:
        return await flows.services.list()

    services = administer(config, action)
    if as_json:
        for service in services:
            record = {"name": service.name, "audience": service.audience, "created_at": service.created_at}
            write_text(written(record))
    elif services:
        _render(services)
    else:
        write_text("No services.")


def _render(services: list[Service]) -> None:
    from .. import times
    from ..terminal import cell, grid, make_console

    now = times.now()
    rows = [
        (
            cell(service.name),
            cell(service.audience or "all audiences"),
            cell(f"added {times.relative(service.created_at, now)}", "dim"),
        )
        for service in services
    ]
    make_console().print(grid(rows, fixed=3))
