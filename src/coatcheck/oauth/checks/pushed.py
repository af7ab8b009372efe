"""Whether a request had to be pushed (RFC 9126 section 6)."""

from __future__ import annotations

from ..errors import InvalidRequestError
from ..model import OAuthClient

__all__ = ["check_pushed"]


def check_pushed(client: OAuthClient, *, pushed: bool) -> None:
    """Check that a client that pushes its requests has pushed this one: anybody can put another one together.

    Raises:
        InvalidRequestError: If it did not.
    """
    if client.require_pushed_authorization_requests and not pushed:
        raise InvalidRequestError("This client has to push its requests.", field="request_uri")
