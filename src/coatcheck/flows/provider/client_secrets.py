"""The secrets of clients: how they are made, and what is kept of them."""

from __future__ import annotations

from msgspec.structs import replace

from ..._core.secrets import Sealer, digest, new_token
from ...oauth.model import OAuthClient
from .shared_secrets import seal_secret

__all__ = ["with_new_secret", "without_secret"]

_PREFIX = "ccs_"  # so that scanners of code and logs know what they have found


def with_new_secret(sealer: Sealer, client: OAuthClient, *, known: bool) -> tuple[OAuthClient, str]:
    """Return a client with a new secret, and the secret. It is shown once.

    Args:
        sealer: The server's secret at work.
        client: The client. What it had before is worth nothing once this is stored.
        known: Whether it has to be known here, and not just its digest (``CheckedMetadata.needs_plain_secret``). It is
            as long then as any HMAC asks for (RFC 7518 section 3.2).
    """
    secret = _PREFIX + new_token() + (new_token() if known else "")
    sealed = seal_secret(sealer, secret, owner="client") if known else None
    return replace(client, secret_digest=digest(secret), secret_expires_at=None, sealed_secret=sealed), secret


def without_secret(client: OAuthClient) -> OAuthClient:
    """Return a client that has no secret."""
    return replace(client, secret_digest=None, secret_expires_at=None, sealed_secret=None)
