"""``coatcheck api change``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..errors import UsageError
from ..options import AsJSON, not_empty
from .options import Algorithm, Audience, Everybody, Name, Scope, TokenLife, parse_lifetime, parse_scopes

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import API
    from ...server.settings_model import Settings

__all__ = ["change"]

UsualLife = Annotated[bool, typer.Option("--usual-token-life", help="As long as the server's own tokens.")]


def change(
    audience: Audience,
    *,
    name: Name = None,
    scope: Scope = None,
    everybody: Everybody = None,
    algorithm: Algorithm = None,
    token_life: TokenLife = None,
    usual_token_life: UsualLife = False,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Change an API. What is not named stays; scopes are replaced as a whole.

    Who was allowed a scope that is gone, loses it, and has to refresh tokens.
    """
    from ..configured import administer
    from .rendering import render_secret

    not_empty(name=name, scope=scope, everybody=everybody, algorithm=algorithm)
    given = (name, scope, everybody, algorithm, token_life, usual_token_life or None)
    if all(each is None for each in given):
        raise UsageError("Say what is to change: coatcheck api change --help")
    if token_life is not None and usual_token_life:
        raise UsageError("Give one of --token-life and --usual-token-life.")
    scopes = parse_scopes(scope, everybody) if scope or everybody else None
    lifetime = parse_lifetime(token_life)

    async def action(settings: Settings, flows: Flows) -> tuple[API, str | None]:
        from ...flows.ending import ADMINISTRATOR

        return await flows.provider.apis.change(
            audience,
            actor=ADMINISTRATOR,
            name=name,
            scopes=scopes,
            algorithm=algorithm,
            token_lifetime=lifetime,
            usual_lifetime=usual_token_life,
        )

    api, secret = administer(config, action)
    render_secret(api, secret, as_json=as_json, word="Changed")
