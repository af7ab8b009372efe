"""The public keys that access tokens are verified with (RFC 7517 section 5)."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..._core import json
from ..exchange import Exchange
from ..resource import Resource, route
from ..site import Site

__all__ = ["routes"]

_CACHE = "public, max-age=300"  # a new key is published for longer than this before it signs


async def _show(exchange: Exchange) -> Response:
    keys = await exchange.flows.context.access_tokens.key_set()
    return Response(
        json.encode(keys.to_jwks()),
        media_type="application/jwk-set+json",
        headers={"Cache-Control": _CACHE},
    )


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/.well-known/jwks.json", Resource(site, get=_show, always_json=True))]
