"""Signing out because a client asks for it (OpenID Connect RP-Initiated Logout 1.0).

Anybody can send a browser here, with anything. So the user is asked, unless the request shows an ID token that was
issued in the very session that is to end: whoever has that can end it. What a client asks for is remembered by the
browser, sealed, from the request to the answer, so that nothing is stored for whoever only asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ..._core import base64url
from ..._core.base64url import Base64URLError
from ..._core.secrets import SealError
from ...identity import Identity
from ...jose import JOSEError
from ...jose.errors import NoMatchingKeyError
from ...jose.hazmat import read_unverified
from ...oauth.errors import InvalidRequestError, UnsafeLogoutError
from ...oauth.logout import (
    LogoutRequest,
    check_names_client,
    check_return_address,
    front_channel_uris,
    read_logout_request,
)
from ...oauth.model import OAuthClient
from ...oauth.parameters import Parameters
from ...sessions.model import Session
from ..ending import Reason, by_user, end_sessions
from .hints import Hint, read_hint

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["FrontChannel", "Logout", "LogoutWish"]

_CONTEXT: Final = "logout-request"
_LONGEST_TICKET: Final = 16_384


class LogoutWish(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A request to sign out that was checked.

    Attributes:
        client_id: The client that is surely meant; ``None`` if it is not known.
        name: What it is called.
        is_shown: Whether an ID token of that client came with it.
        sid: The session that the token was issued in.
        return_to: Where the browser may be sent afterwards, an address of that client.
        state: What is given back there.
        at: When it was checked.
    """

    client_id: str | None = None
    name: str = ""
    is_shown: bool = False
    sid: str = ""
    return_to: str | None = None
    state: str | None = None
    at: float

    def __repr__(self) -> str:
        return f"<LogoutWish of {self.client_id!r}>"


FrontChannel = tuple[str, ...]
"""What a browser loads so that clients hear that it signed out: URLs."""


class Logout:
    """What clients ask for, and its doing."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def read(self, parameters: Parameters) -> LogoutWish:
        """Return what a request asks for, checked.

        An ID token that was signed by a key which is kept no more proves nothing any more: it is as none. Without one,
        and without a ``client_id``, nobody knows whose address it would be that the browser is to be sent to: it is
        sent nowhere.

        Raises:
            UnsafeLogoutError: If the request is malformed, its ID token is none of this server, or of another client,
                or the client has not registered the address.
        """
        request = read_logout_request(parameters)
        shown = await self._shown(request)
        client = await self._client(request.client_id) if shown is None else shown[0]
        if client is None:
            return LogoutWish(at=self._context.clock())
        check_names_client(request, client)
        if request.post_logout_redirect_uri is not None:
            check_return_address(client, request.post_logout_redirect_uri)
        return LogoutWish(
            client_id=client.id,
            name=client.name,
            is_shown=shown is not None,
            sid="" if shown is None else shown[1].sid,
            return_to=request.post_logout_redirect_uri,
            state=request.state,
            at=self._context.clock(),
        )

    def seal(self, wish: LogoutWish) -> str:
        """Return a request for the browser to keep. It cannot be read or changed there, and is good for a while."""
        return base64url.encode(self._context.sealer.seal(msgspec.json.encode(wish), context=_CONTEXT))

    async def open(self, ticket: str) -> LogoutWish:
        """Return a request that the browser kept.

        Raises:
            UnsafeLogoutError: If it is none, too old, or of a client that has changed its addresses since.
        """
        try:
            if len(ticket) > _LONGEST_TICKET or not ticket.isascii():
                raise _over("too long, or not ASCII")
            sealed = base64url.decode(ticket.encode("ascii"))
            opened = self._context.sealer.open(sealed, context=_CONTEXT)
        except (Base64URLError, SealError):
            raise _over("it does not open") from None
        wish = msgspec.json.decode(opened, type=LogoutWish)
        if self._context.clock() >= wish.at + self._context.provider.interaction.total_seconds():
            raise _over("it is too old")
        if wish.client_id is not None:
            client = await self._client(wish.client_id)
            if client is None:
                raise _over("its client is gone")
            if wish.return_to is not None:
                check_return_address(client, wish.return_to)
        return wish

    async def is_of(self, wish: LogoutWish, session: Session) -> bool:
        """Tell whether a request shows an ID token of this very session, so that the user need not be asked.

        One of a session that stands for itself (``offline_access``) belongs to the browser's if both come from the
        same proof of who the user is: the instant tells.
        """
        if not wish.is_shown or not wish.sid:
            return False
        own = await self._context.storage.records.find_session(wish.sid)
        if own is None or (own.client_id, own.user_id) != (wish.client_id, session.user_id):
            return False
        if own.parent_id is None:
            return own.authenticated_at == session.authenticated_at
        return own.parent_id == session.id

    async def end(self, identity: Identity) -> FrontChannel:
        """End the session that asks, and with it those of clients; return what the browser is to load for these."""
        context = self._context
        async with context.storage.transaction(identity.id) as records:
            front_channel = await self._front_channel(records, identity.session_id)
            await end_sessions(
                context,
                records,
                [identity.session_id],
                reason=Reason.SIGNED_OUT,
                actor=by_user(identity.id),
            )
        return front_channel

    async def _front_channel(self, records: Records, session_id: str) -> FrontChannel:
        found: list[tuple[OAuthClient, str]] = []
        for each in await records.list_child_sessions([session_id]):
            client = await records.find_client(each.client_id)
            if client is not None:
                found.append((client, each.id))
        return front_channel_uris(found, issuer=self._context.access_tokens.issuer)

    async def _shown(self, request: LogoutRequest) -> tuple[OAuthClient, Hint] | None:
        """Return the client that an ID token was issued to, and what it says; ``None`` if it proves nothing."""
        hint = request.id_token_hint
        if hint is None:
            return None
        try:
            audience = read_unverified(hint).claims.get("aud")
            client = await self._client(audience if isinstance(audience, str) else None)
            if client is None:
                raise _no_token("its client is unknown")
            return client, await read_hint(self._context, client, hint)
        except NoMatchingKeyError:
            return None
        except (JOSEError, InvalidRequestError, OverflowError) as error:
            raise _no_token(type(error).__name__) from None

    async def _client(self, client_id: str | None) -> OAuthClient | None:
        found = None if client_id is None else await self._context.storage.records.find_client(client_id)
        return None if found is None or found.disabled_at is not None else found


def _no_token(detail: str) -> UnsafeLogoutError:
    return UnsafeLogoutError(
        "The app shows an ID token that is none of this site.", field="id_token_hint", detail=detail
    )


def _over(detail: str) -> UnsafeLogoutError:
    return UnsafeLogoutError(
        "This request to sign out is over. Go back to the app and start again there.", detail=detail
    )
