"""The token endpoint (RFC 6749 sections 3.2 and 6), for clients that carry tokens."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..errors import MalformedRequestError, UnsupportedGrantTypeError
from ..exchange import Exchange
from ..requests import TokenRequest
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]


async def _refresh(exchange: Exchange, form: TokenRequest) -> Response:
    if not form.grant_type:
        raise MalformedRequestError("The parameter grant_type is missing.", field="grant_type")
    if form.grant_type != "refresh_token":
        raise UnsupportedGrantTypeError
    if not form.refresh_token:
        raise MalformedRequestError("The parameter refresh_token is missing.", field="refresh_token")
    return exchange.json(await exchange.flows.tokens.refresh(form.refresh_token, client=exchange.client))


def routes(site: Site) -> list[Route]:
    """Return the route. The secret is in the body: no cookie gives the request its power."""
    refresh = Post(TokenRequest, _refresh, by_cookie=False)
    return [route("/token", Resource(site, post=refresh, always_json=True, oauth=True))]
