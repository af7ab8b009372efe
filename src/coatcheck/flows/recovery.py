"""A new password for somebody who forgot theirs, by a one-use link to their address.

Whether the address has an account is not to be told by the answer or its time: the mail is only queued, and for an
address without an account, nothing is.
"""

from __future__ import annotations

from msgspec.structs import replace

from .._core.secrets import digest, new_token
from ..accounts.email_address import parse_email
from ..accounts.errors import InvalidLinkError
from ..accounts.model import Link, LinkPurpose, User
from ..accounts.throttle import cleared_on_reset, reset_limits
from ..identity import Client
from .attempts import admit
from .context import Context
from .devices import remember
from .ending import Reason, by_user, end_all_sessions
from .links import look_at_link
from .messages import PasswordChanged, ResetPassword
from .model import QueuedMail
from .ports import Records

__all__ = ["Recovery", "queue_reset"]

_PURPOSE = LinkPurpose.RESET_PASSWORD


class Recovery:
    """The flow from a forgotten password to a new one."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(self, email: str, *, client: Client) -> None:
        """Mail a link to the address, if it has an account. The outcome is the same if not.

        Raises:
            InvalidEmailError: If the address is none.
            TooManyAttemptsError: If a limit is reached: for the client's network, or for mail to one address.
        """
        context = self._context
        address = parse_email(email)
        await admit(context, reset_limits(context.throttles, email_key=address.key, address=client.address))
        owner = await context.storage.records.find_user_by_email(address.key)
        async with context.storage.transaction(address.key if owner is None else owner.id) as records:
            user = await records.find_user("" if owner is None else owner.id)
            if user is not None and user.email_key == address.key and user.disabled_at is None:
                await queue_reset(context, records, user)
            else:
                # Thrown away: writing and sealing it is what takes the time.
                _write(context, address.email, new_token())
        context.mail.wake()

    async def look(self, secret: str) -> str:
        """Return the address that a link is for, without using it up.

        Raises:
            InvalidLinkError: If it does not work (any more).
        """
        return (await look_at_link(self._context, secret, _PURPOSE)).email

    async def reset(
        self, secret: str, new_password: str, *, client: Client, device: str | None = None
    ) -> str:
        """Set a new password, end all sessions, and use up all links. The user then signs in with it.

        Args:
            secret: What was in the link.
            new_password: The password, exactly as typed.
            client: What the request showed of itself.
            device: The device cookie.

        Returns:
            The new device cookie. Whoever opened the mail is the owner: from this device on, those who guess at the
            account cannot keep them out.

        Raises:
            InvalidLinkError: If the link does not work (any more).
            PasswordRefusedError: If the password is not good. The link stays good.
            OverloadedError: If too many passwords wait to be hashed. The link stays good.
        """
        context = self._context
        link = await look_at_link(context, secret, _PURPOSE)
        context.check_password(new_password, link.email)
        password_hash = await context.hasher.hash(new_password)
        now = context.clock()
        if link.user_id is None or now >= link.expires_at:
            raise InvalidLinkError
        async with context.storage.transaction(link.user_id) as records:
            user = await records.find_user(link.user_id)
            if await records.consume_link(link.digest, _PURPOSE) is None:
                raise InvalidLinkError
            if user is None or user.disabled_at is not None:
                raise InvalidLinkError
            changed = replace(user, password_hash=password_hash, password_changed_at=now)
            if link.email_key != user.email_key or not await records.replace_user(changed, expected=user):
                raise InvalidLinkError
            await records.delete_links(user_id=user.id)
            # Whoever locked the account out from elsewhere has lost: its owner can sign in at once.
            await records.delete_throttles(cleared_on_reset(email_key=user.email_key, address=client.address))
            reason, actor = Reason.PASSWORD_CHANGED, by_user(user.id)
            await end_all_sessions(context, records, user.id, reason=reason, actor=actor)
            await context.signals.password_changed(records, user.id, reason=reason.value, actor=actor)
            message = PasswordChanged(to=user.email, at=now, client=client, forgotten_link="/forgotten")
            await records.add_mail(context.mail.compose(message, now=now))
        context.mail.wake()
        return remember(context.sealer, device, user.id)


async def queue_reset(context: Context, records: Records, user: User) -> None:
    """Queue the mail with the link to a new password, inside the caller's transaction."""
    secret, now = new_token(), context.clock()
    link = Link(
        digest=digest(secret),
        purpose=_PURPOSE,
        email=user.email,
        email_key=user.email_key,
        user_id=user.id,
        created_at=now,
        expires_at=now + context.policy.reset_link.total_seconds(),
    )
    await records.add_link(link)
    await records.add_mail(_write(context, user.email, secret))


def _write(context: Context, to: str, secret: str) -> QueuedMail:
    lifetime = context.policy.reset_link.total_seconds()
    message = ResetPassword(to=to, link=f"/reset?token={secret}", lifetime=lifetime)
    return context.mail.compose(message, now=context.clock())
