"""The public keys that access tokens are verified with (RFC 7517 section 5)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from ...flows.key_schedule import KEY_SET_CACHE
from ..cors import FOR_EVERYBODY
from ..exchange import Exchange
from ..resource import Resource, route
from ..site import Site
from ..written import Written

__all__ = ["routes"]

# A new key is published for longer than this before it signs.
_CACHE: Final = f"public, max-age={int(KEY_SET_CACHE.total_seconds())}"


async def _show(exchange: Exchange) -> Response:
    keys = exchange.flows.context.access_tokens.keys
    body, digest = await keys.jwks(), await keys.digest()
    headers = {"Cache-Control": _CACHE, "ETag": f'"{digest}"', **FOR_EVERYBODY}
    # Weak comparison (RFC 9110 section 13.1.2): who compressed the answer on the way made its tag a weak one.
    known = [
        tag.strip().removeprefix("W/") for tag in exchange.request.headers.get("If-None-Match", "").split(",")
    ]
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/jwk-set+json", headers=headers)


def routes(site: Site) -> list[Route]:
    """Return the route."""
    resource = Resource(site, get=_show, always_json=True)
    state = site.flows.context.access_tokens.keys.digest
    return [route("/.well-known/jwks.json", Written(resource, state, development=site.options.development))]
