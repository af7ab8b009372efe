"""Clients that register themselves, and manage their registration (RFC 7591 section 3, RFC 7592 section 2)."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.registration import Registered
from ....oauth.errors import InvalidClientMetadataError
from ....oauth.registration import metadata_of
from ...bodies import read_document
from ...cors import ForEverybody
from ...errors import MalformedRequestError
from ...exchange import Exchange
from ...gate import bearer_token
from ...resource import Resource, route
from ...site import Site
from ..metadata import base_of

__all__ = ["routes"]

_MAX_DEPTH: Final = 8  # of a JWK Set in the metadata, and what is ignored


async def _document(exchange: Exchange) -> dict[str, Any]:
    try:
        return await read_document(exchange.request, max_depth=_MAX_DEPTH)
    except MalformedRequestError as error:
        raise InvalidClientMetadataError(error.message) from None


def _token(exchange: Exchange) -> str | None:
    return bearer_token(exchange.request.scope["headers"])


def _shown(exchange: Exchange, registered: Registered) -> dict[str, Any]:
    """Return the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    client = registered.client
    shown = {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at),
        **metadata_of(client),
        "registration_access_token": registered.token,
        "registration_client_uri": f"{base_of(exchange)}/register/{client.id}",
    }
    if registered.secret is not None:
        shown |= {"client_secret": registered.secret, "client_secret_expires_at": 0}
    return shown


async def _register(exchange: Exchange) -> Response:
    registered = await exchange.flows.provider.registration.register(
        await _document(exchange), token=_token(exchange), client=exchange.client
    )
    return exchange.json(_shown(exchange, registered), status=201)


async def _read(exchange: Exchange) -> Response:
    registered = await exchange.flows.provider.registration.read(
        exchange.path_param("client_id"), token=_token(exchange)
    )
    return exchange.json(_shown(exchange, registered))


async def _update(exchange: Exchange) -> Response:
    registered = await exchange.flows.provider.registration.update(
        exchange.path_param("client_id"), await _document(exchange), token=_token(exchange)
    )
    return exchange.json(_shown(exchange, registered))


async def _delete(exchange: Exchange) -> Response:
    await exchange.flows.provider.registration.delete(
        exchange.path_param("client_id"), token=_token(exchange)
    )
    return exchange.nothing()


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    collection = Resource(site, others={"POST": _register}, always_json=True, oauth=True)
    one = Resource(site, get=_read, others={"PUT": _update, "DELETE": _delete}, always_json=True, oauth=True)
    return [
        route("/register", ForEverybody(collection)),
        route("/register/{client_id}", ForEverybody(one, methods="GET, PUT, DELETE")),
    ]
