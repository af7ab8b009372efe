"""The introspection endpoint (RFC 7662), for services and clients that have to ask; as JWTs too (RFC 9701)."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...flows.introspection import Asker
from ...flows.provider.client_authentication import authenticate
from ...oauth.errors import InvalidClientError
from ..client_requests import ClientRequest, read_client_request
from ..content_type import media_type
from ..errors import MalformedRequestError
from ..exchange import Exchange
from ..gate import bearer_token
from ..resource import Resource, route
from ..service_access import require_service
from ..site import Site

__all__ = ["routes"]

_SIGNED = "application/token-introspection+jwt"


async def _introspect(exchange: Exchange) -> Response:
    request = await read_client_request(exchange)
    asker = await _asker(exchange, request)
    token = request.parameters.get("token")
    if token is None:
        raise MalformedRequestError("The parameter token is missing.", field="token")
    introspection = exchange.flows.introspection
    state = await introspection.introspect(token, service=asker)
    if _SIGNED not in (media_type(each) for each in exchange.request.headers.get("accept", "").split(",")):
        return exchange.json(state)
    return Response(await introspection.sign(state, service=asker), media_type=_SIGNED)


async def _asker(exchange: Exchange, request: ClientRequest) -> Asker:
    """Return who asks: the service whose key came, or the client that proved itself.

    In development too: who may ask whether a token is good may try tokens (RFC 7662 section 4). So a public client, of
    which anybody knows the name, may not.
    """
    if bearer_token(exchange.request.scope["headers"]) is not None or request.credentials.are_none:
        return await require_service(exchange)
    client = await authenticate(exchange.flows.context, request.credentials, endpoint="introspect")
    if client.is_public:
        raise InvalidClientError(detail=f"introspect: client {client.id} is public")
    return client


def routes(site: Site) -> list[Route]:
    """Return the route. A service's key or a client's secret gives the request its power, and no cookie."""
    return [route("/introspect", Resource(site, others={"POST": _introspect}, always_json=True, oauth=True))]
