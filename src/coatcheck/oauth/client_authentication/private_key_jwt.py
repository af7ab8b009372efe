"""``private_key_jwt``: an assertion signed by a key whose public half is registered (OpenID Connect Core section 9)."""

from __future__ import annotations

from ..errors import InvalidClientError
from ..model import OAuthClient
from ..vocabulary import ASSERTION_ALGORITHMS
from .model import Assertion

__all__ = ["check_key_algorithm"]


def check_key_algorithm(client: OAuthClient, assertion: Assertion) -> None:
    """Check that an assertion is of an algorithm that the client's own keys may have.

    It is the registered one, where there is one. A public key is never taken for a secret: no algorithm for secrets is
    among those of this method, and each key is pinned to its own (RFC 8725 section 3.1).

    Raises:
        InvalidClientError: If not.
    """
    pinned = client.token_endpoint_auth_signing_alg
    if assertion.algorithm not in ASSERTION_ALGORITHMS or pinned not in {None, assertion.algorithm}:
        raise InvalidClientError(detail=f"client {client.id}: the assertion is of another algorithm")
