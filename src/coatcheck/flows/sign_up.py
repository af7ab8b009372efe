"""Signing up: an address, a password, and a link that proves that the address is theirs.

Whether the address has an account already is told to its owner by mail, and to nobody else. The link opens the
account in the browser that asked for it; in any other, the password must be typed. Otherwise somebody could sign up
with another's address and wait until its owner clicks on what arrives.
"""

from __future__ import annotations

from msgspec.structs import replace

from .._core.secrets import digest, equal, new_identifier, new_token
from ..accounts.email_address import parse_email
from ..accounts.errors import InvalidCredentialsError, InvalidLinkError
from ..accounts.model import Link, LinkPurpose, User
from ..accounts.throttle import sign_up_limits
from ..identity import Client
from .attempts import admit
from .context import Context
from .errors import SignUpClosedError
from .links import look_at_link
from .messages import AlreadyRegistered, ConfirmSignUp, Message
from .model import PendingSignUp, SignedIn
from .opening import Request, hand_out, open_session, parties
from .passwords import admit_guess

__all__ = ["SignUp"]

_PURPOSE = LinkPurpose.SIGN_UP


class SignUp:
    """The flow from an address to an account."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(self, email: str, password: str, *, client: Client) -> str:
        """Begin: mail a link to the address. The outcome is the same whether it has an account or not.

        Args:
            email: The address, as typed.
            password: The password, exactly as typed.
            client: What the request showed of itself.

        Returns:
            What the browser keeps in a cookie, by which it is known when the link is opened.

        Raises:
            SignUpClosedError: If nobody may sign up by themselves.
            InvalidEmailError: If the address is none.
            PasswordRefusedError: If the password is not good.
            TooManyAttemptsError: If a limit is reached: for the client's network, or for mail to one address.
            OverloadedError: If too many passwords wait to be hashed.
        """
        context = self._context
        if not context.policy.sign_up_open:
            raise SignUpClosedError
        address = parse_email(email)
        context.check_password(password, address.email)
        await admit(context, sign_up_limits(context.throttles, email_key=address.key, address=client.address))
        secret, binding, now = new_token(), new_token(), context.clock()
        link = Link(
            digest=digest(secret),
            purpose=_PURPOSE,
            email=address.email,
            email_key=address.key,
            password_hash=await context.hasher.hash(password),
            binding=digest(binding),
            created_at=now,
            expires_at=now + context.policy.sign_up_link.total_seconds(),
        )
        async with context.storage.transaction(address.key) as records:
            taken = await records.find_user_by_email(address.key) is not None
            if not taken:
                await records.add_link(link)
            message = self._message(address.email, secret, taken=taken)
            await records.add_mail(context.mail.compose(message, now=now))
        context.mail.wake()
        return binding

    def _message(self, to: str, secret: str, *, taken: bool) -> Message:
        if taken:
            return AlreadyRegistered(to=to, sign_in_link="/sign-in", forgotten_link="/forgotten")
        lifetime = self._context.policy.sign_up_link.total_seconds()
        return ConfirmSignUp(to=to, link=f"/sign-up/confirm?token={secret}", lifetime=lifetime)

    async def look(self, secret: str, *, binding: str | None) -> PendingSignUp:
        """Return what a link is about, without using it up: whoever scans mail may look too.

        Raises:
            InvalidLinkError: If it does not work (any more).
        """
        link = await look_at_link(self._context, secret, _PURPOSE)
        return PendingSignUp(email=link.email, needs_password=not _is_bound(link, binding))

    async def confirm(
        self, secret: str, *, binding: str | None, password: str | None, request: Request
    ) -> SignedIn:
        """Make the account and sign its owner in.

        Args:
            secret: What was in the link.
            binding: What the browser kept since ``request``.
            password: The password, where another browser asked for the link.
            request: What is asked for, and what came with it.

        Raises:
            InvalidLinkError: If the link does not work (any more), or the address has got an account meanwhile.
            InvalidCredentialsError: If the password is needed and not the one chosen.
            TooManyAttemptsError: If a limit on attempts is reached.
            OverloadedError: If too many passwords wait to be hashed.
        """
        context = self._context
        link = await look_at_link(context, secret, _PURPOSE)
        if not _is_bound(link, binding):
            await self._check_password(link, password, request.client)
        now = context.clock()
        user = User(
            id=new_identifier(),
            email=link.email,
            email_key=link.email_key,
            password_hash=link.password_hash,
            created_at=now,
            password_changed_at=link.created_at,
        )
        people = await parties(context, user.id, request)
        async with context.storage.transaction(*people, link.email_key) as records:
            consumed = await records.consume_link(link.digest, _PURPOSE)
            if consumed is None or not await records.add_user(user):
                raise InvalidLinkError
            await records.delete_links(email_key=link.email_key)
            opened = await open_session(context, records, user, request=replace(request, scope=None))
        return await hand_out(context, opened, device=request.device)

    async def _check_password(self, link: Link, password: str | None, client: Client) -> None:
        context = self._context
        await admit_guess(context, link.email_key, None, client=client, device=None)
        if password is None or not await context.hasher.verify(password, link.password_hash):
            raise InvalidCredentialsError(detail="the link was opened with another password than was chosen")


def _is_bound(link: Link, binding: str | None) -> bool:
    return binding is not None and link.binding is not None and equal(digest(binding), link.binding)
