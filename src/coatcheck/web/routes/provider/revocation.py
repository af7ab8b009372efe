"""The revocation endpoint (RFC 7009): clients say that they need a token no more."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....oauth.errors import InvalidRequestError
from ...client_requests import read_client_request
from ...cors import ForEverybody
from ...exchange import Exchange
from ...resource import Resource
from ...site import Site

__all__ = ["routes"]


async def _revoke(exchange: Exchange) -> Response:
    request = await read_client_request(exchange)
    token = request.parameters.get("token")
    if token is None:
        raise InvalidRequestError("The parameter token is missing.", field="token")
    await exchange.flows.provider.token_revocation.revoke(token, credentials=request.credentials)
    return Response()


def routes(site: Site) -> list[Route]:
    """Return the route. The client's secret gives the request its power, and no cookie, so any origin may ask."""
    endpoint = Resource(site, others={"POST": _revoke}, always_json=True, oauth=True)
    return [Route("/revoke", ForEverybody(endpoint))]
