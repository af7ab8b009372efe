"""Signing in with a password."""

from __future__ import annotations

from msgspec.structs import replace

from ..accounts.errors import InvalidCredentialsError
from ..accounts.model import User
from ..identity import parse_scope
from .context import Context
from .counts import counted_sign_in
from .devices import is_known
from .messages import NewDevice
from .model import SignedIn
from .opening import Opened, Request, hand_out, open_session, parties
from .passwords import check_password_of, verified_user
from .ports import Records

__all__ = ["SignIn"]


class SignIn:
    """The flow from an address and a password to a session."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @counted_sign_in
    async def with_password(self, email: str, password: str, *, request: Request) -> SignedIn:
        """Sign somebody in.

        Args:
            email: The address, as typed.
            password: The password, exactly as typed.
            request: What is asked for, and what came with it.

        Raises:
            InvalidCredentialsError: If the two do not belong together: never which of them is wrong.
            TooManyAttemptsError: If a limit on attempts is reached.
            OverloadedError: If too many passwords wait to be hashed.
            TooManySessionsError: If the user has as many sessions as allowed.
            MalformedScopeError: If the scope asked for is none.
        """
        context = self._context
        if request.scope is not None:
            parse_scope(request.scope)
        user, lifted = await verified_user(
            context, email, password, client=request.client, device=request.device
        )
        opened = await self._open(user, password, lifted, request=request)
        if opened is None:
            # Another sign-in may have upgraded the hash at the same time: with the same password, this one is as good.
            changed = await context.storage.records.find_user(user.id)
            await check_password_of(context, changed, password)
            opened = None if changed is None else await self._open(changed, password, lifted, request=request)
        if opened is None:
            raise InvalidCredentialsError(detail="the account changed meanwhile")
        return await hand_out(context, opened, device=request.device)

    async def _open(self, user: User, password: str, lifted: list[str], *, request: Request) -> Opened | None:
        """Open a session for somebody whose password was right; ``None`` if the account has changed since."""
        context = self._context
        rehashed = await self._rehashed(user, password)
        people = await parties(context, user.id, request)
        async with context.storage.transaction(*people) as records:
            current = await records.find_user(user.id)
            # The hash took a while: what it proved must still be so.
            if (
                current is None
                or current.password_hash != user.password_hash
                or current.disabled_at is not None
            ):
                return None
            if rehashed is not None:
                await records.replace_user(replace(current, password_hash=rehashed), expected=current)
            await records.delete_throttles(lifted)
            mailed = await self._notify(records, user, request)
            opened = await open_session(context, records, current, request=request)
        if mailed:
            context.mail.wake()
        return opened

    async def _rehashed(self, user: User, password: str) -> str | None:
        """Return a hash of today's kind where the stored one is of another: now is when the password is known."""
        if user.password_hash is None or not self._context.hasher.needs_rehash(user.password_hash):
            return None
        return await self._context.hasher.hash(password)

    async def _notify(self, records: Records, user: User, request: Request) -> bool:
        """Mail the user if this device never signed in to the account before (ASVS 5.0, 6.3.5)."""
        context = self._context
        if not context.policy.notify_new_device or is_known(context.sealer, request.device, user.id):
            return False
        now = context.clock()
        message = NewDevice(
            to=user.email,
            at=now,
            client=request.client,
            devices_link="/devices",
            forgotten_link="/forgotten",
        )
        await records.add_mail(context.mail.compose(message, now=now))
        return True
