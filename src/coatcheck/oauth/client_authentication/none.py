"""``none``: a public client says its name, and what it presents beside it has to do (OAuth 2.1 section 3.2.1)."""

from __future__ import annotations

from ..errors import InvalidClientError
from .model import Credentials, Name

__all__ = ["name_of"]


def name_of(credentials: Credentials) -> Name:
    """Return the name that a request gives.

    Raises:
        InvalidClientError: If it gives none.
    """
    if credentials.client_id is None:
        raise InvalidClientError(detail="no client_id and no client authentication")
    return Name(client_id=credentials.client_id)
