"""Who administers the provider: a user who has signed in, or a machine with a token of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...identity import Identity
from ...jose import TokenError
from ...oauth.model import APIScope
from ..access_tokens import facts_of
from ..administration import ADMIN_SCOPE
from ..ending import by_user
from ..errors import InsufficientScopeError, InvalidTokenError
from ..recency import require_recent

if TYPE_CHECKING:
    from ..context import Context

__all__ = [
    "ADMINISTRATION",
    "APIS_SCOPE",
    "CLIENTS_SCOPE",
    "Administrator",
    "administering_machine",
    "administering_user",
    "by_client",
    "require_all",
    "require_no_less",
]

CLIENTS_SCOPE: Final = "coatcheck:clients"
"""What is needed to manage clients. ``coatcheck:admin`` implies it."""

APIS_SCOPE: Final = "coatcheck:apis"
"""What is needed to manage APIs, roles and permissions. ``coatcheck:admin`` implies it."""

ADMINISTRATION: Final[dict[str, APIScope]] = {
    each.name: each
    for each in (
        APIScope(name=ADMIN_SCOPE, description="Administer this site"),
        APIScope(name=APIS_SCOPE, description="Manage APIs, roles and permissions"),
        APIScope(name=CLIENTS_SCOPE, description="Manage the registered clients"),
    )
}
"""The scopes of the built-in API that there always are."""


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may administer.

    Attributes:
        actor: Who it is, for the ledger.
        scopes: What they may do.
    """

    actor: str
    scopes: frozenset[str]


def by_client(client_id: str) -> str:
    """Return a client as an actor."""
    return f"client:{client_id}"


def administering_user(context: Context, identity: Identity, *, scope: str, changes: bool) -> Administrator:
    """Return a user as an administrator.

    Args:
        context: Where the time and the limit come from.
        identity: Who asks.
        scope: What they need, if not ``coatcheck:admin``.
        changes: Whether something is to be changed: see ``administration.require_administrator``.

    Raises:
        InsufficientScopeError: If they have neither.
        RecentSignInNeededError: If the sign-in is too long ago.
    """
    found = Administrator(actor=by_user(identity.id), scopes=identity.scopes)
    _require(found, scope)
    if changes and identity.via == "cookie":
        require_recent(context, identity)
    return found


async def administering_machine(context: Context, token: str, *, scope: str) -> Administrator | None:
    """Return a machine as an administrator, by an access token for the built-in API that it got in its own name.

    What the token says is not enough: the client is looked up, and so is what it may do now.

    Args:
        context: What flows share.
        token: The token.
        scope: What it needs, if not ``coatcheck:admin``.

    Returns:
        The administrator; ``None`` for a token that comes from a user's session: it stands for that user.

    Raises:
        InvalidTokenError: If it is not good, or its client is gone or switched off.
        InsufficientScopeError: If it does not cover this.
    """
    await context.ledger.catch_up()
    try:
        claims, kid = await context.access_tokens.verify(token)
    except TokenError as error:
        raise InvalidTokenError(detail=f"{error.code}: {error.message}") from None
    if claims.sid:
        return None
    void = context.ledger.registry.void(facts_of(claims, kid))
    if void is not None:
        raise InvalidTokenError(detail=f"its {void} is in the ledger")
    records = context.storage.records
    client = await records.find_client(claims.client_id)
    if client is None or client.disabled_at is not None or claims.sub != client.id:
        raise InvalidTokenError(detail="its client is gone or switched off, or it is not in its own name")
    permission = await records.find_permission("client", client.id, context.access_tokens.audience)
    permitted = frozenset[str]() if permission is None else permission.scopes
    found = Administrator(actor=by_client(client.id), scopes=permitted.intersection(claims.scope.split(" ")))
    _require(found, scope)
    return found


def require_all(administrator: Administrator) -> None:
    """Do nothing if somebody may do everything here: what it takes to say who administers.

    Raises:
        InsufficientScopeError: If not.
    """
    if ADMIN_SCOPE not in administrator.scopes:
        raise InsufficientScopeError([ADMIN_SCOPE])


async def require_no_less(context: Context, administrator: Administrator, client_id: str) -> None:
    """Do nothing if an administrator may all that a client may here.

    Whoever manages clients could otherwise give a machine that may more another secret, and become that machine; or
    have the answers to a client of the site's own sent elsewhere, which users are not asked about.

    Raises:
        InsufficientScopeError: If the client administers what they may not.
    """
    if ADMIN_SCOPE in administrator.scopes:
        return
    client = await context.storage.records.find_client(client_id)
    if client is not None and client.first_party:
        raise InsufficientScopeError([ADMIN_SCOPE])
    audience = context.access_tokens.audience
    permission = await context.storage.records.find_permission("client", client_id, audience)
    if permission is not None and not administrator.scopes.issuperset(
        permission.scopes & ADMINISTRATION.keys()
    ):
        raise InsufficientScopeError([ADMIN_SCOPE])


def _require(administrator: Administrator, scope: str) -> None:
    if administrator.scopes.isdisjoint((scope, ADMIN_SCOPE)):
        raise InsufficientScopeError([scope])
