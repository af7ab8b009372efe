"""Proving once more who one is, within a session: the session gets another secret (ASVS 5.0, 7.2.4)."""

from __future__ import annotations

from ..accounts.errors import InvalidCredentialsError
from ..identity import Client, Identity
from ..sessions.errors import InvalidSessionError
from .context import Context
from .model import SignedIn
from .opening import hand_out, renew_session
from .passwords import admit_guess_within, check_password_of

__all__ = ["ReAuthentication"]


class ReAuthentication:
    """The flow from an old sign-in to a recent one."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def with_password(
        self, identity: Identity, password: str, *, client: Client, device: str | None
    ) -> SignedIn:
        """Let somebody who is signed in prove it once more.

        The session gets another secret or other tokens, and whatever it gave before is worth nothing, access
        tokens included: they would go on telling of the earlier proof.

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
        lifted = await admit_guess_within(context, user, identity.session_id)
        await check_password_of(context, user, password)
        async with context.storage.transaction(user.id) as records:
            current = await records.find_user(user.id)
            if current is None or current.password_hash != user.password_hash:
                raise InvalidCredentialsError(detail="the account changed meanwhile")
            await records.delete_throttles(lifted)
            opened = await renew_session(
                context, records, current, session_id=identity.session_id, client=client
            )
        return await hand_out(context, opened, device=device)
