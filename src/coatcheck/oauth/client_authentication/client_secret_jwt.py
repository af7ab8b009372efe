"""``client_secret_jwt``: an assertion authenticated by the secret (OpenID Connect Core section 9)."""

from __future__ import annotations

from ...jose import JOSEError, Key, KeySet
from ..errors import InvalidClientError
from ..model import OAuthClient
from ..vocabulary import SECRET_ASSERTION_ALGORITHMS
from .model import Assertion

__all__ = ["key_for"]


def key_for(client: OAuthClient, assertion: Assertion, *, secret: str, now: float) -> KeySet:
    """Return the secret as the key of an assertion.

    Args:
        client: Whose it is said to be.
        assertion: It.
        secret: The client's secret.
        now: The time, in seconds since 1970.

    Raises:
        InvalidClientError: If the secret has expired, the algorithm is not the registered one, or the secret is too
            short for it.
    """
    pinned = client.token_endpoint_auth_signing_alg
    if assertion.algorithm not in SECRET_ASSERTION_ALGORITHMS or pinned not in {None, assertion.algorithm}:
        raise InvalidClientError(detail=f"client {client.id}: the assertion is of another algorithm")
    if client.secret_expires_at is not None and now >= client.secret_expires_at:
        raise InvalidClientError(detail=f"client {client.id}: its secret has expired")
    try:
        return KeySet([Key.from_secret(secret.encode(), assertion.algorithm)])
    except JOSEError as error:
        raise InvalidClientError(detail=f"client {client.id}: {error.message}") from None
