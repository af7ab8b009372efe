"""Signing out: the session ends on the server, whatever becomes of the cookie."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..exchange import Exchange
from ..pages.views import SignOutView
from ..requests import NextQuery, SignOut
from ..resource import Post, Resource, route
from ..signing_out import farewell
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    return await exchange.page(SignOutView(next=exchange.kept_next(exchange.query(NextQuery).next)))


async def _submit(exchange: Exchange, form: SignOut) -> Response:
    known = await exchange.known()
    front_channel = () if known is None else await exchange.flows.provider.logout.end(known.identity)
    exchange.signed_out()
    if exchange.wants_json:
        return exchange.nothing()
    return farewell(exchange, front_channel, next_url=exchange.next_path(form.next), place="this site")


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/sign-out", Resource(site, get=_show, post=Post(SignOut, _submit)))]
