"""``coatcheck api add``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON, not_empty
from .options import Algorithm, Audience, Everybody, Name, Scope, TokenLife, parse_lifetime, parse_scopes

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import API
    from ...server.settings_model import Settings

__all__ = ["add"]


def add(
    audience: Audience,
    *,
    name: Name = None,
    scope: Scope = None,
    everybody: Everybody = None,
    algorithm: Algorithm = None,
    token_life: TokenLife = None,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Register an API that tokens can be for.

    With HS256, its tokens are signed by a secret of its own, shown once. The
    others: ES256, RS256, PS256, Ed25519, ML-DSA-44, ML-DSA-65, ML-DSA-87.
    """
    from ..configured import administer
    from .rendering import render_secret

    not_empty(name=name, scope=scope, everybody=everybody, algorithm=algorithm)
    scopes, lifetime = parse_scopes(scope, everybody), parse_lifetime(token_life)

    async def action(settings: Settings, flows: Flows) -> tuple[API, str | None]:
        return await flows.provider.apis.add(
            audience, name=name or "", scopes=scopes, algorithm=algorithm or "ES256", token_lifetime=lifetime
        )

    api, secret = administer(config, action, begins=True)
    render_secret(api, secret, as_json=as_json, word="Added")
