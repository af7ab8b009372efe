"""The account: its password, its address, and the ways out."""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from ...accounts.errors import (
    InvalidCredentialsError,
    InvalidEmailError,
    OverloadedError,
    PasswordRefusedError,
    TooManyAttemptsError,
)
from ...errors import CoatcheckError
from ...flows.administration import ADMIN_SCOPE
from ...flows.provider.errors import InvalidProfileError
from ..errors import NotConfirmedError
from ..exchange import Exchange
from ..pages.views import AccountView, ConfirmEmailView, FormError
from ..requests import ChangePassword, Confirmation, ConfirmEmail, DoneQuery, LinkQuery, NewEmail, ProfileForm
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["routes"]

_NOTICES = {
    "email": "Your new address is confirmed. All other sessions have ended.",
    "email-sent": "A mail is on its way to the new address. The link in it confirms the change.",
    "password": "Your password is changed. All other sessions have ended.",
    "profile": "Your profile is saved.",
}
_FIELDS: dict[type[CoatcheckError], str] = {
    InvalidCredentialsError: "current_password",
    InvalidEmailError: "new_email",
    NotConfirmedError: "confirm",
    PasswordRefusedError: "new_password",
}


async def _show(exchange: Exchange) -> Response:
    known = await exchange.required()
    if exchange.wants_json:
        user = exchange.user_json(known.user.id, email=known.user.email, scopes=known.identity.scopes)
        return exchange.json({"user": user, "created_at": int(known.user.created_at)})
    notice = _NOTICES.get(exchange.query(DoneQuery).done, "")
    return await exchange.page(await _view(exchange, notice=notice))


async def _view(
    exchange: Exchange,
    *,
    notice: str = "",
    errors: tuple[FormError, ...] = (),
    typed_email: str = "",
    typed_profile: dict[str, str] | None = None,
) -> AccountView:
    known = await exchange.required()
    profile = await exchange.flows.provider.profiles.get(known.user.id)
    shown = {name: value for name, value in profile.items() if isinstance(value, str)}
    return AccountView(
        scopes=tuple(sorted(known.identity.scopes)),
        created_at=known.user.created_at,
        authenticated_at=known.session.authenticated_at,
        device_count=len(await exchange.flows.ending.list_devices(known.identity)),
        typed_email=typed_email,
        is_administrator=ADMIN_SCOPE in known.identity.scopes,
        notice=notice,
        errors=errors,
        profile={**shown, **(typed_profile or {})},
    )


async def _again(exchange: Exchange, error: CoatcheckError, *, form: str, typed_email: str = "") -> Response:
    errors = (FormError(message=error.message, field=_FIELDS.get(type(error), ""), form=form),)
    return await exchange.form_again(error, await _view(exchange, errors=errors, typed_email=typed_email))


async def _change_password(exchange: Exchange, form: ChangePassword) -> Response:
    identity = await exchange.identity()
    try:
        signed_in = await exchange.flows.account.change_password(
            identity, form.current_password, form.new_password, client=exchange.client, device=exchange.device
        )
    except (
        InvalidCredentialsError,
        OverloadedError,
        PasswordRefusedError,
        TooManyAttemptsError,
    ) as error:
        return await _again(exchange, error, form="password")
    return await exchange.signed_in(signed_in, then=exchange.site.path("/account", done="password"))


async def _change_email(exchange: Exchange, form: NewEmail) -> Response:
    identity = await exchange.identity()
    try:
        await exchange.flows.account.request_email_change(identity, form.new_email, client=exchange.client)
    except (InvalidEmailError, TooManyAttemptsError) as error:
        return await _again(exchange, error, form="email", typed_email=form.new_email)
    if exchange.wants_json:
        return exchange.status("confirmation_sent", status=202)
    return exchange.go_to(exchange.site.path("/account", done="email-sent"))


async def _change_profile(exchange: Exchange, form: ProfileForm) -> Response:
    known = await exchange.required()
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not None}
    try:
        profile = await exchange.flows.provider.profiles.change(known.user.id, given)
    except InvalidProfileError as error:
        errors = (FormError(message=error.message, field=error.field, form="profile"),)
        return await exchange.form_again(error, await _view(exchange, errors=errors, typed_profile=given))
    if exchange.wants_json:
        return exchange.json({"profile": profile})
    return exchange.go_to(exchange.site.path("/account", done="profile"))


async def _look(exchange: Exchange) -> Response:
    token = exchange.query(LinkQuery).token
    # Only the account's owner may use the link, so who is not signed in is sent to do so first.
    await exchange.identity()
    email = await exchange.flows.account.look_email_change(token)
    if exchange.wants_json:
        return exchange.json({"email": email})
    return await exchange.page(ConfirmEmailView(token=token, email=email))


async def _confirm_email(exchange: Exchange, form: ConfirmEmail) -> Response:
    identity = await exchange.identity()
    await exchange.flows.account.confirm_email_change(identity, form.token, client=exchange.client)
    if exchange.wants_json:
        return exchange.status("email_changed")
    return exchange.go_to(exchange.site.path("/account", done="email"))


async def _deactivate(exchange: Exchange, form: Confirmation) -> Response:
    identity = await exchange.recent_identity()
    if form.confirm != "yes":
        return await _again(exchange, NotConfirmedError(), form="deactivate")
    await exchange.flows.account.deactivate(identity)
    return _gone(exchange, "deactivated")


async def _delete(exchange: Exchange, form: Confirmation) -> Response:
    identity = await exchange.recent_identity()
    if form.confirm != "yes":
        return await _again(exchange, NotConfirmedError(), form="delete")
    await exchange.flows.account.delete(identity)
    return _gone(exchange, "deleted")


def _gone(exchange: Exchange, done: str) -> Response:
    exchange.signed_out()
    if exchange.wants_json:
        return exchange.nothing()
    return exchange.go_to(exchange.site.path("/sign-in", done=done))


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route("/account", Resource(site, get=_show)),
        route(
            "/account/password",
            Resource(site, post=Post(ChangePassword, _change_password), back="/account"),
        ),
        route("/account/email", Resource(site, post=Post(NewEmail, _change_email), back="/account")),
        route("/account/profile", Resource(site, post=Post(ProfileForm, _change_profile), back="/account")),
        route(
            "/account/email/confirm",
            Resource(site, get=_look, post=Post(ConfirmEmail, _confirm_email)),
        ),
        route("/account/deactivate", Resource(site, post=Post(Confirmation, _deactivate), back="/account")),
        route("/account/delete", Resource(site, post=Post(Confirmation, _delete), back="/account")),
    ]
