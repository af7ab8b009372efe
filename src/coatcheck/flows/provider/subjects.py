"""By which name a client knows a user (OpenID Connect Core section 8)."""

from __future__ import annotations

from typing import Final

from ..._core import base64url
from ..._core.secrets import Sealer
from ...oauth.model import OAuthClient

__all__ = ["subject_of"]

_CONTEXT: Final = "pairwise-subject"


def subject_of(sealer: Sealer, client: OAuthClient, user_id: str) -> str:
    """Return the ``sub`` that a client is told.

    A pairwise one is the same for all clients of one sector, and tells those of another nothing: it is an HMAC under
    the server's secret (section 8.1), so that nobody without it can compute the user of a subject, or the reverse.

    Args:
        sealer: The server's secret at work.
        client: The client that is told.
        user_id: The user's own identifier.
    """
    if client.subject_type == "public":
        return user_id
    message = f"{client.sector or client.id}\n{user_id}"  # an identifier has no line break
    return base64url.encode(sealer.mac(message.encode(), context=_CONTEXT))
