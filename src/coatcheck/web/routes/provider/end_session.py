"""Signing out because an app asks for it (OpenID Connect RP-Initiated Logout 1.0).

It never answers scripts of other origins, and nothing of it is shown in a frame.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....flows.authentication import Known
from ....flows.provider.logout import LogoutWish
from ....oauth.display import shown_place
from ....oauth.errors import UnsafeLogoutError, UnsafeRequestError
from ....oauth.logout import return_location
from ....oauth.parameters import Parameters
from ...exchange import Exchange
from ...headers import form_target
from ...pages.views import EndSessionView, SignedOutOfView
from ...requests import EndSession
from ...resource import Post, Resource, route
from ...signing_out import farewell
from ...site import Site
from .parameters import read_parameters

__all__ = ["routes"]

_PATH = "/end-session"


async def _begin(exchange: Exchange) -> Response:
    parameters = await _parameters(exchange)
    logout = exchange.flows.provider.logout
    ticket = parameters.get("ticket")
    wish = await logout.read(parameters) if ticket is None else await logout.open(ticket)
    known = await _browser(exchange)
    if known is None:
        return await _nobody(exchange, wish)
    if await logout.is_of(wish, known.session):
        return await _sign_out(exchange, wish, known)
    return await _ask(exchange, wish, email=known.user.email)


async def _begin_by_form(exchange: Exchange) -> Response:
    """Begin with what a form brings (section 2).

    It comes from another site, so that no cookie came with it. Who is signed in is seen when the browser comes back
    from being sent on, which is a navigation of its own; and no ID token gets into an address.
    """
    logout = exchange.flows.provider.logout
    wish = await logout.read(await _parameters(exchange))
    return exchange.go_to(exchange.site.path(_PATH, ticket=logout.seal(wish)))


async def _confirm(exchange: Exchange, form: EndSession) -> Response:
    wish = await exchange.flows.provider.logout.open(form.ticket)
    known = await _browser(exchange)
    if known is not None:
        return await _sign_out(exchange, wish, known)
    exchange.signed_out()  # whatever the browser still holds
    url, place = _way(wish)
    return farewell(exchange, (), next_url=url, place=place)


async def _parameters(exchange: Exchange) -> Parameters:
    try:
        return await read_parameters(exchange)
    except UnsafeRequestError as error:
        raise UnsafeLogoutError(error.message, detail=error.detail) from None


async def _browser(exchange: Exchange) -> Known | None:
    """Return whose session the browser has, by its cookie: a token is no session of a browser."""
    known = await exchange.known()
    return known if known is not None and known.identity.via == "cookie" else None


async def _nobody(exchange: Exchange, wish: LogoutWish) -> Response:
    """Answer where nobody is signed in, as far as the request shows: there is nothing to end.

    Only where an ID token shows that the app means it, the browser is sent on. To an address that anybody can have it
    sent to, there is a link.
    """
    if exchange.cookies.session.same_site == "Strict":
        # From another site, no cookie comes along: the page's own form will bring it.
        return await _ask(exchange, wish)
    url, place = _way(wish)
    if wish.is_shown:
        return farewell(exchange, (), next_url=url, place=place)
    return exchange.site.pages.render(SignedOutOfView(next=url, place=place))


async def _ask(exchange: Exchange, wish: LogoutWish, *, email: str = "") -> Response:
    url, place = _way(wish)
    view = EndSessionView(
        ticket=exchange.flows.provider.logout.seal(wish),
        email=email,
        app=wish.name,
        place=place,
        form_targets=(form_target(url),) if url else (),
    )
    return await exchange.page(view)


async def _sign_out(exchange: Exchange, wish: LogoutWish, known: Known) -> Response:
    front_channel = await exchange.flows.provider.logout.end(known.identity)
    url, place = _way(wish)
    exchange.signed_out()
    return farewell(exchange, front_channel, next_url=url, place=place)


def _way(wish: LogoutWish) -> tuple[str, str]:
    if wish.return_to is None:
        return "", ""
    return return_location(wish.return_to, wish.state), shown_place(wish.return_to)


def routes(site: Site) -> list[Route]:
    """Return the routes. There is no HEAD: to ask may be to be signed out."""
    return [
        route(_PATH, Resource(site, others={"GET": _begin, "POST": _begin_by_form})),
        route(f"{_PATH}/confirm", Resource(site, post=Post(EndSession, _confirm))),
    ]
