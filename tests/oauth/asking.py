"""What tests of authorization requests share: a client, APIs, and a request that is good."""

from typing import Any, Final

from coatcheck.oauth.authorization_request import Rules
from coatcheck.oauth.model import API, APIScope, OAuthClient
from coatcheck.oauth.parameters import Parameters

CALLBACK: Final = "https://app.example/cb"
BUILT_IN: Final = "https://id.example"
ORDERS: Final = "https://orders.example"
INVOICES: Final = "https://invoices.example/v1"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B

APIS: Final = (
    API(audience=BUILT_IN, name="This server", scopes=(APIScope(name="coatcheck:admin"),), created_at=0.0),
    API(
        audience=ORDERS,
        name="Orders",
        scopes=(APIScope(name="read", description="See your orders"), APIScope(name="buy")),
        created_at=0.0,
    ),
    API(audience=INVOICES, name="Invoices", scopes=(APIScope(name="pay"),), created_at=0.0),
)


def a_client(**changes: Any) -> OAuthClient:
    given: dict[str, Any] = {
        "id": "app",
        "name": "App",
        "created_at": 0.0,
        "token_endpoint_auth_method": "none",
        "redirect_uris": (CALLBACK,),
        "grant_types": ("authorization_code", "refresh_token"),
    } | changes
    return OAuthClient(**given)


def rules(**changes: Any) -> Rules:
    given: dict[str, Any] = {"apis": APIS, "built_in": BUILT_IN} | changes
    return Rules(**given)


def asks(**changes: str | tuple[str, ...] | None) -> Parameters:
    """Return a good request with changes: ``None`` leaves a parameter out, several values repeat it."""
    given: dict[str, str | tuple[str, ...] | None] = {
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    given.update(changes)
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        values = (value,) if isinstance(value, str) else value or ()
        pairs += [(name, each) for each in values]
    return Parameters.of(pairs)
