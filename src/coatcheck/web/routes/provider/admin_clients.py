"""The registered clients: for administrators, as JSON."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.administering import CLIENTS_SCOPE, Administrator, require_all, require_no_less
from ....flows.provider.clients import trusted_metadata_of
from ....oauth.model import OAuthClient
from ....oauth.registration import read_metadata
from ...administering import administered
from ...exchange import Exchange
from ...requests import Fields
from ...site import Site

__all__ = ["routes"]

_PAGE = 100


class ClientsQuery(Fields, frozen=True, kw_only=True):
    """Which clients.

    Attributes:
        client_id: Only this one.
        after: Only those whose identifiers come later.
    """

    client_id: str = ""
    after: str = ""


class NewClient(Fields, frozen=True, kw_only=True):
    """A client to be registered.

    Attributes:
        metadata: As RFC 7591 has it, with ``first_party`` and ``audiences``.
    """

    metadata: dict[str, Any]


class ChangedClient(Fields, frozen=True, kw_only=True):
    """What is to change of a client.

    Attributes:
        client_id: Which.
        metadata: The members that change; ``null`` takes one away.
    """

    client_id: str
    metadata: dict[str, Any]


class ClientId(Fields, frozen=True, kw_only=True):
    """One client."""

    client_id: str


class NewKey(Fields, frozen=True, kw_only=True):
    """A key that a client is to have.

    Attributes:
        client_id: Which client.
        algorithm: What it signs by.
        keep: Whether its other keys stay good.
    """

    client_id: str
    algorithm: str | None = None
    keep: bool = False


def _flat(client: OAuthClient, **once: Any) -> dict[str, Any]:
    return {
        "client_id": client.id,
        **trusted_metadata_of(client),
        "first_party": client.first_party,
        "registered_by": client.registered_by,
        "created_at": int(client.created_at),
        "disabled": client.disabled_at is not None,
        **{name: value for name, value in once.items() if value is not None},
    }


async def _list(exchange: Exchange) -> Response:
    query, clients = exchange.query(ClientsQuery), exchange.flows.provider.clients
    if query.client_id:
        return exchange.json(_flat(await clients.get(query.client_id)))
    page = await clients.list(after=query.after, limit=_PAGE)
    return exchange.json(
        {"clients": [_flat(each) for each in page], "after": page[-1].id if len(page) == _PAGE else None}
    )


def _require_for(metadata: dict[str, Any], by: Administrator) -> None:
    """Refuse to let somebody call a client the site's own who may not do everything here.

    Nobody is asked before such a client gets whatever they may do: an administrator who follows a link would be enough
    for it to administer.
    """
    if metadata.get("first_party"):
        require_all(by)


async def _add(exchange: Exchange, form: NewClient, by: Administrator) -> Response:
    _require_for(form.metadata, by)
    client, secret = await exchange.flows.provider.clients.add(read_metadata(form.metadata), actor=by.actor)
    return exchange.json(_flat(client, client_secret=secret), status=201)


async def _change(exchange: Exchange, form: ChangedClient, by: Administrator) -> Response:
    _require_for(form.metadata, by)
    await require_no_less(exchange.flows.context, by, form.client_id)
    clients = exchange.flows.provider.clients
    client, secret = await clients.change(form.client_id, form.metadata, actor=by.actor)
    return exchange.json(_flat(client, client_secret=secret))


async def _secret(exchange: Exchange, form: ClientId, by: Administrator) -> Response:
    await require_no_less(exchange.flows.context, by, form.client_id)
    client, secret = await exchange.flows.provider.clients.new_secret(form.client_id)
    return exchange.json(_flat(client, client_secret=secret))


async def _key(exchange: Exchange, form: NewKey, by: Administrator) -> Response:
    await require_no_less(exchange.flows.context, by, form.client_id)
    client, key = await exchange.flows.provider.clients.new_key(
        form.client_id, algorithm=form.algorithm, keep=form.keep
    )
    return exchange.json(_flat(client, key=key))


async def _disable(exchange: Exchange, form: ClientId, by: Administrator) -> Response:
    await require_no_less(exchange.flows.context, by, form.client_id)
    ended = await exchange.flows.provider.clients.disable(form.client_id, actor=by.actor)
    return exchange.json({"ended_sessions": ended})


async def _enable(exchange: Exchange, form: ClientId, by: Administrator) -> Response:
    await require_no_less(exchange.flows.context, by, form.client_id)
    await exchange.flows.provider.clients.enable(form.client_id)
    return exchange.nothing()


async def _remove(exchange: Exchange, form: ClientId, by: Administrator) -> Response:
    await require_no_less(exchange.flows.context, by, form.client_id)
    ended = await exchange.flows.provider.clients.remove(form.client_id, actor=by.actor)
    return exchange.json({"ended_sessions": ended})


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    scope = CLIENTS_SCOPE
    return [
        administered(site, "/admin/clients", scope=scope, get=_list, post=(NewClient, _add)),
        administered(site, "/admin/clients/change", scope=scope, post=(ChangedClient, _change)),
        administered(site, "/admin/clients/secret", scope=scope, post=(ClientId, _secret)),
        administered(site, "/admin/clients/key", scope=scope, post=(NewKey, _key)),
        administered(site, "/admin/clients/disable", scope=scope, post=(ClientId, _disable)),
        administered(site, "/admin/clients/enable", scope=scope, post=(ClientId, _enable)),
        administered(site, "/admin/clients/remove", scope=scope, post=(ClientId, _remove)),
    ]
