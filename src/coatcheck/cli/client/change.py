"""``coatcheck client change``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..errors import UsageError
from ..options import AsJSON
from .options import (
    API,
    MORE,
    BackChannel,
    ClientId,
    FrontChannel,
    IDTokenAlgorithm,
    PostLogout,
    RedirectURI,
    Scope,
    metadata_from,
)

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings
    from .rendering import Made

__all__ = ["change"]

NewName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What people are told it is called.")
]
FirstParty = Annotated[
    bool | None,
    typer.Option("--first-party/--third-party", help="Whether it is yours: users are not asked for consent."),
]


def change(
    client_id: ClientId,
    *,
    name: NewName = None,
    redirect_uri: RedirectURI = None,
    first_party: FirstParty = None,
    scope: Scope = None,
    api: API = None,
    post_logout_uri: PostLogout = None,
    backchannel_logout_uri: BackChannel = None,
    frontchannel_logout_uri: FrontChannel = None,
    id_token_alg: IDTokenAlgorithm = None,
    more: MORE = None,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Change what a client is like. What is not named stays.

    What may be repeated is replaced as a whole; --set NAME= takes it away.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import visible
    from .rendering import made_of, render_made

    changes = metadata_from(
        more,
        client_name=name,
        redirect_uris=redirect_uri,
        first_party=first_party,
        scope=scope,
        audiences=api,
        post_logout_redirect_uris=post_logout_uri,
        backchannel_logout_uri=backchannel_logout_uri,
        frontchannel_logout_uri=frontchannel_logout_uri,
        id_token_signed_response_alg=id_token_alg,
    )
    if not changes:
        raise UsageError("Say what is to change: coatcheck client change --help")

    async def action(settings: Settings, flows: Flows) -> Made:
        from ...flows.ending import ADMINISTRATOR

        client, secret = await flows.provider.clients.change(client_id, changes, actor=ADMINISTRATOR)
        return made_of(flows, client, secret=secret)

    made = administer(config, action)
    if made.client_secret is not None or as_json:
        render_made(made, out=None, force=False, as_json=as_json, word="Changed")
    else:
        write_text(f"Changed {visible(made.name)}.")
