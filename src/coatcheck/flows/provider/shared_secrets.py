"""Secrets that have to be known again, because something is signed by them: sealed, and opened into keys.

What signs is the UTF-8 octets of the secret as its owner was given it (OpenID Connect Core section 16.19), so that any
library takes the text as it is.
"""

from __future__ import annotations

from typing import Final, Literal

from ..._core.secrets import Sealer, SealError
from ...jose import Key
from ..errors import ServerKeyError

__all__ = ["SecretOwner", "open_secret", "seal_secret", "secret_key"]

SecretOwner = Literal["api", "client"]
"""Whose secret it is. That of an API never opens as that of a client."""

_CONTEXTS: Final[dict[SecretOwner, str]] = {"api": "api-secret", "client": "client-secret"}


def seal_secret(sealer: Sealer, secret: str, *, owner: SecretOwner) -> bytes:
    """Return a secret encrypted, as ``sealed_secret`` of an API or a client keeps it."""
    return sealer.seal(secret.encode(), context=_CONTEXTS[owner])


def open_secret(sealer: Sealer, sealed: bytes, *, owner: SecretOwner) -> str:
    """Return the secret that was sealed.

    Raises:
        ServerKeyError: If it was encrypted under another secret of the server.
    """
    try:
        return sealer.open(sealed, context=_CONTEXTS[owner]).decode()
    except SealError:
        raise ServerKeyError(detail=f"a sealed secret of an {owner}") from None


def secret_key(sealer: Sealer, sealed: bytes, *, owner: SecretOwner, algorithm: str = "HS256") -> Key:
    """Return the key that a sealed secret is. It names itself by no ``kid``.

    Raises:
        ServerKeyError: If it was encrypted under another secret of the server.
        WeakKeyError: If it is too short for the algorithm.
    """
    return Key.from_secret(open_secret(sealer, sealed, owner=owner).encode(), algorithm)
