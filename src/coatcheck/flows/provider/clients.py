"""The registered clients: what whoever runs this server does with them, and how all others look them up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from ..._core import json
from ..._core.secrets import new_identifier
from ...jose import Key
from ...oauth.client_names import check_name
from ...oauth.errors import InvalidClientMetadataError
from ...oauth.metadata_rules.keys import MOST_KEYS
from ...oauth.model import OAuthClient
from ...oauth.registration import (
    CheckedMetadata,
    ClientMetadata,
    check_metadata,
    metadata_of,
    read_metadata,
)
from ...oauth.vocabulary import ASSERTION_ALGORITHMS
from ..ending import Reason, end_client, end_sessions, void_earlier
from ..errors import UnknownClientError
from ..ports import Records
from .apis import cached_api
from .client_secrets import with_new_secret, without_secret
from .sectors import check_sector
from .stale import forget_consents, void_tokens_of_client

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Clients", "cached_client", "is_narrower", "trusted_metadata_of"]

_log = logging.getLogger("coatcheck.provider")

_PAGE: Final = 500
_LONGEST_ID: Final = 2048  # a client may be named by the URL of its metadata
_USUAL_KEY: Final = "ES256"


async def cached_client(context: Context, client_id: str) -> OAuthClient | None:
    """Return the client of an identifier as it is at this moment; ``None`` if it is unknown or switched off."""

    async def load() -> OAuthClient | None:
        return await context.storage.records.find_client(client_id)

    if len(client_id) > _LONGEST_ID:
        return None
    client = await context.cache.get(context.storage, ("client", client_id), load)
    return None if client is None or client.disabled_at is not None else client


class Clients:
    """Managing clients. ``actor`` is who does it, for the ledger."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def cached(self, client_id: str) -> OAuthClient | None:
        """Return the client of an identifier as it is at this moment; ``None`` if it is unknown or switched off."""
        return await cached_client(self._context, client_id)

    async def find(self, client_id: str) -> OAuthClient | None:
        """Return the client of an identifier, switched off or not."""
        return await self._context.storage.records.find_client(client_id)

    async def get(self, client_id: str) -> OAuthClient:
        """Return the client of an identifier, switched off or not.

        Raises:
            UnknownClientError: If there is none.
        """
        return await _get(self._context.storage.records, client_id)

    async def list(self, *, after: str = "", limit: int = 100) -> list[OAuthClient]:
        """Return clients in the order of their identifiers, from behind the identifier ``after``."""
        return await self._context.storage.records.list_clients(after=after, limit=limit)

    async def add(self, metadata: ClientMetadata, *, actor: str) -> tuple[OAuthClient, str | None]:
        """Register a client; return it and its secret, which is shown once.

        Args:
            metadata: What it is like, as RFC 7591 has it.
            actor: Who does it.

        Raises:
            InvalidRedirectURIError: If a redirect URI is none that it may have.
            InvalidClientMetadataError: If anything else is not to be accepted.
        """
        checked = await self._checked(metadata, before=None)
        client = checked.new(new_identifier(), created_at=self._context.clock())
        client, secret = self._with_secret(client, checked)
        await self._context.storage.records.add_client(client)
        _log.info("client %s registered by %s", client.id, actor)
        return client, secret

    async def replace(
        self, client_id: str, metadata: ClientMetadata, *, actor: str
    ) -> tuple[OAuthClient, str | None]:
        """Give a client other metadata, all of it; return it, and its secret if it needed a new one.

        Where its answers can go elsewhere, users are asked again. Where it may ask for less than before, what was
        issued to it until now is void: it can refresh that.

        Raises:
            UnknownClientError: If there is none of that identifier.
            InvalidRedirectURIError: If a redirect URI is none that it may have.
            InvalidClientMetadataError: If anything else is not to be accepted.
        """
        checked = await self._checked(metadata, before=await self.get(client_id))
        async with self._context.storage.transaction() as records:
            before = await _get(records, client_id)
            after, secret = self._with_secret(checked.on(before), checked)
            await records.replace_client(after)
            await forget_consents(records, before, after)
            if is_narrower(after, before):
                await void_tokens_of_client(self._context, records, client_id, actor=actor)
        return after, secret

    async def change(
        self, client_id: str, changes: Mapping[str, Any], *, actor: str
    ) -> tuple[OAuthClient, str | None]:
        """Change some of a client's metadata; ``None`` takes something away. All else is as with ``replace``.

        Args:
            client_id: Which client.
            changes: What changes, by the names of ``ClientMetadata``.
            actor: Who does it.

        Raises:
            UnknownClientError: If there is none of that identifier.
            InvalidRedirectURIError: If a redirect URI is none that it may have.
            InvalidClientMetadataError: If anything else is not to be accepted.
        """
        known = trusted_metadata_of(await self.get(client_id))
        return await self.replace(client_id, read_metadata({**known, **changes}), actor=actor)

    async def new_secret(self, client_id: str) -> tuple[OAuthClient, str]:
        """Give a client another secret; the one that it had is worth nothing from then on.

        Raises:
            UnknownClientError: If there is none of that identifier.
            InvalidClientMetadataError: If it is one that has no secret.
        """
        async with self._context.storage.transaction() as records:
            before = await _get(records, client_id)
            checked = self._check(read_metadata(trusted_metadata_of(before)))
            if not checked.has_secret:
                raise InvalidClientMetadataError(
                    "token_endpoint_auth_method: this client has no secret.",
                    field="token_endpoint_auth_method",
                )
            sealer = self._context.sealer
            after, secret = with_new_secret(sealer, before, known=checked.needs_plain_secret)
            await records.replace_client(after)
        return after, secret

    async def new_key(
        self, client_id: str, *, algorithm: str | None = None, keep: bool = False
    ) -> tuple[OAuthClient, dict[str, Any]]:
        """Make a key for a client that authenticates by one; return the client and the private JWK, shown once.

        Only its public half is stored.

        Args:
            client_id: Which client.
            algorithm: What it signs by; by default the one that the client has registered, or ES256.
            keep: Whether its other keys stay good, so that it can be replaced without a pause.

        Raises:
            UnknownClientError: If there is none of that identifier.
            InvalidClientMetadataError: If it has its keys elsewhere, or authenticates by something else.
        """
        client = await self.get(client_id)
        algorithm = algorithm or client.token_endpoint_auth_signing_alg or _USUAL_KEY
        if algorithm not in ASSERTION_ALGORITHMS or client.token_endpoint_auth_signing_alg not in (
            None,
            algorithm,
        ):
            raise InvalidClientMetadataError("token_endpoint_auth_signing_alg: this client does not sign so.")
        key = Key.generate(algorithm)
        async with self._context.storage.transaction() as records:
            before = await _get(records, client_id)
            if before.token_endpoint_auth_method != "private_key_jwt" or before.jwks_uri is not None:  # noqa: S105 - a name
                raise InvalidClientMetadataError(
                    "jwks: this client shows who it is by no key that is kept here."
                )
            jwks = _with_key(before.jwks if keep else None, key)
            after = replace(before, jwks=jwks)
            await records.replace_client(after)
        return after, key.to_private_jwk()

    async def disable(self, client_id: str, *, actor: str) -> int:
        """Switch a client off: end its sessions, and void what was issued to it; return how many sessions ended.

        Raises:
            UnknownClientError: If there is none of that identifier.
        """
        context = self._context
        async with context.storage.transaction() as records:
            client = await _get(records, client_id)
            if client.disabled_at is None:
                await records.replace_client(replace(client, disabled_at=context.clock()))
            # A cut-off, not its name: what it is given once it is switched on again is to be good.
            return await self._end_until_now(records, client_id, reason=Reason.DEACTIVATED, actor=actor)

    async def enable(self, client_id: str) -> None:
        """Switch a client on again.

        Raises:
            UnknownClientError: If there is none of that identifier.
        """
        async with self._context.storage.transaction() as records:
            client = await _get(records, client_id)
            await records.replace_client(replace(client, disabled_at=None))

    async def remove(self, client_id: str, *, actor: str) -> int:
        """Remove a client and all that belongs to it; return how many sessions ended.

        Raises:
            UnknownClientError: If there is none of that identifier.
        """
        async with self._context.storage.transaction() as records:
            client = await _get(records, client_id)
            if client.registered_by == "metadata-document":
                # It may come back under the same name; no other client ever does.
                ended = await self._end_until_now(
                    records, client_id, reason=Reason.CLIENT_REMOVED, actor=actor
                )
            else:
                ended = await end_client(self._context, records, client_id, actor=actor)
            await records.delete_client(client_id)
        return ended

    async def _end_until_now(self, records: Records, client_id: str, *, reason: Reason, actor: str) -> int:
        """End a client's sessions, and void the tokens that come from none; return how many sessions ended."""
        context, ended = self._context, 0
        while named := await records.list_client_sessions(client_id, limit=_PAGE):
            ended += len(await end_sessions(context, records, named, reason=reason, actor=actor))
        await void_earlier(context, records, ("client", client_id), reason=reason, actor=actor)
        return ended

    async def _checked(self, metadata: ClientMetadata, *, before: OAuthClient | None) -> CheckedMetadata:
        checked = self._check(metadata)
        await check_sector(self._context, checked)
        if checked.audiences is not None:
            known = () if before is None else before.audiences or ()
            audiences = [await self._audience(each, known=known) for each in checked.audiences]
            checked = replace(checked, audiences=tuple(audiences))
        for algorithm in (checked.id_token_signed_response_alg, checked.userinfo_signed_response_alg):
            if algorithm is not None and checked.response_types:
                await self._context.access_tokens.keys.ensure(algorithm)
        return checked

    async def _audience(self, resource: str, *, known: tuple[str, ...]) -> str:
        """Return the audience of an API as that spells it. One that is gone may stay, and gives nothing."""
        api = await cached_api(self._context, resource)
        if api is None and resource not in known:
            raise InvalidClientMetadataError("audiences: there is no such API.", field="audiences")
        return resource if api is None else api.audience

    def _check(self, metadata: ClientMetadata) -> CheckedMetadata:
        policy = self._context.provider
        if metadata.client_name is not None:
            metadata = replace(metadata, client_name=check_name(metadata.client_name))
        return check_metadata(metadata, trusted=True, hybrid=policy.hybrid, development=policy.development)

    def _with_secret(self, client: OAuthClient, checked: CheckedMetadata) -> tuple[OAuthClient, str | None]:
        if not checked.has_secret:
            return without_secret(client), None
        if client.secret_digest is not None and (client.sealed_secret or not checked.needs_plain_secret):
            return client, None
        return with_new_secret(self._context.sealer, client, known=checked.needs_plain_secret)


def trusted_metadata_of(client: OAuthClient) -> dict[str, Any]:
    """Return all of a client's metadata, with what only whoever runs this server says, as values of JSON."""
    shown = metadata_of(client)
    if client.jwks is not None:
        shown["jwks"] = msgspec.json.decode(client.jwks)
    if client.first_party:
        shown["first_party"] = True
    if client.audiences is not None:
        shown["audiences"] = client.audiences
    return shown


async def _get(records: Records, client_id: str) -> OAuthClient:
    found = await records.find_client(client_id)
    if found is None:
        raise UnknownClientError
    return found


def is_narrower(after: OAuthClient, before: OAuthClient) -> bool:
    """Tell whether a client may ask for less than before."""
    return (
        _is_less(after.scope, before.scope)
        or _is_less(after.audiences, before.audiences)
        or _is_less(after.grant_types, before.grant_types)
        or (before.first_party and not after.first_party)  # this site's own routes were open to it
    )


def _is_less(after: tuple[str, ...] | None, before: tuple[str, ...] | None) -> bool:
    return after is not None and (before is None or not set(before) <= set(after))


def _with_key(jwks: bytes | None, key: Key) -> bytes:
    known = [] if jwks is None else msgspec.json.decode(jwks)["keys"]
    # The newest first, and no more than there may be.
    return json.encode({"keys": [key.public().to_jwk(), *known][:MOST_KEYS]})
