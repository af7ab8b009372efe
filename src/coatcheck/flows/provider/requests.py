"""What an authorization request is checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...oauth.authorization_request import Rules
from ...oauth.model import API, OAuthClient
from ...oauth.parameters import Parameters
from .apis import built_in_api, is_built_in
from .hints import subject_of_hint

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["all_apis", "rules_for"]


async def all_apis(context: Context, records: Records) -> list[API]:
    """Return all APIs, the built-in one first."""
    others = [each for each in await records.list_apis() if not is_built_in(context, each.audience)]
    return [await built_in_api(context, records), *others]


async def rules_for(
    context: Context, client: OAuthClient, parameters: Parameters, *, pushed: bool = False
) -> Rules:
    """Return what a request of a client is checked against.

    Raises:
        InvalidRequestError: If its ``id_token_hint`` is none.
    """
    hint = parameters.get("id_token_hint")
    return Rules(
        apis=tuple(await all_apis(context, context.storage.records)),
        built_in=context.access_tokens.audience,
        hybrid=context.provider.hybrid,
        pkce_of_all=context.provider.pkce == "all",
        sign_up=context.policy.sign_up_open,
        hinted=None if hint is None else await subject_of_hint(context, client, hint),
        pushed=pushed,
    )
