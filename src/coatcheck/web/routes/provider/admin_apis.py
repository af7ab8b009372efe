"""The registered APIs: for administrators, as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.administering import APIS_SCOPE, Administrator, require_all
from ....flows.provider.apis import is_built_in
from ....oauth.model import API, APIScope
from ...administering import administered
from ...exchange import Exchange
from ...requests import Fields
from ...site import Site

__all__ = ["routes"]


class APIQuery(Fields, frozen=True, kw_only=True):
    """Which API; all of them if none is named."""

    audience: str = ""


class NewAPI(Fields, frozen=True, kw_only=True):
    """An API to be registered: see ``API``. ``token_lifetime`` is in seconds."""

    audience: str
    name: str = ""
    scopes: tuple[APIScope, ...] = ()
    algorithm: str = "ES256"
    token_lifetime: int | None = None


class ChangedAPI(Fields, frozen=True, kw_only=True):
    """What is to change of an API; ``null`` for the lifetime is the server's usual one."""

    audience: str
    name: str | None = None
    scopes: tuple[APIScope, ...] | None = None
    algorithm: str | None = None
    token_lifetime: int | msgspec.UnsetType | None = msgspec.UNSET


class Audience(Fields, frozen=True, kw_only=True):
    """One API."""

    audience: str


def _flat(api: API, secret: str | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "audience": api.audience,
        "name": api.name,
        "scopes": api.scopes,
        "algorithm": api.algorithm,
        "token_lifetime": api.token_lifetime,
        "created_at": int(api.created_at),
    }
    return shown if secret is None else shown | {"secret": secret}


def _span(seconds: int | None) -> timedelta | None:
    """Return a number of seconds as a span: the longest for those that no span could hold."""
    return None if seconds is None else timedelta(seconds=min(max(seconds, -1), 10**9))


async def _list(exchange: Exchange) -> Response:
    apis, query = exchange.flows.provider.apis, exchange.query(APIQuery)
    if query.audience:
        return exchange.json(_flat(await apis.get(query.audience)))
    return exchange.json({"apis": [_flat(each) for each in await apis.list()]})


async def _add(exchange: Exchange, form: NewAPI, _: Administrator) -> Response:
    api, secret = await exchange.flows.provider.apis.add(
        form.audience,
        name=form.name,
        scopes=form.scopes,
        algorithm=form.algorithm,
        token_lifetime=_span(form.token_lifetime),
    )
    return exchange.json(_flat(api, secret), status=201)


async def _change(exchange: Exchange, form: ChangedAPI, by: Administrator) -> Response:
    if is_built_in(exchange.flows.context, form.audience):
        require_all(by)  # its scopes are who administers, and its texts what they are asked
    lifetime = None if form.token_lifetime is msgspec.UNSET else form.token_lifetime
    api, secret = await exchange.flows.provider.apis.change(
        form.audience,
        actor=by.actor,
        name=form.name,
        scopes=form.scopes,
        algorithm=form.algorithm,
        token_lifetime=_span(lifetime),
        usual_lifetime=form.token_lifetime is None,
    )
    return exchange.json(_flat(api, secret))


async def _secret(exchange: Exchange, form: Audience, _: Administrator) -> Response:
    api, secret = await exchange.flows.provider.apis.new_secret(form.audience)
    return exchange.json(_flat(api, secret))


async def _remove(exchange: Exchange, form: Audience, by: Administrator) -> Response:
    await exchange.flows.provider.apis.remove(form.audience, actor=by.actor)
    return exchange.nothing()


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    scope = APIS_SCOPE
    return [
        administered(site, "/admin/apis", scope=scope, get=_list, post=(NewAPI, _add)),
        administered(site, "/admin/apis/change", scope=scope, post=(ChangedAPI, _change)),
        administered(site, "/admin/apis/secret", scope=scope, post=(Audience, _secret)),
        administered(site, "/admin/apis/remove", scope=scope, post=(Audience, _remove)),
    ]
