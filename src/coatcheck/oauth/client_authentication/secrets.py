"""Whether a secret is the client's, wherever in the request it stood."""

from __future__ import annotations

from ..._core.secrets import digest, equal
from ..errors import InvalidClientError
from ..model import OAuthClient

__all__ = ["check_secret"]


def check_secret(client: OAuthClient, secret: str, *, now: float) -> None:
    """Check that a secret is the client's, and still good.

    Of the secret only its SHA-256 is known, and the two are compared in a time that does not tell where they differ.

    Args:
        client: Who it is said to be.
        secret: What was presented.
        now: The time, in seconds since 1970.

    Raises:
        InvalidClientError: If not.
    """
    if client.secret_digest is None or not equal(client.secret_digest, digest(secret)):
        raise InvalidClientError(detail=f"client {client.id}: a wrong secret")
    if client.secret_expires_at is not None and now >= client.secret_expires_at:
        raise InvalidClientError(detail=f"client {client.id}: its secret has expired")
