"""Revoking on purpose, and what ended lately: for administrators."""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from ...accounts.errors import InvalidEmailError, UnknownUserError
from ...errors import CoatcheckError
from ...flows.administration import ADMIN_SCOPE, require_administrator
from ...flows.ending import by_user
from ...flows.errors import (
    InvalidRevocationError,
    NotOurTokenError,
    UnknownClientError,
    UnknownSessionError,
    UnknownSigningKeyError,
)
from ...identity import Identity
from ...revocation.model import Entry, Kind
from ..errors import NotConfirmedError
from ..exchange import Exchange
from ..pages.views import FormError, RevocationRecord, RevocationsView
from ..pages.wording import describe_actor, describe_reason
from ..requests import Revocation, RevocationsQuery
from ..resource import Post, Resource, route
from ..site import Site

__all__ = ["administrator", "routes"]

_PATH = "/admin/revocations"
_SHOWN = 50
_LISTED = 1_000
_LONGEST_NUMBER = 15
_LONGEST_NAME = 320
_NOTICES: dict[str, str] = {
    "session": "The session has ended.",
    "user": "The user is signed out everywhere, and may sign in again.",
    "token": "The token is void.",
    "client": "What was issued to the client until now is void.",
    "key": "Whatever the key has signed is void, and another one signs from now on.",
    "everything": "Everybody is signed out, and all tokens are void.",
}


class RevocationJSON(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger, on the wire. Times are seconds since 1970."""

    seq: int
    kind: Kind
    value: str
    cutoff: float | None
    reason: str
    actor: str
    at: float
    until: float


async def administrator(exchange: Exchange, *, changes: bool) -> Identity:
    """Return who asks, if they may administer the site.

    Raises:
        NotSignedInError: If nobody is signed in.
        CoatcheckError: What ``require_administrator`` raises.
    """
    identity = (await exchange.required(scope=ADMIN_SCOPE)).identity
    require_administrator(exchange.flows.context, identity, changes=changes)
    return identity


async def _show(exchange: Exchange) -> Response:
    await administrator(exchange, changes=False)
    query = exchange.query(RevocationsQuery)
    if not exchange.wants_json:
        return await exchange.page(await _view(exchange, query, notice=_notice(query)))
    entries = await exchange.flows.revoking.history(limit=_LISTED, before=_number(query.before))
    return exchange.json({"revocations": [_flat(entry) for entry in entries]})


async def _view(
    exchange: Exchange,
    query: RevocationsQuery,
    *,
    notice: str = "",
    errors: tuple[FormError, ...] = (),
    typed: Revocation | None = None,
) -> RevocationsView:
    before = _number(query.before)
    entries = await exchange.flows.revoking.history(limit=_SHOWN, before=before)
    emails = await exchange.flows.revoking.emails(entries)
    records = tuple(
        RevocationRecord(
            seq=entry.seq,
            kind=entry.kind,
            name=emails.get(entry.value, entry.value),
            reason=describe_reason(entry.reason),
            actor=describe_actor(entry.actor, emails),
            at=entry.at,
            until=entry.until,
        )
        for entry in entries
    )
    return RevocationsView(
        entries=records,
        older=entries[-1].seq if len(entries) == _SHOWN else None,
        is_newest=before is None,
        notice=notice,
        errors=errors,
        typed_kind="user" if typed is None or typed.kind == "everything" else typed.kind,
        typed_value="" if typed is None else _sent_back(typed),
    )


async def _revoke(exchange: Exchange, form: Revocation) -> Response:
    identity = await administrator(exchange, changes=True)
    if form.kind == "everything" and form.confirm != "yes" and not exchange.sent_json:
        return await _again(exchange, NotConfirmedError(), form)
    try:
        revoked = await exchange.flows.revoking.one(
            form.kind, form.value.strip(), actor=by_user(identity.id), issued_before=form.issued_before
        )
    except (
        InvalidEmailError,
        InvalidRevocationError,
        NotOurTokenError,
        UnknownClientError,
        UnknownSessionError,
        UnknownSigningKeyError,
        UnknownUserError,
    ) as error:
        return await _again(exchange, error, form)
    return await _revoked(exchange, identity, kind=form.kind, ended=revoked.ended_sessions)


async def _again(exchange: Exchange, error: CoatcheckError, form: Revocation) -> Response:
    everything = form.kind == "everything"
    shown = FormError(
        message=error.message,
        field="" if everything else "value",
        form="everything" if everything else "revoke",
    )
    return await exchange.form_again(
        error, await _view(exchange, RevocationsQuery(), errors=(shown,), typed=form)
    )


async def _revoked(exchange: Exchange, identity: Identity, *, kind: Kind, ended: int) -> Response:
    records = exchange.flows.context.storage.records
    is_over = await records.find_session(identity.session_id) is None
    if is_over and identity.via == "cookie":
        exchange.signed_out()
    if exchange.wants_json:
        return exchange.json({"ended_sessions": ended})
    if is_over:
        return exchange.go_to(exchange.site.path("/sign-in", done="signed-out"))
    return exchange.go_to(exchange.site.path(_PATH, done=kind, ended=str(ended)))


def _notice(query: RevocationsQuery) -> str:
    done = _NOTICES.get(query.done, "")
    ended = _number(query.ended) or 0
    if not done or query.done == "session" or not ended:
        return done
    return f"{done} {ended:,} session{'' if ended == 1 else 's'} ended."


def _sent_back(form: Revocation) -> str:
    """Return what was typed, to be mended: not what may be a token, and nothing that a name cannot be a slip of."""
    harmless = len(form.value) <= _LONGEST_NAME and form.value.isprintable()
    return form.value if harmless and form.kind != "token" else ""


def _number(text: str) -> int | None:
    """Return the number that a query names, ``None`` if it is none: a link that was cut short shows the beginning."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _flat(entry: Entry) -> RevocationJSON:
    return RevocationJSON(
        seq=entry.seq,
        kind=entry.kind,
        value=entry.value,
        cutoff=entry.cutoff,
        reason=entry.reason,
        actor=entry.actor,
        at=entry.at,
        until=entry.until,
    )


def routes(site: Site) -> list[Route]:
    """Return the route."""
    return [route(_PATH, Resource(site, get=_show, post=Post(Revocation, _revoke), back=_PATH))]
