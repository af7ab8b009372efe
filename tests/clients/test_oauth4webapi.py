"""oauth4webapi: it refuses whatever is not to the letter, access tokens included (RFC 9068)."""

from tests.clients.node import Node
from tests.clients.person import Person
from tests.clients.provider import Provider

CALLBACK = "https://strict.example/callback"
API = "https://strict-orders.example"


def test_every_answer_is_to_the_letter(provider: Provider, node: Node, ada: Person) -> None:
    provider.command(
        *(
            "api",
            "add",
            API,
            "--name",
            "Orders",
            "--scope",
            "strict:read=Read",
            "--everybody",
            "strict:read",
            "--json",
        )
    )
    added = provider.command("client", "add", "Strict", "--redirect-uri", CALLBACK, "--json")
    given = {
        "issuer": provider.issuer,
        "client_id": added["client_id"],
        "client_secret": added["client_secret"],
        "redirect_uri": CALLBACK,
        "scope": "openid email strict:read",
        "resource": API,
    }
    for discovery in ("oidc", "oauth2"):
        result = node.run("oauth4webapi", given | {"discovery": discovery}, browse=ada.browse)
        assert result["claims"]["sub"] == result["userinfo"]["sub"] == result["access"]["sub"]
        assert set(result["access"]["scope"].split()) == {"openid", "email", "strict:read"}
        assert result["introspection"]["active"] is True
