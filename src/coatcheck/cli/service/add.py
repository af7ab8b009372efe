"""``coatcheck service add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.model import Service
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["Name", "add"]

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="What it is called: letters, digits, dots and dashes.", show_default=False
    ),
]
Audience = Annotated[
    str | None,
    typer.Option(
        "--audience",
        metavar="URI",
        help="The API that it stands for: it is told of tokens for that one only. Without, of all.",
        show_default=False,
    ),
]


def add(name: Name, *, audience: Audience = None, as_json: AsJSON = False, config: Config = None) -> None:
    """Add a service that verifies what this server issues, and print its key, once.

    The key is stored as its hash. Who loses it removes the service and adds it again.
    """
    from ..configured import administer
    from ..notices import notice
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> tuple[Service, str]:
        return await flows.services.add(name, audience=audience)

    service, key = administer(config, action, begins=True)
    if as_json:
        write_text(written({"name": service.name, "audience": service.audience, "key": key}))
        return
    write_text(f"export COATCHECK_VERIFIER_KEY={key}")
    notice(f"Added {service.name}. Its key is shown this once: set it where {service.name} runs, as above.")
