"""The words of the specifications, each once."""

from __future__ import annotations

from typing import Final, Literal

__all__ = [
    "ADDRESS",
    "API_ALGORITHMS",
    "ASSERTION_ALGORITHMS",
    "AUTHENTICATION_METHODS",
    "EMAIL",
    "GRANT_TYPES",
    "ID_TOKEN_ALGORITHMS",
    "JWT_BEARER_ASSERTION",
    "OFFLINE_ACCESS",
    "OPENID",
    "OPENID_SCOPES",
    "PHONE",
    "PROFILE",
    "PUSHED_REQUEST",
    "RESPONSE_MODES",
    "RESPONSE_TYPES",
    "SECRET_ASSERTION_ALGORITHMS",
    "AuthenticationMethod",
    "GrantType",
    "Prompt",
    "ResponseMode",
    "ResponseType",
]

AuthenticationMethod = Literal[
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
]
"""How a client shows who it is at the token endpoint (OpenID Connect Core section 9)."""

AUTHENTICATION_METHODS: Final[tuple[AuthenticationMethod, ...]] = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)

GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
]
"""What is exchanged for tokens. ``implicit`` is no grant of the token endpoint: see ``ResponseType``."""

GRANT_TYPES: Final[tuple[GrantType, ...]] = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
)

ResponseType = Literal["code", "code id_token", "id_token"]
"""What the authorization endpoint answers with. No access token ever comes from there (OAuth 2.1 section 10.1)."""

RESPONSE_TYPES: Final[tuple[ResponseType, ...]] = ("code", "code id_token", "id_token")

ResponseMode = Literal["query", "fragment", "form_post"]
"""How it is brought to the client (OAuth 2.0 Multiple Response Types; OAuth 2.0 Form Post Response Mode)."""

RESPONSE_MODES: Final[tuple[ResponseMode, ...]] = ("query", "fragment", "form_post")

Prompt = Literal["none", "login", "consent", "select_account", "create"]
"""What the user is to be asked (OpenID Connect Core section 3.1.2.1; Prompt Create 1.0)."""

OPENID: Final = "openid"
PROFILE: Final = "profile"
EMAIL: Final = "email"
ADDRESS: Final = "address"
PHONE: Final = "phone"
OFFLINE_ACCESS: Final = "offline_access"

OPENID_SCOPES: Final = (OPENID, PROFILE, EMAIL, ADDRESS, PHONE, OFFLINE_ACCESS)
"""The scopes of OpenID Connect (Core sections 5.4 and 11). They belong to no API, and none may be called so."""

ID_TOKEN_ALGORITHMS: Final = ("RS256", "ES256", "PS256", "Ed25519", "HS256")
"""What may sign ID tokens. ``RS256`` is what a client gets that does not ask (Registration section 2)."""

API_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "HS256")
"""What may sign the access tokens of an API. ``HS256`` is by a secret of that API alone."""

ASSERTION_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
    *("ML-DSA-44", "ML-DSA-65", "ML-DSA-87"),
)
"""What may sign a client's assertions by its own key (``private_key_jwt``, RFC 7523)."""

SECRET_ASSERTION_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
"""What may sign them by its secret (``client_secret_jwt``)."""

JWT_BEARER_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The ``client_assertion_type`` (RFC 7523 section 2.2)."""

PUSHED_REQUEST: Final = "urn:ietf:params:oauth:request_uri:"
"""What the ``request_uri`` of a pushed request begins with (RFC 9126 section 2.2)."""
