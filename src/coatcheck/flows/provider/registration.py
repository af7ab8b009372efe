"""Clients that register themselves, and manage what they registered (RFC 7591, RFC 7592, OpenID Connect Registration).

What a stranger registers is worth what it says of itself: nothing. It has no permissions, is never the operator's own,
and its users are always asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from ..._core.secrets import digest, equal, new_identifier, new_token
from ...accounts.throttle import registration_limits
from ...identity import Client
from ...oauth.errors import (
    InvalidClientMetadataError,
    InvalidRegistrationTokenError,
    RegistrationNotSupportedError,
    RegistrationTokenNeededError,
)
from ...oauth.model import OAuthClient
from ...oauth.registration import CheckedMetadata, check_metadata, read_metadata
from ..attempts import admit
from .administering import by_client
from .client_secrets import with_new_secret, without_secret
from .clients import Clients, is_narrower
from .sectors import check_sector
from .stale import forget_consents, void_tokens_of_client

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Registered", "Registration"]

_PREFIX: Final = "ccr_"  # so that scanners of code and logs know what they have found
_LONGEST: Final = 128
# What a server says, and a client must not (RFC 7592 section 2.2).
_OURS: Final = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A registration.

    Attributes:
        client: The client.
        token: What it manages the registration by.
        secret: Its secret, if it was made just now. It is not known later.
    """

    client: OAuthClient
    token: str
    secret: str | None = None

    def __repr__(self) -> str:
        return f"<Registered {self.client.id}>"


class Registration:
    """Registering clients over the web."""

    def __init__(self, context: Context, clients: Clients) -> None:
        """Take what flows share, and what manages clients."""
        self._context = context
        self._clients = clients

    async def register(self, document: Mapping[str, Any], *, token: str | None, client: Client) -> Registered:
        """Register a client (RFC 7591 section 3).

        Args:
            document: Its metadata, as sent.
            token: An initial access token, if one was sent.
            client: What the request shows of where it comes from.

        Raises:
            RegistrationNotSupportedError: If nobody registers clients here.
            RegistrationTokenNeededError: If a token is needed.
            InvalidRegistrationTokenError: If the token is not good.
            TooManyAttemptsError: If somebody without one registers too many.
            InvalidRedirectURIError: If a redirect URI cannot be registered.
            InvalidClientMetadataError: If other metadata cannot.
        """
        await self._admit(token, client)
        checked = await self._checked(document)
        now, registration_token = self._context.clock(), _PREFIX + new_token()
        record = replace(
            checked.new(new_identifier(), created_at=now),
            registered_by="itself",
            registration_digest=digest(registration_token),
            address=client.address,
        )
        record, secret = self._with_secret(record, checked)
        async with self._context.storage.transaction() as records:
            # Used only by what succeeds: metadata that is refused can be mended. Of the last use one gets it.
            if token is not None and await records.use_initial_access_token(digest(token), at=now) is None:
                raise InvalidRegistrationTokenError(detail="the initial access token is not good")
            await records.add_client(record)
        return Registered(client=record, token=registration_token, secret=secret)

    async def read(self, client_id: str, *, token: str | None) -> Registered:
        """Return a registration (RFC 7592 section 2.1).

        Raises:
            RegistrationTokenNeededError: If no token was sent.
            InvalidRegistrationTokenError: If it does not belong to this client, or the client is gone.
        """
        client, good = await self._authenticated(client_id, token)
        return Registered(client=client, token=good)

    async def update(self, client_id: str, document: Mapping[str, Any], *, token: str | None) -> Registered:
        """Replace a client's metadata: what is missing is deleted (RFC 7592 section 2.2).

        Raises:
            RegistrationTokenNeededError: If no token was sent.
            InvalidRegistrationTokenError: If it does not belong to this client, or the client is gone.
            InvalidRedirectURIError: If a redirect URI cannot be registered.
            InvalidClientMetadataError: If other metadata cannot, or is not the client's to say.
        """
        before, good = await self._authenticated(client_id, token)
        _check_own(document, before)
        checked = await self._checked(document)
        async with self._context.storage.transaction() as records:
            current = await records.find_client(client_id)
            if current is None:
                raise InvalidRegistrationTokenError(detail="the client is gone")
            # What only the operator gives, stays.
            changed = replace(
                checked.on(current), first_party=current.first_party, audiences=current.audiences
            )
            changed, secret = self._with_secret(changed, checked)
            await records.replace_client(changed)
            await forget_consents(records, current, changed)
            if is_narrower(changed, current):
                actor = by_client(client_id)
                await void_tokens_of_client(self._context, records, client_id, actor=actor)
        return Registered(client=changed, token=good, secret=secret)

    async def delete(self, client_id: str, *, token: str | None) -> None:
        """Delete a client, and end all that it was given (RFC 7592 section 2.3).

        Raises:
            RegistrationTokenNeededError: If no token was sent.
            InvalidRegistrationTokenError: If it does not belong to this client, or the client is gone.
        """
        client, _ = await self._authenticated(client_id, token)
        await self._clients.remove(client.id, actor=by_client(client.id))

    async def _admit(self, token: str | None, client: Client) -> None:
        """Check that somebody may register a client, before anything is read or fetched for them."""
        policy = self._context.provider.registration
        if policy == "off":
            raise RegistrationNotSupportedError("Clients do not register themselves here.")
        if token is None:
            if policy == "token":
                raise RegistrationTokenNeededError
            await admit(self._context, registration_limits(self._context.throttles, address=client.address))
            return
        now, records = self._context.clock(), self._context.storage.records
        known = {each.digest: each for each in await records.list_initial_access_tokens()}
        found = known.get(digest(token)) if len(token) <= _LONGEST else None
        if found is None or (found.expires_at or now + 1) <= now or found.uses_left == 0:
            raise InvalidRegistrationTokenError(detail="the initial access token is not good")

    async def _checked(self, document: Mapping[str, Any]) -> CheckedMetadata:
        policy = self._context.provider
        checked = check_metadata(
            read_metadata(document), trusted=False, hybrid=policy.hybrid, development=policy.development
        )
        await check_sector(self._context, checked)
        for algorithm in (checked.id_token_signed_response_alg, checked.userinfo_signed_response_alg):
            if algorithm is not None:
                await self._context.access_tokens.keys.ensure(algorithm)
        return checked

    def _with_secret(self, client: OAuthClient, checked: CheckedMetadata) -> tuple[OAuthClient, str | None]:
        """Return a client with the secret that it needs, and that secret if it is new."""
        if not checked.has_secret:
            return without_secret(client), None
        if client.secret_digest is not None and (client.sealed_secret or not checked.needs_plain_secret):
            return client, None
        return with_new_secret(self._context.sealer, client, known=checked.needs_plain_secret)

    async def _authenticated(self, client_id: str, token: str | None) -> tuple[OAuthClient, str]:
        if token is None:
            raise RegistrationTokenNeededError
        client = await self._context.storage.records.find_client(client_id)
        # One answer for a client that is not there and for a token that is not its own (RFC 7592 section 2.1).
        expected = b"" if client is None else client.registration_digest or b""
        if not equal(digest(token), expected) or client is None or client.disabled_at is not None:
            raise InvalidRegistrationTokenError(detail="it is not this client's token")
        return client, token


def _check_own(document: Mapping[str, Any], client: OAuthClient) -> None:
    """Check what an update says beside metadata (RFC 7592 section 2.2).

    Raises:
        InvalidClientMetadataError: If it is about another client, says what only the server says, or wants to choose
            a secret.
    """
    if document.get("client_id") != client.id:
        raise InvalidClientMetadataError("client_id: it must be that of this client.", field="client_id")
    for name in _OURS:
        if name in document:
            raise InvalidClientMetadataError(f"{name}: this is for the server to say.", field=name)
    secret = document.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and equal(digest(secret), client.secret_digest or b"")
    ):
        raise InvalidClientMetadataError("client_secret: it cannot be chosen.", field="client_secret")
