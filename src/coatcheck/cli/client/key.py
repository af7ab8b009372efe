"""``coatcheck client key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON, Force, Out
from .options import ClientId

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings
    from .rendering import Made

__all__ = ["key"]

Algorithm = Annotated[
    str | None, typer.Option("--alg", metavar="NAME", help="What it signs by; ES256 unless given.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Its other keys stay good, too.")]


def key(
    client_id: ClientId,
    *,
    alg: Algorithm = None,
    keep: Keep = False,
    out: Out = None,
    force: Force = False,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Make a new key for a client, and print its private half, once.

    The key that it had is worth nothing from then on, unless you --keep it.
    """
    from .. import sinks
    from ..configured import administer
    from .rendering import made_of, render_made

    sinks.check_target(out, force=force)

    async def action(settings: Settings, flows: Flows) -> Made:
        client, private = await flows.provider.clients.new_key(client_id, algorithm=alg, keep=keep)
        return made_of(flows, client, key=private)

    made = administer(config, action)
    render_made(made, out=out, force=force, as_json=as_json, word="There is a new key for")
