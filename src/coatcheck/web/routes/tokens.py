"""The token endpoint (RFC 6749 section 3.2): for registered clients, and for this site's own that carry tokens."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...flows.provider.grants.model import TokenRequest
from ..client_requests import read_client_request
from ..cors import ForEverybody
from ..exchange import Exchange
from ..resource import Resource
from ..site import Site

__all__ = ["routes"]


async def _answer(exchange: Exchange) -> Response:
    request = await read_client_request(exchange)
    answer = await exchange.flows.provider.token_endpoint.answer(
        TokenRequest(
            parameters=request.parameters,
            resources=request.resources,
            credentials=request.credentials,
            sender=exchange.client,
        )
    )
    return exchange.json(answer)


def routes(site: Site) -> list[Route]:
    """Return the route. The secret is in the request: no cookie gives it its power, so any origin may ask."""
    endpoint = Resource(site, others={"POST": _answer}, always_json=True, oauth=True)
    return [Route("/token", ForEverybody(endpoint))]
