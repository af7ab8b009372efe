"""Who is signed in, as JSON for page scripts."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..exchange import Exchange
from ..resource import Resource, route
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    known = await exchange.required()
    await exchange.offer_companions(known)
    identity, session = known.identity, known.session
    return exchange.json(
        {
            "user": exchange.user_json(identity.id, email=identity.email, scopes=identity.scopes),
            "session": {
                "id": session.id,
                "via": identity.via,
                "methods": identity.methods,
                "authenticated_at": int(session.authenticated_at),
                "ends_at": int(known.ends_at),
            },
        }
    )


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/session", Resource(site, get=_show, always_json=True))]
