"""The endpoint for pushed authorization requests (RFC 9126)."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....oauth.parameters import Parameters
from ...client_requests import read_client_request
from ...cors import ForEverybody
from ...exchange import Exchange
from ...resource import Resource
from ...site import Site

__all__ = ["routes"]


async def _push(exchange: Exchange) -> Response:
    request = await read_client_request(exchange)
    values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in request.parameters.items()}
    if request.resources:
        values["resource"] = request.resources
    request_uri, expires_in = await exchange.flows.provider.pushed_requests.push(
        Parameters(values), request.credentials, client=exchange.client
    )
    return exchange.json({"request_uri": request_uri, "expires_in": expires_in}, status=201)


def routes(site: Site) -> list[Route]:
    """Return the route. The client's secret gives the request its power, and no cookie, so any origin may ask."""
    endpoint = Resource(site, others={"POST": _push}, always_json=True, oauth=True)
    return [Route("/par", ForEverybody(endpoint))]
