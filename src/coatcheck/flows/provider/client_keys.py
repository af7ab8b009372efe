"""The public keys of clients: registered, or fetched from where the client keeps them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ...jose import KeySet
from ...jose.errors import JOSEError
from ...oauth.documents import DocumentError
from ...oauth.errors import InvalidClientError
from ...oauth.model import OAuthClient
from .document_cache import Keeping

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["keys_of"]

_KEEPING: Final = Keeping(
    accept=("application/json", "application/jwk-set+json"),
    least=timedelta(minutes=1),
    usual=timedelta(minutes=10),
    most=timedelta(hours=24),
    # A client whose server is down for a while still gets tokens; one that withdrew a key is waited for no longer.
    stale=timedelta(hours=1),
    again=timedelta(seconds=30),
    pause=timedelta(seconds=5),
)


async def keys_of(context: Context, client: OAuthClient, *, algorithm: str, kid: str | None) -> KeySet:
    """Return the keys that may have signed what a client sent, at least one.

    A ``jwks_uri`` is fetched again for a key that is not in it, at most every 30 seconds (OpenID Connect Core section
    10.1.1): whoever makes identifiers up has nothing fetched by it.

    Args:
        context: What flows share.
        client: Whose keys.
        algorithm: What the signature is by: one of ``vocabulary.ASSERTION_ALGORITHMS``, as its header says.
        kid: Which key, as its header says.

    Raises:
        InvalidClientError: If the client has no such key, or its keys cannot be had.
    """
    try:
        if client.jwks is not None:
            found = context.client_keys.read(client.jwks, algorithm)
        elif client.jwks_uri is not None:
            found = await _fetched(context, client.jwks_uri, algorithm=algorithm, kid=kid)
        else:
            raise InvalidClientError(detail="the client has no keys")
    except DocumentError as error:
        raise InvalidClientError(detail=f"its keys cannot be fetched: {error.detail}") from None
    except JOSEError as error:
        raise InvalidClientError(detail=f"its keys cannot be read: {error.code}") from None
    if _lacks(found, kid):
        raise InvalidClientError(detail="the client has no such key")
    return found


async def _fetched(context: Context, url: str, *, algorithm: str, kid: str | None) -> KeySet:
    jwks = await context.document_cache.get(context, url, keeping=_KEEPING)
    found = context.client_keys.read(jwks, algorithm)
    if _lacks(found, kid):
        jwks = await context.document_cache.get(context, url, keeping=_KEEPING, lacking=True)
        found = context.client_keys.read(jwks, algorithm)
    return found


def _lacks(keys: KeySet, kid: str | None) -> bool:
    """Tell whether no key of a set can be meant. One without an identifier may be meant by any."""
    return not any(kid is None or key.kid is None or key.kid == kid for key in keys)
