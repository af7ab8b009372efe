"""Checking somebody's password at sign-in and wherever it is asked again: one way for all of them.

Who fails learns nothing: the attempt is counted before, an unknown address costs a hash as well, and the time of a
failure is rounded up.
"""

from __future__ import annotations

import asyncio

from ..accounts.email_address import EmailAddress, parse_email
from ..accounts.errors import InvalidCredentialsError, InvalidEmailError
from ..accounts.model import User
from ..accounts.throttle import cleared_on_success, re_authentication_limits, sign_in_limits
from ..identity import Client
from .attempts import admit
from .context import Context
from .devices import device_id_of, is_known

__all__ = ["admit_guess", "admit_guess_within", "check_password_of", "verified_user"]


async def verified_user(
    context: Context, email: str, password: str, *, client: Client, device: str | None
) -> tuple[User, list[str]]:
    """Return the active user of an address and password, and the limits that a success lifts.

    Raises:
        InvalidCredentialsError: If there is none, whatever the reason.
        TooManyAttemptsError: If a limit on attempts is reached.
        OverloadedError: If too many passwords wait to be hashed.
    """
    address = _parsed(email)
    user = None
    if address is not None:
        user = await context.storage.records.find_user_by_email(address.key)
    email_key = email.casefold() if address is None else address.key
    lifted = await admit_guess(context, email_key, user, client=client, device=device)
    await check_password_of(context, user, password)
    assert user is not None  # noqa: S101 - nobody has the right password
    return user, lifted


async def admit_guess(
    context: Context, email_key: str, user: User | None, *, client: Client, device: str | None
) -> list[str]:
    """Count one guess at an account's password before it is looked at; return the limits that a success lifts.

    Raises:
        TooManyAttemptsError: If a limit on attempts is reached.
    """
    known = user is not None and is_known(context.sealer, device, user.id)
    limits = sign_in_limits(
        context.throttles,
        email_key=email_key,
        address=client.address,
        trusted_device=device_id_of(device) if known else None,
    )
    await admit(context, limits)
    return cleared_on_success(email_key=email_key, address=client.address)


async def admit_guess_within(context: Context, user: User, session_id: str) -> list[str]:
    """Count one guess by somebody who is signed in; return the limits that a success lifts.

    Raises:
        TooManyAttemptsError: If a limit on attempts is reached.
    """
    limits = re_authentication_limits(context.throttles, email_key=user.email_key, session_id=session_id)
    await admit(context, limits)
    return list(limits)


async def check_password_of(context: Context, user: User | None, password: str) -> None:
    """Check a password against a user's. Nobody's is never right, and takes as long.

    Raises:
        InvalidCredentialsError: If it is wrong, or the account may not be used.
        OverloadedError: If too many passwords wait to be hashed.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    matches = await context.hasher.verify(password, None if user is None else user.password_hash)
    if user is not None and matches and user.disabled_at is None:
        return
    # Imported hashes take longer than ours: the time shall not tell them from each other, or from nobody's.
    quantum = context.policy.failure_quantum.total_seconds()
    if quantum:
        await asyncio.sleep(quantum - (loop.time() - started) % quantum)
    raise InvalidCredentialsError(detail=_detail(user, matches=matches))


def _parsed(email: str) -> EmailAddress | None:
    try:
        return parse_email(email)
    except InvalidEmailError:
        return None  # which is nobody's address: it is counted and hashed for like any other


def _detail(user: User | None, *, matches: bool) -> str:
    if user is None:
        return "unknown user"
    return f"user {user.id} is disabled" if matches else f"wrong password for user {user.id}"
