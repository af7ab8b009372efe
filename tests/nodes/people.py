"""People who use a site of several nodes, and its app."""

import base64
import hashlib
import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.oauth.model import OAuthClient
from coatcheck.server import load_settings, open_flows
from tests.nodes.cluster import BASE_URL, settings_of

PASSWORD: Final = "an umbrella in the corner"
PEOPLE: Final = tuple(f"person{number}@example.com" for number in range(8))
CALLBACK: Final = "https://app.example/cb"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BROWSER: Final = {
    "User-Agent": "Mozilla/5.0 (test)",
    "Accept": "text/html",
    "Origin": BASE_URL,
    "Sec-Fetch-Site": "same-origin",
}
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


async def add_people(database: str) -> None:
    """Put people into the database, and an app."""
    pool = HashingPool(Argon2Parameters(memory_kib=19_456, time_cost=2), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    people = [
        ImportedUser(row=row, email=email, key=email, password_hash=encoded)
        for row, email in enumerate(PEOPLE, 1)
    ]
    app = OAuthClient(
        id="app",
        name="Photo Album",
        created_at=0.0,
        redirect_uris=(CALLBACK,),
        token_endpoint_auth_method="none",
        grant_types=("authorization_code", "refresh_token"),
        response_types=("code",),
        id_token_signed_response_alg="ES256",
    )
    async with open_flows(load_settings(environment=settings_of(database))) as flows:
        assert (await flows.administration.import_users(people)).added == len(PEOPLE)
        assert await flows.context.storage.records.add_client(app)


def sign_in(browser: httpx.Client, email: str = PEOPLE[0], *, then: str = "") -> httpx.Response:
    """Fill in the form."""
    form = {"email": email, "password": PASSWORD} | ({"next": then} if then else {})
    response = browser.post("/auth/sign-in", data=form)
    assert response.status_code == 303, response.text
    return response


def cookie_of(browser: httpx.Client) -> str:
    """Return what a browser sends along."""
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def tokens_for(client: httpx.Client, email: str = PEOPLE[0]) -> dict[str, Any]:
    """Sign an app of ours in, which keeps tokens and no cookie."""
    response = client.post("/auth/sign-in", json={"email": email, "password": PASSWORD})
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def refreshing(token: str) -> dict[str, str]:
    """Return the form that refreshes a token of ours."""
    return {"grant_type": "refresh_token", "refresh_token": token}


def authorization() -> dict[str, str]:
    """Return the parameters with which the app sends a browser here."""
    return {
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email offline_access",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def exchange(code: str) -> dict[str, str]:
    """Return the form that exchanges a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": "app",
    }


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of a page's forms."""
    return {name: value.replace("&amp;", "&") for name, value in _FIELD.findall(page.text)}


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
