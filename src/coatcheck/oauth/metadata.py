"""What a client has to know of this server before it asks for anything, as one document.

It is one for OAuth (RFC 8414) and for OpenID Connect (Discovery 1.0 section 3): each ignores what it does not know.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from .vocabulary import (
    ASSERTION_ALGORITHMS,
    AUTHENTICATION_METHODS,
    GRANT_TYPES,
    ID_TOKEN_ALGORITHMS,
    OPENID_SCOPES,
    RESPONSE_MODES,
    RESPONSE_TYPES,
    SECRET_ASSERTION_ALGORITHMS,
)

__all__ = ["STANDARD_CLAIMS", "ServerFacts", "server_metadata"]

STANDARD_CLAIMS: Final = (
    *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
    *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    *("email", "email_verified", "address", "phone_number", "phone_number_verified"),
)
"""What can be known of a user (OpenID Connect Core section 5.1)."""

_TOKEN_CLAIMS: Final = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid")
_PROMPTS: Final = ("none", "login", "consent", "select_account", "create")
_SECRETLESS: Final = "none"


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the document is made from.

    Attributes:
        issuer: The issuer's identifier, exactly as tokens say it.
        base: The URL below which the endpoints are, without a slash at its end.
        registration: Who may register clients.
        hybrid: Whether there are response types beyond ``code``.
        acr_values: How strongly users can have signed in, the weakest first.
        sign_up: Whether visitors may make accounts, so that ``prompt=create`` leads somewhere.
        ui_locales: The languages of the pages (BCP 47).
        more: Further members, of this server's own.
    """

    issuer: str
    base: str
    registration: Literal["off", "token", "open"] = "off"
    hybrid: bool = False
    acr_values: tuple[str, ...] = ()
    sign_up: bool = True
    ui_locales: tuple[str, ...] = ("en",)
    more: dict[str, Any] = msgspec.field(default_factory=dict)


def server_metadata(facts: ServerFacts) -> dict[str, Any]:
    """Return the document. What it says is what is done, no more: a client goes by it without asking a person."""
    return {
        "issuer": facts.issuer,
        **_endpoints(facts),
        **_authorization(facts),
        **_authentication(),
        **_openid(facts),
        **facts.more,
    }


def _endpoints(facts: ServerFacts) -> dict[str, Any]:
    base = facts.base
    endpoints = {
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "introspection_endpoint": f"{base}/introspect",
        "revocation_endpoint": f"{base}/revoke",
        "pushed_authorization_request_endpoint": f"{base}/par",  # RFC 9126 section 5
        "end_session_endpoint": f"{base}/end-session",  # RP-Initiated Logout section 2.1
    }
    if facts.registration != "off":
        endpoints["registration_endpoint"] = f"{base}/register"
    return endpoints


def _authorization(facts: ServerFacts) -> dict[str, Any]:
    return {
        "scopes_supported": OPENID_SCOPES,
        "response_types_supported": RESPONSE_TYPES if facts.hybrid else RESPONSE_TYPES[:1],
        "response_modes_supported": RESPONSE_MODES,
        "grant_types_supported": (*GRANT_TYPES, "implicit") if facts.hybrid else GRANT_TYPES,
        "code_challenge_methods_supported": ("S256",),
        "prompt_values_supported": _PROMPTS if facts.sign_up else _PROMPTS[:-1],
        "authorization_response_iss_parameter_supported": True,  # RFC 9207 section 3
        "require_pushed_authorization_requests": False,
        "request_parameter_supported": False,
        # Of references to what is elsewhere. Those to pushed requests are always understood (RFC 9126 section 5).
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "client_id_metadata_document_supported": facts.registration == "open",
        "ui_locales_supported": facts.ui_locales,
    }


def _authentication() -> dict[str, Any]:
    algorithms = (*ASSERTION_ALGORITHMS, *SECRET_ASSERTION_ALGORITHMS)
    confidential = [each for each in AUTHENTICATION_METHODS if each != _SECRETLESS]
    return {
        "token_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": AUTHENTICATION_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        # "Bearer": the services that follow the ledger show their own key (RFC 8414 section 2 allows token types).
        "introspection_endpoint_auth_methods_supported": [*confidential, "Bearer"],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
    }


def _openid(facts: ServerFacts) -> dict[str, Any]:
    return {
        "subject_types_supported": ("public", "pairwise"),
        "id_token_signing_alg_values_supported": ID_TOKEN_ALGORITHMS,
        "userinfo_signing_alg_values_supported": ID_TOKEN_ALGORITHMS,
        "acr_values_supported": facts.acr_values,
        "display_values_supported": ("page",),
        "claim_types_supported": ("normal",),
        "claims_supported": (*_TOKEN_CLAIMS, *STANDARD_CLAIMS),
        "claims_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
