"""Signing in: the page, the form, and JSON for what keeps no cookies."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...accounts.errors import InvalidCredentialsError, OverloadedError, TooManyAttemptsError
from ...flows.opening import Request as SignInRequest
from ...sessions.errors import TooManySessionsError
from ..exchange import Exchange
from ..interactions import continuing
from ..pages.views import FormError, SignInView
from ..requests import SignIn, SignInQuery
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]

_NOTICES = {
    "deactivated": "Your account is deactivated, and you are signed out everywhere.",
    "deleted": "Your account and everything in it is deleted.",
    "password": "Your new password is set, and you are signed out everywhere. Sign in with it.",
    "signed-out": "You are signed out everywhere.",
}


async def _show(exchange: Exchange) -> Response:
    query = exchange.query(SignInQuery)
    if await exchange.known() is not None and not query.other:
        return exchange.go_to(exchange.next_path(query.next))
    to = await continuing(exchange, exchange.next_path(query.next))
    view = SignInView(
        next=exchange.kept_next(query.next),
        notice=_NOTICES.get(query.done, ""),
        email=to.login_hint,
        app=to.app,
        other=bool(query.other),
        form_targets=to.targets,
    )
    return await exchange.page(view)


async def _submit(exchange: Exchange, form: SignIn) -> Response:
    request = SignInRequest(
        client=exchange.client,
        credential=form.credential or ("tokens" if exchange.sent_json else "cookie"),
        scope=form.scope,
        device=exchange.device,
        replaces=exchange.cookie(exchange.cookies.session),
    )
    try:
        signed_in = await exchange.flows.sign_in.with_password(form.email, form.password, request=request)
    except (InvalidCredentialsError, OverloadedError, TooManyAttemptsError, TooManySessionsError) as error:
        to = await continuing(exchange, exchange.next_path(form.next))
        view = SignInView(
            next=exchange.kept_next(form.next),
            email=form.email,
            app=to.app,
            form_targets=to.targets,
            errors=(FormError(message=error.message),),
        )
        return await exchange.form_again(error, view)
    return await exchange.signed_in(signed_in, then=exchange.next_path(form.next))


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route("/sign-in", Resource(site, get=_show, post=Post(SignIn, _submit)))]
