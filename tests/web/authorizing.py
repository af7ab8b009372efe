"""Apps that send browsers here, and people who follow: what tests of the authorization endpoint share."""

import base64
import hashlib
import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from coatcheck._core.secrets import digest
from coatcheck.oauth.model import OAuthClient
from coatcheck.oauth.vocabulary import RESPONSE_TYPES
from tests.web.sites import EMAIL, PASSWORD, Site

CALLBACK: Final = "https://app.example/cb"
SECRET: Final = "the secret of the app that is confidential"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

REQUEST: Final = {
    "client_id": "app",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "s t&a=te",
    "nonce": "n",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def asked(**changes: str | None) -> dict[str, str]:
    """Return the parameters of a request, with changes; ``None`` leaves one out."""
    return {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}


async def add_app(site: Site, **changes: Any) -> OAuthClient:
    """Register an app: public, unless it is told otherwise."""
    given: dict[str, Any] = {
        "id": "app",
        "name": "Photo Album",
        "created_at": site.clock(),
        "redirect_uris": (CALLBACK,),
        "token_endpoint_auth_method": "none",
        "grant_types": ("authorization_code", "refresh_token"),
        "response_types": RESPONSE_TYPES,
        "id_token_signed_response_alg": "ES256",
    } | changes
    if given["token_endpoint_auth_method"] != "none":
        given.setdefault("secret_digest", digest(SECRET))
    client = OAuthClient(**given)
    assert await site.server.flows.context.storage.records.add_client(client)
    return client


def answer_in(response: httpx.Response) -> dict[str, str]:
    """Return the answer that a response brings to the client, by whichever mode; it must be on its way there."""
    if response.status_code == 200:
        assert f'action="{CALLBACK}"' in response.text
        return dict(fields_of(response))
    assert response.status_code == 303, response.text
    location = response.headers["location"]
    assert location.startswith((CALLBACK, "http://127.0.0.1", "com.example.app:")), location
    parts = urlsplit(location)
    return dict(parse_qsl(parts.query or parts.fragment, strict_parsing=True))


def fields_of(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the hidden fields of the forms of a page."""
    return [(name, value.replace("&amp;", "&")) for name, value in _FIELD.findall(response.text)]


def way_of(response: httpx.Response) -> str:
    """Return the path on this site that a response sends the browser to."""
    assert response.status_code == 303, response.text
    location: str = response.headers["location"]
    assert location.startswith("/auth/"), location
    return location


def back_of(way: str) -> str:
    """Return where a page on the way leads back to."""
    return dict(parse_qsl(urlsplit(way).query))["next"]


async def sign_in(browser: httpx.AsyncClient, *, then: str = "", email: str = EMAIL) -> httpx.Response:
    return await browser.post("/auth/sign-in", data={"email": email, "password": PASSWORD, "next": then})


async def decide(browser: httpx.AsyncClient, path: str, decision: str, **changes: str) -> httpx.Response:
    """Look at a page of an authorization request, and press one of its buttons."""
    page = await browser.get(path)
    assert page.status_code == 200, page.headers
    fields = {name: value for name, value in fields_of(page) if name in {"session_id", "scope", "csrf_token"}}
    return await browser.post(path, data={**fields, "decision": decision, **changes})


async def begun(browser: httpx.AsyncClient, **changes: str | None) -> str:
    """Begin a request and return the path that its user comes back to."""
    way = way_of(await browser.get("/auth/authorize", params=asked(**changes)))
    return way if way.startswith("/auth/continue/") else back_of(way)


async def allowed(browser: httpx.AsyncClient, **changes: str | None) -> dict[str, str]:
    """Go all the way as somebody who is signed in, or signs in, and allows."""
    response = await browser.get("/auth/authorize", params=asked(**changes))
    way = response.headers["location"]
    if way.startswith("/auth/sign-in"):
        way = back_of(way)
        response = await sign_in(browser, then=way)
        response = await browser.get(way_of(response))
    if way.startswith("/auth/continue/"):
        response = await decide(browser, way, "allow")
    return answer_in(response)


async def exchanged(site: Site, code: str, **changes: str) -> httpx.Response:
    """Exchange a code as the public app does."""
    async with site.program() as program:
        return await program.post(
            "/auth/token",
            data={
                "grant_type": "authorization_code",
                "client_id": "app",
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": VERIFIER,
                **changes,
            },
        )
