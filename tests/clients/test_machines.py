"""Machines, by each way of showing who they are."""

from typing import Any

import pytest

from tests.clients.node import Node
from tests.clients.person import Person
from tests.clients.provider import Provider

API = "https://orders.example"


@pytest.fixture(scope="module")
def api(provider: Provider) -> str:
    provider.command("api", "add", API, "--name", "Orders", "--scope", "orders:read=Read orders", "--json")
    return API


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
)
def test_a_machine_gets_a_token(provider: Provider, node: Node, ada: Person, api: str, method: str) -> None:
    key = ("--key",) if method == "private_key_jwt" else ("--set", f"token_endpoint_auth_method={method}")
    added: dict[str, Any] = provider.command(
        "client", "add", f"Machine {method}", "--machine", *key, "--json"
    )
    machine = added["client_id"]
    provider.command("permission", "grant", "--client", machine, "--api", api, "orders:read")
    given = {
        "issuer": provider.issuer,
        "client_id": machine,
        "client_secret": added.get("client_secret"),
        "key": added.get("key"),
        "method": method,
        "scope": "orders:read",
        "resource": api,
    }
    result = node.run("openid_client_machine", given, browse=ada.browse)
    assert result["scope"] == "orders:read"
