"""Signing out: the session ends on the server, whatever becomes of the cookie."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..exchange import Exchange
from ..pages.views import SignOutView
from ..requests import NextQuery, SignOut
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    return await exchange.page(SignOutView(next=exchange.kept_next(exchange.query(NextQuery).next)))


async def _submit(exchange: Exchange, form: SignOut) -> Response:
    known = await exchange.known()
    if known is not None:
        await exchange.flows.ending.sign_out(known.identity)
    exchange.signed_out()
    return exchange.nothing() if exchange.wants_json else exchange.go_to(exchange.next_path(form.next))


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/sign-out", Resource(site, get=_show, post=Post(SignOut, _submit)))]
