"""Which method a request uses: exactly one, and the one that its client registered."""

from __future__ import annotations

from typing import Final

from ..errors import InvalidClientError, InvalidRequestError
from ..model import OAuthClient
from ..vocabulary import JWT_BEARER_ASSERTION
from .assertions import read_assertion
from .client_secret_basic import parse_basic
from .client_secret_post import secret_in_body
from .model import Credentials, Proof
from .none import name_of

__all__ = ["check_registered", "proof_of"]

_BY_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})


def proof_of(credentials: Credentials) -> Proof:
    """Return what a request presents, by the one method that it uses.

    Raises:
        InvalidRequestError: If it uses several (RFC 6749 section 2.3), or names two clients.
        InvalidClientError: If it uses none, or one wrongly.
    """
    by_header = credentials.authorization is not None
    by_assertion = credentials.client_assertion is not None or credentials.client_assertion_type is not None
    if by_header + by_assertion + (credentials.client_secret is not None) > 1:
        raise InvalidRequestError("The client authenticates in more than one way.")
    proof: Proof
    if credentials.authorization is not None:
        proof = parse_basic(credentials.authorization)
    elif credentials.client_secret is not None:
        proof = secret_in_body(credentials)
    elif by_assertion:
        if credentials.client_assertion is None or credentials.client_assertion_type != JWT_BEARER_ASSERTION:
            raise InvalidClientError(detail="an assertion of no known type, or a type without an assertion")
        proof = read_assertion(credentials.client_assertion)
    else:
        proof = name_of(credentials)
    if credentials.client_id is not None and credentials.client_id != proof.client_id:
        raise InvalidRequestError(
            "The client authenticates as another one than client_id says.", field="client_id"
        )
    return proof


def check_registered(client: OAuthClient, proof: Proof) -> None:
    """Check that a client uses the method that it registered: no other, and above all no weaker one.

    Header and body carry the same secret over the same connection: neither is weaker, and of the libraries in use some
    take the one and some the other, whatever was registered. So each stands for both.

    Raises:
        InvalidClientError: If not, or if it was switched off.
    """
    if client.disabled_at is not None:
        raise InvalidClientError(detail=f"client {client.id}: it is disabled")
    registered = client.token_endpoint_auth_method
    if proof.method != registered and not {proof.method, registered} <= _BY_SECRET:
        raise InvalidClientError(
            detail=f"client {client.id}: {proof.method} is not its method of authentication"
        )
