"""What people do to their own account: another password, another address, an end."""

from __future__ import annotations

from msgspec.structs import replace

from .._core.secrets import digest, equal, new_token
from ..accounts.email_address import parse_email
from ..accounts.errors import InvalidLinkError, PasswordRefusedError
from ..accounts.model import Link, LinkPurpose, User
from ..accounts.throttle import sign_up_limits
from ..identity import Client, Identity
from ..revocation.model import Kind
from ..sessions.errors import InvalidSessionError
from .attempts import admit
from .context import Context
from .ending import Reason, by_user, end_all_sessions, void_earlier
from .links import look_at_link
from .messages import AlreadyRegistered, ConfirmEmailChange, EmailChanged, Message, PasswordChanged
from .model import SignedIn
from .opening import hand_out, renew_session
from .passwords import admit_guess_within, check_password_of
from .ports import Records
from .recency import require_recent

__all__ = ["Account"]

_PURPOSE = LinkPurpose.CHANGE_EMAIL


class Account:
    """What the account page does."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def change_password(
        self, identity: Identity, current: str, new: str, *, client: Client, device: str | None
    ) -> SignedIn:
        """Change the password (ASVS 5.0, 6.2.3). All other sessions end, and this one gets another secret.

        Raises:
            InvalidCredentialsError: If the current password is wrong.
            PasswordRefusedError: If the new one is not good, or is the current one.
            TooManyAttemptsError: If a limit on attempts is reached.
            OverloadedError: If too many passwords wait to be hashed.
            InvalidSessionError: If the session has ended meanwhile.
        """
        context = self._context
        user = await self._user(context.storage.records, identity)
        context.check_password(new, user.email)
        lifted = await admit_guess_within(context, user, identity.session_id)
        await check_password_of(context, user, current)
        if equal(current, new):
            raise PasswordRefusedError("This is the password that you have already.", reason="unchanged")
        password_hash = await context.hasher.hash(new)
        now = context.clock()
        changed = replace(user, password_hash=password_hash, password_changed_at=now)
        async with context.storage.transaction(user.id) as records:
            if not await records.replace_user(changed, expected=user):
                raise InvalidSessionError(detail="the account changed meanwhile")
            await records.delete_throttles(lifted)
            await records.delete_links(user_id=user.id)
            await end_all_sessions(
                context,
                records,
                user.id,
                reason=Reason.PASSWORD_CHANGED,
                actor=by_user(user.id),
                but=identity.session_id,
            )
            await context.signals.password_changed(
                records, user.id, reason=Reason.PASSWORD_CHANGED.value, actor=by_user(user.id)
            )
            opened = await renew_session(
                context, records, changed, session_id=identity.session_id, client=client
            )
            message = PasswordChanged(to=user.email, at=now, client=client, forgotten_link="/forgotten")
            await records.add_mail(context.mail.compose(message, now=now))
        context.mail.wake()
        return await hand_out(context, opened, device=device)

    async def request_email_change(self, identity: Identity, new_email: str, *, client: Client) -> None:
        """Mail a link to another address. Whether it has an account already is told to its owner only.

        Raises:
            RecentSignInNeededError: If the sign-in is too long ago (ASVS 5.0, 7.5.1).
            InvalidEmailError: If the address is none.
            TooManyAttemptsError: If a limit is reached.
        """
        context = self._context
        require_recent(context, identity)
        address = parse_email(new_email)
        await admit(context, sign_up_limits(context.throttles, email_key=address.key, address=client.address))
        secret, now = new_token(), context.clock()
        lifetime = context.policy.email_link.total_seconds()
        async with context.storage.transaction(identity.id, address.key) as records:
            user = await self._user(records, identity)
            owner = await records.find_user_by_email(address.key)
            message: Message
            if owner is not None and owner.id != user.id:
                message = AlreadyRegistered(
                    to=address.email, sign_in_link="/sign-in", forgotten_link="/forgotten"
                )
            else:
                link = Link(
                    digest=digest(secret),
                    purpose=_PURPOSE,
                    email=address.email,
                    email_key=address.key,
                    user_id=user.id,
                    created_at=now,
                    expires_at=now + lifetime,
                )
                await records.add_link(link)
                message = ConfirmEmailChange(
                    to=address.email, link=f"/account/email/confirm?token={secret}", lifetime=lifetime
                )
            await records.add_mail(context.mail.compose(message, now=now))
        context.mail.wake()

    async def look_email_change(self, secret: str) -> str:
        """Return the new address that a link is for, without using it up.

        Raises:
            InvalidLinkError: If it does not work (any more).
        """
        return (await look_at_link(self._context, secret, _PURPOSE)).email

    async def confirm_email_change(self, identity: Identity, secret: str, *, client: Client) -> None:
        """Give the account its new address. All other sessions end; the old address is told.

        Only the account's owner, signed in, may use the link: a link that was mailed to a mistyped address shall not
        give its finder the account.

        Raises:
            InvalidLinkError: If the link does not work (any more), is another account's, or the address was taken.
        """
        context, now = self._context, self._context.clock()
        link = await look_at_link(context, secret, _PURPOSE)
        if link.user_id != identity.id:
            raise InvalidLinkError
        # Of the address as well: of several who want it, one after the other is told whether it is free.
        async with context.storage.transaction(identity.id, link.email_key) as records:
            user = await self._user(records, identity)
            if await records.consume_link(link.digest, _PURPOSE) is None:
                raise InvalidLinkError
            changed = replace(user, email=link.email, email_key=link.email_key)
            if not await records.replace_user(changed, expected=user):
                raise InvalidLinkError
            await records.delete_links(user_id=user.id)
            actor = by_user(user.id)
            await end_all_sessions(
                context, records, user.id, reason=Reason.EMAIL_CHANGED, actor=actor, but=identity.session_id
            )
            # What this session has shown elsewhere says the old address.
            own: tuple[Kind, str] = ("session", identity.session_id)
            await void_earlier(context, records, own, reason=Reason.EMAIL_CHANGED, actor=actor)
            message = EmailChanged(to=user.email, at=now, client=client)
            await records.add_mail(context.mail.compose(message, now=now))
        context.mail.wake()

    async def deactivate(self, identity: Identity) -> None:
        """Deactivate the account: all its sessions end, and nobody can sign in until an administrator enables it.

        Raises:
            RecentSignInNeededError: If the sign-in is too long ago.
        """
        require_recent(self._context, identity)
        async with self._context.storage.transaction(identity.id) as records:
            user = await self._user(records, identity)
            await records.replace_user(replace(user, disabled_at=self._context.clock()), expected=user)
            await records.delete_links(user_id=user.id)
            await end_all_sessions(
                self._context, records, user.id, reason=Reason.DEACTIVATED, actor=by_user(user.id)
            )

    async def delete(self, identity: Identity) -> None:
        """Delete the account and all that belongs to it.

        Raises:
            RecentSignInNeededError: If the sign-in is too long ago.
        """
        require_recent(self._context, identity)
        async with self._context.storage.transaction(identity.id) as records:
            await end_all_sessions(
                self._context, records, identity.id, reason=Reason.DELETED, actor=by_user(identity.id)
            )
            await records.delete_user(identity.id)

    async def _user(self, records: Records, identity: Identity) -> User:
        user = await records.find_user(identity.id)
        if user is None or user.disabled_at is not None:
            raise InvalidSessionError(detail="the user is gone")
        return user
