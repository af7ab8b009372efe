"""How a client shows who it is: the method, and what that needs."""

from __future__ import annotations

from typing import Final

from ..vocabulary import (
    ASSERTION_ALGORITHMS,
    AUTHENTICATION_METHODS,
    SECRET_ASSERTION_ALGORITHMS,
    AuthenticationMethod,
    GrantType,
)
from .refusal import refused

__all__ = ["SECRET_METHODS", "check_assertion_algorithm", "check_method"]

SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})
"""The methods for which a client has a secret."""

_USUAL: Final[AuthenticationMethod] = "client_secret_basic"
_FIELD: Final = "token_endpoint_auth_method"


def check_method(
    asked: str | None, grant_types: tuple[GrantType, ...], *, has_keys: bool
) -> AuthenticationMethod:
    """Return the method by which a client authenticates; ``client_secret_basic`` if it does not say.

    Raises:
        InvalidClientMetadataError: If there is no such method here, it has no keys for it, or is public and wants
            tokens in its own name (OAuth 2.1 section 4.2: confidential clients only).
    """
    method = next((each for each in AUTHENTICATION_METHODS if each == (asked or _USUAL)), None)
    if method is None:
        raise refused(_FIELD, "there is no such method here.")
    if method == "private_key_jwt" and not has_keys:
        raise refused(_FIELD, "private_key_jwt needs jwks or jwks_uri.")
    if method == "none" and "client_credentials" in grant_types:
        raise refused("grant_types", "a public client gets no tokens in its own name.")
    return method


def check_assertion_algorithm(asked: str | None, method: AuthenticationMethod) -> str | None:
    """Return the one algorithm of a client's assertions; ``None`` for any, and where it makes none.

    Raises:
        InvalidClientMetadataError: If assertions are not signed so, ``none`` above all.
    """
    if asked is None:
        return None
    possible = SECRET_ASSERTION_ALGORITHMS if method == "client_secret_jwt" else ASSERTION_ALGORITHMS
    if asked not in (*ASSERTION_ALGORITHMS, *SECRET_ASSERTION_ALGORITHMS):
        raise refused("token_endpoint_auth_signing_alg", "assertions are not signed so here.")
    if method not in {"client_secret_jwt", "private_key_jwt"}:
        return None  # it has no meaning (OpenID Connect Registration section 2)
    if asked not in possible:
        raise refused("token_endpoint_auth_signing_alg", "it does not go with the method.")
    return asked
