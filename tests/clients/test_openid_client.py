"""openid-client: certified, and the most used in its world."""

from typing import Any

import pytest

from tests.clients.node import Node
from tests.clients.person import Person
from tests.clients.provider import ADA, Provider

CALLBACK = "https://app.example/callback"
GONE = "https://app.example/gone"
SCOPE = "openid email profile offline_access"


@pytest.fixture(scope="module")
def app(provider: Provider) -> dict[str, Any]:
    added = provider.command(
        *("client", "add", "An app", "--redirect-uri", CALLBACK, "--post-logout-uri", GONE, "--json")
    )
    return {"client_id": added["client_id"], "client_secret": added["client_secret"]}


@pytest.mark.parametrize("pushed", [False, True], ids=["plain", "pushed"])
def test_it_signs_somebody_in_and_out_by_discovery_alone(
    provider: Provider, node: Node, ada: Person, app: dict[str, Any], *, pushed: bool
) -> None:
    given = {
        "issuer": provider.issuer,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": GONE,
        "scope": SCOPE,
        "pushed": pushed,
    } | app
    result = node.run("openid_client", given, browse=ada.browse)
    assert result["claims"]["iss"] == provider.issuer
    assert result["userinfo"]["sub"] == result["claims"]["sub"] == result["refreshed"]["sub"]
    assert result["userinfo"]["email"] == ADA
    assert set(result["scope"].split()) == set(SCOPE.split())
    assert result["before"]["active"] is True
    assert result["after"] == {"active": False}
    assert result["gone"] == f"{GONE}?state=gone"


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "client_secret_basic", "algorithm": "RS256", "subject_type": "public"},
        {"method": "client_secret_post", "algorithm": "ES256", "subject_type": "pairwise"},
        {"method": "client_secret_basic", "algorithm": "PS256", "subject_type": "pairwise"},
    ],
    ids=["usual", "ES256-pairwise", "PS256-pairwise"],
)
def test_it_registers_itself(provider: Provider, node: Node, ada: Person, asked: dict[str, str]) -> None:
    given = {"issuer": provider.issuer, "redirect_uri": CALLBACK} | asked
    result = node.run("openid_client_registers", given, browse=ada.browse)
    assert result["metadata"]["id_token_signed_response_alg"] == asked["algorithm"]
    assert result["userinfo"] == {"sub": result["claims"]["sub"], "email": ADA, "email_verified": True}
