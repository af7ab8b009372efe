"""What signs what a client gets, and what is never left out in silence: protection that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..vocabulary import ID_TOKEN_ALGORITHMS
from .refusal import refused

__all__ = ["check_demands", "check_signing_algorithm"]

_USUAL: Final = "RS256"
# To ignore one of these would be to send in the clear, or to anybody, what the client wants protected.
_DEMANDS: Final = (
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
    "dpop_bound_access_tokens",
)


def check_signing_algorithm(field: str, asked: str | None, *, has_secret: bool) -> str | None:
    """Return the algorithm that signs ID tokens or answers of userinfo; ``None`` if the client does not say.

    Raises:
        InvalidClientMetadataError: If it is not supported, ``none`` above all, or needs a secret that there is not.
    """
    if asked is None:
        return None
    if asked not in ID_TOKEN_ALGORITHMS:
        raise refused(field, "nothing is signed so here.")
    if asked.startswith("HS") and not has_secret:
        raise refused(field, "it needs a client secret, and this client has none.")
    return asked


def check_demands(metadata: Mapping[str, Any]) -> None:
    """Refuse metadata that demands what is not done here, rather than to leave it out.

    Request objects and their algorithms only say what a client might send (OpenID Connect Registration section 2):
    they are left out.

    Raises:
        InvalidClientMetadataError: If it wants its answers encrypted, its tokens bound, or its requests signed.
    """
    for name in _DEMANDS:
        if metadata.get(name):
            raise refused(name, "this is not done here.")
