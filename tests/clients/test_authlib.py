"""Authlib's client, as its users set it up: it sends no code challenge unless it is told to."""

import ssl
from typing import Any

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.clients.person import Person
from tests.clients.provider import ADA, Provider

CALLBACK = "https://authlib.example/callback"


def test_it_signs_somebody_in_by_discovery_alone(provider: Provider, ada: Person) -> None:
    added = provider.command("client", "add", "Authlib", "--redirect-uri", CALLBACK, "--json")
    trusted = ssl.create_default_context(cafile=str(provider.trusted))
    with httpx.Client(verify=trusted) as plain:
        document: dict[str, Any] = plain.get(f"{provider.issuer}/.well-known/openid-configuration").json()
        keys = KeySet.import_key_set(plain.get(document["jwks_uri"]).json())
    client = OAuth2Client(
        added["client_id"],
        added["client_secret"],
        scope="openid email",
        redirect_uri=CALLBACK,
        token_endpoint=document["token_endpoint"],
        verify=trusted,
    )
    with client:
        url, state = client.create_authorization_url(document["authorization_endpoint"], nonce="a-nonce")
        token = client.fetch_token(authorization_response=ada.browse(url), state=state)
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
        assert claims["nonce"] == "a-nonce"
        userinfo = client.get(document["userinfo_endpoint"]).json()
        assert userinfo == {"sub": claims["sub"], "email": ADA, "email_verified": True}
        client.refresh_token(document["token_endpoint"])
