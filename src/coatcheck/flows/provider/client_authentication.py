"""Which client asks: from what a request presents to the record of the client that has proven itself.

There is no limit on attempts: secrets are 256 random bits that were made here, and no number of attempts finds one.
What could be counted is what a stranger does in a client's name, which would lock that client out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..._core.secrets import digest
from ...jose import JOSEError, KeySet
from ...oauth.client_authentication.assertions import check_claims, consumption_of, type_of
from ...oauth.client_authentication.client_secret_jwt import key_for
from ...oauth.client_authentication.model import Assertion, Credentials, Secret
from ...oauth.client_authentication.presented import check_registered, proof_of
from ...oauth.client_authentication.private_key_jwt import check_key_algorithm
from ...oauth.client_authentication.secrets import check_secret
from ...oauth.errors import InvalidClientError
from ...oauth.model import OAuthClient
from .client_keys import keys_of
from .clients import cached_client
from .shared_secrets import open_secret

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["authenticate", "registered_client", "verify_assertion"]

_TYPE: Final = "client-authentication+jwt"  # rfc7523bis section 4


async def authenticate(context: Context, presented: Credentials, *, endpoint: str) -> OAuthClient:
    """Return the client that a request comes from. A public client has said its name, and proven nothing.

    An assertion is for the issuer, whichever endpoint it is sent to, and is used up by this.

    Args:
        context: What flows share.
        presented: What came with the request.
        endpoint: Where it came to, for the log.

    Raises:
        InvalidRequestError: If it uses several methods, or names two clients.
        InvalidClientError: If no client has shown that it is the one.
    """
    try:
        proof = proof_of(presented)
        client = await registered_client(context, proof.client_id)
        check_registered(client, proof)
        if isinstance(proof, Secret):
            check_secret(client, proof.secret, now=context.clock())
        elif isinstance(proof, Assertion):
            await verify_assertion(context, client, proof, audiences=_audiences(context))
    except InvalidClientError as error:
        raise InvalidClientError(detail=f"{endpoint}: {error.detail}") from None
    return client


def _audiences(context: Context) -> frozenset[str]:
    """Return the names of this server that an assertion may be for.

    The token endpoint is not one of them: whoever can make a client believe that it is theirs would be sent assertions
    that are good here (rfc7523bis section 1). Only a setting allows it.
    """
    issuer = context.access_tokens.issuer
    if context.provider.assertion_audience == "issuer":
        return frozenset({issuer})
    return frozenset({issuer, f"{context.provider.base}/token"})


async def registered_client(context: Context, client_id: str) -> OAuthClient:
    """Return the client of a name.

    Raises:
        InvalidClientError: If there is none, or it was switched off.
    """
    client = await cached_client(context, client_id)
    if client is None:
        raise InvalidClientError(detail="no such client, or switched off")
    return client


async def verify_assertion(
    context: Context,
    client: OAuthClient,
    assertion: Assertion,
    *,
    audiences: frozenset[str],
    explicit_type: str = _TYPE,
) -> None:
    """Verify an assertion of a client, and use it up: nobody can present it a second time.

    Args:
        context: What flows share.
        client: Whose it says that it is.
        assertion: It.
        audiences: The names of this server of which it must be for exactly one.
        explicit_type: The ``typ`` that it may state instead of none or ``JWT``.

    Raises:
        InvalidClientError: If it is not good, or was used before.
    """
    keys = await _keys_for(context, client, assertion)
    verifier = context.assertion_verifiers.get(
        client.id,
        keys,
        algorithm=assertion.algorithm,
        typ=type_of(assertion, explicit=explicit_type),
        audiences=audiences,
        clock=context.clock,
    )
    now = context.clock()
    try:
        claims = verifier.verify(assertion.token, now=now).claims
    except JOSEError as error:
        raise InvalidClientError(detail=f"client {client.id}: {error.code}") from None
    longest = context.provider.assertion.total_seconds()
    check_claims(claims, client_id=client.id, audiences=audiences, longest=longest, now=now)
    used, until = consumption_of(claims)
    if not await context.storage.records.consume_assertion(digest(used), until=until):
        raise InvalidClientError(detail=f"client {client.id}: the assertion was used before")


async def _keys_for(context: Context, client: OAuthClient, assertion: Assertion) -> KeySet:
    if assertion.method == "private_key_jwt":
        check_key_algorithm(client, assertion)
        return await keys_of(context, client, algorithm=assertion.algorithm, kid=assertion.kid)
    if client.sealed_secret is None:
        raise InvalidClientError(detail=f"client {client.id}: its secret is not known")
    secret = open_secret(context.sealer, client.sealed_secret, owner="client")
    return key_for(client, assertion, secret=secret, now=context.clock())
