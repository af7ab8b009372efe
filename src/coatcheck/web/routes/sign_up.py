"""Signing up: the wish, and the link that proves the address.

Looking at the link changes nothing; the button does. The browser that asked keeps a cookie meanwhile, and in it where
its user wanted to go.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..._core import base64url
from ...accounts.errors import (
    InvalidCredentialsError,
    InvalidEmailError,
    OverloadedError,
    PasswordRefusedError,
    TooManyAttemptsError,
)
from ...errors import CoatcheckError
from ...flows.errors import SignUpClosedError
from ...flows.opening import Request as SignInRequest
from ..exchange import Exchange
from ..interactions import continuing
from ..pages.views import CheckInboxView, ConfirmSignUpView, FormError, SignUpView
from ..redirects import HOME
from ..requests import ConfirmSignUp, LinkQuery, SignUp, SignUpQuery
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]

_PENDING_LIFETIME = 24 * 3600
_FIELDS: dict[type[CoatcheckError], str] = {InvalidEmailError: "email", PasswordRefusedError: "password"}


async def _show(exchange: Exchange) -> Response:
    query = exchange.query(SignUpQuery)
    if await exchange.known() is not None and not query.other:
        return exchange.go_to(exchange.next_path(query.next))
    if exchange.site.options.sign_up == "closed":
        raise SignUpClosedError
    to = await continuing(exchange, exchange.next_path(query.next))
    return await exchange.page(
        SignUpView(next=exchange.kept_next(query.next), email=to.login_hint, app=to.app)
    )


async def _submit(exchange: Exchange, form: SignUp) -> Response:
    try:
        binding = await exchange.flows.sign_up.request(form.email, form.password, client=exchange.client)
    except (InvalidEmailError, PasswordRefusedError, OverloadedError, TooManyAttemptsError) as error:
        errors = (FormError(message=error.message, field=_FIELDS.get(type(error), "")),)
        return await exchange.form_again(
            error, SignUpView(next=exchange.kept_next(form.next), email=form.email, errors=errors)
        )
    pending = _pending_value(binding, exchange.next_path(form.next))
    exchange.set_cookies.append(exchange.cookies.pending.set(pending, max_age=_PENDING_LIFETIME))
    if exchange.wants_json:
        return exchange.status("confirmation_sent", status=202)
    return await exchange.page(
        CheckInboxView(email=form.email, development_mail_url=exchange.development_mail_url)
    )


async def _look(exchange: Exchange) -> Response:
    query = exchange.query(LinkQuery)
    binding, next_path = _pending(exchange)
    pending = await exchange.flows.sign_up.look(query.token, binding=binding)
    if exchange.wants_json:
        return exchange.json({"email": pending.email, "needs_password": pending.needs_password})
    to = await continuing(exchange, exchange.next_path(query.next or next_path))
    return await exchange.page(
        ConfirmSignUpView(
            token=query.token,
            email=pending.email,
            needs_password=pending.needs_password,
            next=exchange.kept_next(query.next or next_path),
            form_targets=to.targets,
        )
    )


async def _confirm(exchange: Exchange, form: ConfirmSignUp) -> Response:
    binding, _ = _pending(exchange)
    request = SignInRequest(
        client=exchange.client,
        credential=form.credential or ("tokens" if exchange.sent_json else "cookie"),
        device=exchange.device,
        replaces=exchange.cookie(exchange.cookies.session),
    )
    try:
        signed_in = await exchange.flows.sign_up.confirm(
            form.token, binding=binding, password=form.password, request=request
        )
    except (InvalidCredentialsError, OverloadedError, TooManyAttemptsError) as error:
        pending = await exchange.flows.sign_up.look(form.token, binding=binding)
        to = await continuing(exchange, exchange.next_path(form.next))
        view = ConfirmSignUpView(
            token=form.token,
            email=pending.email,
            needs_password=pending.needs_password,
            next=exchange.kept_next(form.next),
            errors=(FormError(message=error.message, field="password"),),
            form_targets=to.targets,
        )
        return await exchange.form_again(error, view)
    exchange.set_cookies.append(exchange.cookies.pending.clear())
    return await exchange.signed_in(signed_in, then=exchange.next_path(form.next))


def _pending_value(binding: str, next_path: str) -> str:
    """Return what the browser keeps. A path too long for a cookie is not worth keeping."""
    kept = base64url.encode(next_path.encode("ascii")) if next_path != HOME else ""
    return f"{binding}.{kept}"


def _pending(exchange: Exchange) -> tuple[str | None, str]:
    """Return what binds the browser to its sign-up, and where its user wanted to go, if it was this browser."""
    value = exchange.cookie(exchange.cookies.pending)
    if value is None:
        return None, ""
    binding, _, kept = value.partition(".")
    try:
        next_path = base64url.decode(kept.encode("latin-1")).decode("ascii")
    except ValueError:
        next_path = ""
    return binding, next_path


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route("/sign-up", Resource(site, get=_show, post=Post(SignUp, _submit))),
        route("/sign-up/confirm", Resource(site, get=_look, post=Post(ConfirmSignUp, _confirm))),
    ]
