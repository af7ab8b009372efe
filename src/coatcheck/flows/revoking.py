"""Revoking on purpose: what an administrator does when something was lost, stolen, leaked or restored.

Each method is one transaction. What it writes in the ledger:

==============  =====================================================================================================
``session``     the session, by its name: its cookie, its refresh tokens, its access tokens
``user``        each of the user's sessions by its name, and one cut-off of the user for what has none: credentials
                that verifiers hold of sessions which this database does not know (any more)
``token``       the token, by its ``jti``; its session lives on and can have another one
``client``      a cut-off: access tokens of the client, which it may refresh
``key``         the key: whatever it has signed
``everything``  one cut-off of everything, however many sessions end with it
==============  =====================================================================================================

A name voids all of its family, whenever it was issued; a cut-off voids the rest, up to its instant. Neither does the
other's work, and no family has two of either.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import msgspec

from ..accounts.email_address import parse_email
from ..accounts.errors import UnknownUserError
from ..accounts.model import User
from ..identity import FIRST_PARTY
from ..jose import TokenError
from ..revocation.model import EVERYTHING, Entry, Facts, Kind
from .access_tokens import facts_of
from .context import Context
from .ending import Reason, end_all_sessions, end_sessions, revoke, void_earlier
from .errors import (
    InvalidRevocationError,
    NotOurTokenError,
    UnknownClientError,
    UnknownSessionError,
)
from .key_rotation import KeyRotation
from .ports import Records
from .provider.secret_tokens import verify_wherever

__all__ = ["Revoked", "Revoking"]

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_JTI = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)  # as _core.secrets.new_identifier makes them
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,256}", re.ASCII)
_KID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_LONGEST_TOKEN = 16_384
_PAGE = 100


class Revoked(msgspec.Struct, frozen=True, kw_only=True):
    """What was revoked.

    Attributes:
        kind: What kind of thing.
        value: Which, as it stands in the ledger.
        ended_sessions: How many sessions that ended.
    """

    kind: Kind
    value: str
    ended_sessions: int = 0


class Revoking:
    """Ends access, one method for each kind of what can be named. ``actor`` is who does it, for the ledger."""

    def __init__(self, context: Context, keys: KeyRotation) -> None:
        """Take what all flows share, and what replaces keys."""
        self._context = context
        self._keys = keys

    async def one(self, kind: Kind, value: str, *, actor: str, issued_before: float | None = None) -> Revoked:
        """Revoke what is named by its kind and value. ``issued_before`` is for everything only.

        Raises:
            CoatcheckError: What the kind's own method raises.
        """
        if issued_before is not None and kind != "everything":
            raise InvalidRevocationError(
                "Only everything can be revoked as of an instant.", field="issued_before"
            )
        match kind:
            case "session":
                return await self.session(value, actor=actor)
            case "user":
                return await self.user(value, actor=actor)
            case "token":
                return await self.token(value, actor=actor)
            case "client":
                return await self.client(value, actor=actor)
            case "key":
                return await self.key(value, actor=actor)
            case "everything":
                if value:
                    raise InvalidRevocationError("Everything has no name: leave the value out.")
                return await self.everything(actor=actor, issued_before=issued_before)

    async def session(self, session_id: str, *, actor: str) -> Revoked:
        """End one session, with its refresh tokens and access tokens.

        Raises:
            InvalidRevocationError: If this is no identifier.
            UnknownSessionError: If there is no such session (any more).
        """
        _check(_IDENTIFIER, session_id, "This is not the identifier of a session.")
        owner = await self._context.owners.of(self._context.storage.records, session_id)
        if owner is None:
            raise UnknownSessionError
        async with self._context.storage.transaction(owner) as records:
            reason = Reason.ENDED_BY_ADMINISTRATOR
            if not await end_sessions(self._context, records, [session_id], reason=reason, actor=actor):
                raise UnknownSessionError
        return Revoked(kind="session", value=session_id, ended_sessions=1)

    async def user(self, email_or_id: str, *, actor: str) -> Revoked:
        """End all sessions of a user, and void whatever else was issued for them until now. They may sign in again.

        Args:
            email_or_id: The user's e-mail address or identifier.
            actor: Who does it.

        Raises:
            InvalidEmailError: If this is neither.
            UnknownUserError: If there is no such user.
        """
        context, reason = self._context, Reason.ENDED_BY_ADMINISTRATOR
        async with context.storage.transaction() as records:
            user = await _find_user(records, email_or_id)
            ended = await end_all_sessions(context, records, user.id, reason=reason, actor=actor)
            await void_earlier(context, records, ("user", user.id), reason=reason, actor=actor)
        return Revoked(kind="user", value=user.id, ended_sessions=len(ended))

    async def token(self, token: str, *, actor: str) -> Revoked:
        """Void one access token.

        Args:
            token: Its ``jti``, or the token itself, which must then be one of this server that is still good: one that
                is not needs no revoking. It is neither stored nor logged.
            actor: Who does it.

        Raises:
            NotOurTokenError: If it is not a good token of this server for its API.
            InvalidRevocationError: If this is neither a token nor a ``jti``.
        """
        facts = await self._facts(token)
        await self._context.ledger.catch_up()
        # What is void already gets no second entry.
        if self._context.ledger.registry.void(facts) is None:
            async with self._context.storage.transaction(facts.jti) as records:
                reason = Reason.ENDED_BY_ADMINISTRATOR
                await revoke(self._context, records, [("token", facts.jti)], reason=reason, actor=actor)
        return Revoked(kind="token", value=facts.jti)

    async def client(self, client_id: str, *, actor: str) -> Revoked:
        """Void all access tokens that were issued to a client until now. Sessions live on, and may refresh.

        Args:
            client_id: A registered client, or ``first-party``: whoever signs in at this server itself.
            actor: Who does it.

        Raises:
            InvalidRevocationError: If this is no identifier of a client (RFC 6749 appendix A.1).
            UnknownClientError: If there is no such client.
        """
        _check(_CLIENT_ID, client_id, "This is not the identifier of a client.")
        async with self._context.storage.transaction() as records:
            if client_id != FIRST_PARTY and await records.find_client(client_id) is None:
                raise UnknownClientError
            reason = Reason.ENDED_BY_ADMINISTRATOR
            await void_earlier(self._context, records, ("client", client_id), reason=reason, actor=actor)
        return Revoked(kind="client", value=client_id)

    async def key(self, kid: str, *, actor: str) -> Revoked:
        """Void whatever a signing key has signed, and replace it: somebody else may have it.

        Raises:
            InvalidRevocationError: If this is no identifier of a key.
            UnknownSigningKeyError: If there is no such key.
        """
        _check(_KID, kid, "This is not the identifier of a key.")
        await self._keys.rotate(compromised=True, kids=[kid], actor=actor)
        return Revoked(kind="key", value=kid)

    async def everything(self, *, actor: str, issued_before: float | None = None) -> Revoked:
        """End all sessions, and void all access tokens that were issued until now. Everybody may sign in again.

        Args:
            actor: Who does it.
            issued_before: End only the sessions that began before this instant. Access tokens are void all the same,
                as none says when its session began: who is still signed in refreshes them without noticing.

        Raises:
            InvalidRevocationError: If the instant is none, or has not come yet.
        """
        context = self._context
        async with context.storage.transaction() as records:
            now = context.clock()
            # "Not between" rather than "outside": what is no number is neither.
            if issued_before is not None and not 0 <= issued_before <= now:
                raise InvalidRevocationError(
                    "The instant is none that has passed: give seconds since 1970.", field="issued_before"
                )
            ended = await records.delete_all_sessions(now, begun_before=issued_before)
            reason = Reason.ENDED_BY_ADMINISTRATOR
            await void_earlier(context, records, ("everything", EVERYTHING), reason=reason, actor=actor)
        return Revoked(kind="everything", value=EVERYTHING, ended_sessions=ended)

    async def history(self, *, limit: int = 100, before: int | None = None) -> list[Entry]:
        """Return entries of the ledger that are still kept, the newest first.

        Args:
            limit: How many at most.
            before: Only those with smaller numbers.
        """
        records = self._context.storage.records
        end = (await records.ledger_head()).seq + 1 if before is None else before
        found: list[Entry] = []
        while end > 1 and len(found) < limit:
            start = max(end - _PAGE, 1)
            page = await records.list_entries(after=start - 1, limit=end - start)
            page = [entry for entry in page if entry.seq < end]
            if not page:
                break  # whatever is older was dropped
            found += reversed(page)
            end = start
        return found[:limit]

    async def emails(self, entries: Iterable[Entry]) -> dict[str, str]:
        """Return the e-mail addresses of the users that entries name, by identifier, as far as they exist."""
        named = {entry.value for entry in entries if entry.kind == "user"}
        named |= {entry.actor.removeprefix("user:") for entry in entries if entry.actor.startswith("user:")}
        records = self._context.storage.records
        users = [await records.find_user(each) for each in sorted(named)]
        return {user.id: user.email for user in users if user is not None}

    async def _facts(self, token: str) -> Facts:
        if "." not in token:
            _check(_JTI, token, "This is neither a token nor the identifier (jti) of one.")
            # Issued nobody knows when: no cut-off can be said to void it.
            return Facts(jti=token, iat=math.inf)
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise NotOurTokenError(detail="too long, or not ASCII")
        try:
            return facts_of(*await verify_wherever(self._context, token))
        except TokenError as error:
            raise NotOurTokenError(detail=error.code) from None


def _check(form: re.Pattern[str], value: str, message: str) -> None:
    """Refuse what could never be the name of something here.

    An entry goes to every verifier, to logs and to pages: what is too long or steers a terminal must not get that far.
    """
    if not form.fullmatch(value):
        raise InvalidRevocationError(message)


async def _find_user(records: Records, email_or_id: str) -> User:
    if "@" in email_or_id:
        user = await records.find_user_by_email(parse_email(email_or_id).key)
    else:
        _check(_IDENTIFIER, email_or_id, "This is neither an e-mail address nor the identifier of a user.")
        user = await records.find_user(email_or_id)
    if user is None:
        raise UnknownUserError("There is no such user.")
    return user
