"""The password once more, before something delicate."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...accounts.errors import InvalidCredentialsError, OverloadedError, TooManyAttemptsError
from ..exchange import Exchange
from ..interactions import continuing
from ..pages.views import FormError, ReAuthenticateView
from ..requests import NextQuery, ReAuthentication
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    query = exchange.query(NextQuery)
    if await exchange.known() is None and not exchange.wants_json:
        # To sign in is to prove it anew, so that is all that is needed.
        return exchange.go_to(exchange.site.path("/sign-in", next=exchange.kept_next(query.next)))
    await exchange.identity()
    to = await continuing(exchange, exchange.next_path(query.next))
    return await exchange.page(
        ReAuthenticateView(next=exchange.kept_next(query.next), app=to.app, form_targets=to.targets)
    )


async def _submit(exchange: Exchange, form: ReAuthentication) -> Response:
    identity = await exchange.identity()
    try:
        signed_in = await exchange.flows.re_authentication.with_password(
            identity, form.password, client=exchange.client, device=exchange.device
        )
    except (InvalidCredentialsError, OverloadedError, TooManyAttemptsError) as error:
        to = await continuing(exchange, exchange.next_path(form.next))
        view = ReAuthenticateView(
            next=exchange.kept_next(form.next),
            app=to.app,
            form_targets=to.targets,
            errors=(FormError(message=error.message, field="password"),),
        )
        return await exchange.form_again(error, view)
    return await exchange.signed_in(signed_in, then=exchange.next_path(form.next))


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/re-authenticate", Resource(site, get=_show, post=Post(ReAuthentication, _submit)))]
