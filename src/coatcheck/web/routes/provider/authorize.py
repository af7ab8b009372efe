"""The authorization endpoint: where clients send browsers (RFC 6749 section 3.1).

It never answers scripts of other origins (OAuth 2.1 section 3.1), and nothing of it is shown in a frame.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...exchange import Exchange
from ...interactions import answer, browser_session
from ...resource import Resource, route
from ...site import Site
from .parameters import read_parameters

__all__ = ["routes"]


async def _begin(exchange: Exchange) -> Response:
    outcome = await exchange.flows.provider.authorization.begin(
        await read_parameters(exchange), session_id=await browser_session(exchange), client=exchange.client
    )
    return await answer(exchange, outcome)


async def _begin_by_form(exchange: Exchange) -> Response:
    """Begin with what a form brings (OpenID Connect Core section 3.1.2.1).

    It comes from another site, so that no cookie came with it. Who is signed in is seen when the browser comes back
    from being sent on, which is a navigation of its own.
    """
    outcome = await exchange.flows.provider.authorization.begin(
        await read_parameters(exchange), session_id=None, client=exchange.client, deferred=True
    )
    return await answer(exchange, outcome)


def routes(site: Site) -> list[Route]:
    """Return the route. There is no HEAD: to ask is to be answered, and an answer is given once."""
    return [route("/authorize", Resource(site, others={"GET": _begin, "POST": _begin_by_form}))]
