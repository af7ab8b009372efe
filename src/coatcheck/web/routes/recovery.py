"""A new password for one that was forgotten. Whether an address has an account is told to nobody but its owner."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ...accounts.errors import InvalidEmailError, OverloadedError, PasswordRefusedError, TooManyAttemptsError
from ..exchange import Exchange
from ..pages.views import ForgottenView, FormError, MailSentView, ResetView
from ..requests import Forgotten, LinkQuery, ResetPassword
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]


async def _show(exchange: Exchange) -> Response:
    return await exchange.page(ForgottenView())


async def _submit(exchange: Exchange, form: Forgotten) -> Response:
    try:
        await exchange.flows.recovery.request(form.email, client=exchange.client)
    except (InvalidEmailError, TooManyAttemptsError) as error:
        field = "email" if isinstance(error, InvalidEmailError) else ""
        errors = (FormError(message=error.message, field=field),)
        return await exchange.form_again(error, ForgottenView(email=form.email, errors=errors))
    if exchange.wants_json:
        return exchange.status("mail_sent", status=202)
    return await exchange.page(
        MailSentView(email=form.email, development_mail_url=exchange.development_mail_url)
    )


async def _look(exchange: Exchange) -> Response:
    token = exchange.query(LinkQuery).token
    email = await exchange.flows.recovery.look(token)
    if exchange.wants_json:
        return exchange.json({"email": email})
    return await exchange.page(ResetView(token=token, email=email))


async def _reset(exchange: Exchange, form: ResetPassword) -> Response:
    recovery = exchange.flows.recovery
    try:
        device = await recovery.reset(
            form.token, form.new_password, client=exchange.client, device=exchange.device
        )
    except (PasswordRefusedError, OverloadedError) as error:
        field = "new_password" if isinstance(error, PasswordRefusedError) else ""
        errors = (FormError(message=error.message, field=field),)
        view = ResetView(token=form.token, email=await recovery.look(form.token), errors=errors)
        return await exchange.form_again(error, view)
    exchange.set_cookies.append(exchange.cookies.known_device(device))
    if exchange.wants_json:
        return exchange.status("password_changed")
    return exchange.go_to(exchange.site.path("/sign-in", done="password"))


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route("/forgotten", Resource(site, get=_show, post=Post(Forgotten, _submit))),
        route("/reset", Resource(site, get=_look, post=Post(ResetPassword, _reset))),
    ]
