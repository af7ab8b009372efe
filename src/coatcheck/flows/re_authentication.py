"""Proving once more who one is, within a session: the session gets another secret (ASVS 5.0, 7.2.4)."""

from __future__ import annotations

from .._core.secrets import new_token
from ..accounts.errors import InvalidCredentialsError
from ..identity import Client, Identity
from ..sessions.errors import InvalidSessionError
from ..sessions.lifecycle import is_alive, renew
from ..sessions.model import Session
from .context import Context
from .model import SignedIn
from .opening import Opened, hand_out
from .passwords import admit_guess, check_password_of
from .ports import Records

__all__ = ["ReAuthentication", "renew_session"]


class ReAuthentication:
    """The flow from an old sign-in to a recent one."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def with_password(
        self, identity: Identity, password: str, *, client: Client, device: str | None
    ) -> SignedIn:
        """Let somebody who is signed in prove it once more.

        For a session with a cookie, the result's ``secret`` is the new cookie and the old one is worth nothing. For a
        session with tokens, ``tokens`` is ``None``: the next refresh gives an access token with the new
        ``auth_time``; the current one counts as recent at once where this server checks it.

        Raises:
            InvalidCredentialsError: If the password is wrong.
            InvalidSessionError: If the session has ended meanwhile.
            TooManyAttemptsError: If a limit on attempts is reached.
            OverloadedError: If too many passwords wait to be hashed.
        """
        context = self._context
        user = await context.storage.records.find_user(identity.id)
        if user is None:
            raise InvalidSessionError(detail="the user is gone")
        lifted = await admit_guess(context, user.email_key, user, client=client, device=device)
        await check_password_of(context, user, password)
        async with context.storage.transaction() as records:
            current = await records.find_user(user.id)
            if current is None or current.password_hash != user.password_hash:
                raise InvalidCredentialsError(detail="the account changed meanwhile")
            await records.delete_throttles(lifted)
            session, secret = await renew_session(context, records, identity.session_id, client=client)
        opened = Opened(user=current, session=session, secret=secret, refresh_token=None)
        return await hand_out(context, opened, device=device)


async def renew_session(
    context: Context, records: Records, session_id: str, *, client: Client
) -> tuple[Session, str | None]:
    """Give a session another secret and its limits anew, inside the caller's transaction.

    Returns:
        The session as it is now, and its new secret; ``None`` for one that tokens carry.

    Raises:
        InvalidSessionError: If it has ended.
    """
    now = context.clock()
    session = await records.find_session(session_id)
    if session is None or not is_alive(session, now):
        raise InvalidSessionError(detail="it ended before it was renewed")
    secret = None if session.digest is None else new_token()
    renewed = renew(session, context.sessions, secret=secret, client=client, now=now)
    if not await records.renew_session(
        session.id, old_digest=session.digest, new_digest=renewed.digest, session=renewed
    ):
        raise InvalidSessionError(detail="it was renewed by another request at the same time")
    return renewed, secret
