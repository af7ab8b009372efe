"""``client_secret_post``: identifier and secret in the body (RFC 6749 section 2.3.1)."""

from __future__ import annotations

from ..errors import InvalidClientError
from .model import Credentials, Secret

__all__ = ["secret_in_body"]


def secret_in_body(credentials: Credentials) -> Secret:
    """Return the identifier and the secret that a body carries.

    Raises:
        InvalidClientError: If it names no client.
    """
    if credentials.client_id is None or credentials.client_secret is None:
        raise InvalidClientError(detail="a secret without a client_id")
    return Secret(
        client_id=credentials.client_id, secret=credentials.client_secret, method="client_secret_post"
    )
