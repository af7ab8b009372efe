"""Registration over the wire: RFC 7591 and RFC 7592, for any client."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.web.sites import ORIGIN, Site, open_site

pytestmark = pytest.mark.anyio
# ES256: its key is made in no time.
DOCUMENT = {"redirect_uris": ["https://app.example/callback"], "id_token_signed_response_alg": "ES256"}


@pytest.fixture
async def open_to_all() -> AsyncIterator[Site]:
    async with open_site(registration="open") as site:
        yield site


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def registered(program: httpx.AsyncClient, **document: Any) -> dict[str, Any]:
    response = await program.post("/auth/register", json={**DOCUMENT, **document})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_rfc_7591_section_3_2_1_the_answer_has_all_that_was_registered(open_to_all: Site) -> None:
    async with open_to_all.program() as program:
        response = await program.post("/auth/register", json={**DOCUMENT, "scope": "openid"})
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    found = response.json()
    secrets = {name: found.pop(name) for name in ("client_secret", "registration_access_token")}
    assert all(len(each) >= 43 for each in secrets.values())
    client_id = found.pop("client_id")
    assert found == {
        "client_id_issued_at": int(open_to_all.clock()),
        "client_name": "app.example",
        "client_secret_expires_at": 0,
        "registration_client_uri": f"{ORIGIN}/auth/register/{client_id}",
        "application_type": "web",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "openid",
        "subject_type": "public",
        "token_endpoint_auth_method": "client_secret_basic",
        **DOCUMENT,
    }


@pytest.mark.parametrize(
    "document, error",
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": "text"}, "invalid_redirect_uri"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "invalid_client_metadata"),
        ({"x": [[[[[[[[[[1]]]]]]]]]]}, "invalid_client_metadata"),
    ],
    ids=str,
)
async def test_rfc_7591_section_3_2_2_errors_are_its_own(
    open_to_all: Site, document: dict[str, Any], error: str
) -> None:
    async with open_to_all.program() as program:
        response = await program.post("/auth/register", json={**DOCUMENT, **document})
    assert response.status_code == 400
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["error"] == error
    assert "javascript" not in response.text


@pytest.mark.parametrize(
    "body, headers, status",
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff", {}, 400),
        (b"", {}, 400),
        (b'{"redirect_uris":[],"redirect_uris":[]}', {}, 400),
        (b"[" * 60_000, {}, 400),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b" " * 65_537, {}, 413),
    ],
    ids=lambda each: repr(each)[:30],
)
async def test_malformed_and_oversized_bodies_are_refused(
    open_to_all: Site, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with open_to_all.program() as program:
        response = await program.post(
            "/auth/register", content=body, headers={"content-type": "application/json", **headers}
        )
    assert response.status_code == status
    assert "error" in response.json()


async def test_rfc_7592_a_client_reads_replaces_and_deletes_its_registration(open_to_all: Site) -> None:
    async with open_to_all.program() as program:
        found = await registered(program)
        uri, mine = found["registration_client_uri"], bearer(found["registration_access_token"])
        secret = found.pop("client_secret")
        del found["client_secret_expires_at"]
        assert (await program.get(uri, headers=mine)).json() == found
        document = {
            **DOCUMENT,
            "client_id": found["client_id"],
            "client_secret": secret,
            "client_name": "New",
        }
        response = await program.put(uri, headers=mine, json=document)
        assert response.status_code == 200
        assert response.json() == {**found, "client_name": "New"}
        response = await program.delete(uri, headers=mine)
        assert (response.status_code, response.content) == (204, b"")
        for method in ("GET", "PUT", "DELETE"):
            response = await program.request(method, uri, headers=mine, json=document)
            assert response.status_code == 401
            assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_rfc_6750_section_3_a_missing_token_is_asked_for_without_an_error(open_to_all: Site) -> None:
    async with open_to_all.program() as program:
        found = await registered(program)
        response = await program.get(found["registration_client_uri"])
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
        response = await program.get(
            found["registration_client_uri"], headers={"authorization": "Bearer a b"}
        )
        assert response.status_code == 400


async def test_where_a_token_is_needed_it_is_asked_for() -> None:
    async with open_site(registration="token") as site, site.program() as program:
        response = await program.post("/auth/register", json=DOCUMENT)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
        _, token = await site.server.flows.provider.initial_access_tokens.add("partner")
        response = await program.post("/auth/register", json=DOCUMENT, headers=bearer(token))
        assert response.status_code == 201
        response = await program.post("/auth/register", json=DOCUMENT, headers=bearer("another"))
        assert response.status_code == 401
        assert response.json()["error"] == "invalid_token"


async def test_in_production_nobody_registers_unless_it_is_switched_on(site: Site) -> None:
    async with site.program() as program:
        response = await program.post("/auth/register", json=DOCUMENT)
    assert response.status_code == 400
    assert response.json()["error"] == "registration_not_supported"


async def test_a_cookie_gives_no_power_here(open_to_all: Site) -> None:
    await open_to_all.add_user(scopes="coatcheck:admin")
    async with open_to_all.program() as program, open_to_all.signed_in_browser() as browser:
        found = await registered(program)
        response = await browser.get(found["registration_client_uri"])
    assert response.status_code == 401


async def test_scripts_of_any_origin_register_and_manage_without_credentials(open_to_all: Site) -> None:
    origin = {"origin": "https://inspector.example"}
    async with open_to_all.program() as program:
        found = (await program.post("/auth/register", json=DOCUMENT, headers=origin)).json()
        for path, methods in (
            ("/auth/register", "POST"),
            (found["registration_client_uri"], "GET, PUT, DELETE"),
        ):
            asked = {**origin, "access-control-request-method": "PUT"}
            response = await program.options(path, headers=asked)
            assert response.status_code == 204
            assert response.headers["access-control-allow-origin"] == "*"
            assert response.headers["access-control-allow-methods"] == methods
            assert "Authorization" in response.headers["access-control-allow-headers"]
            assert "access-control-allow-credentials" not in response.headers
        refused = await program.get(found["registration_client_uri"], headers=origin)
        assert refused.headers["access-control-allow-origin"] == "*"
        assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]


async def test_an_origin_that_is_listed_keeps_its_credentials() -> None:
    spa = "https://spa.example"
    async with open_site(registration="open", cors_origins=spa) as site, site.program() as program:
        asked = {"origin": spa, "access-control-request-method": "POST"}
        response = await program.options("/auth/register", headers=asked)
        assert response.headers["access-control-allow-origin"] == spa
        assert response.headers["access-control-allow-credentials"] == "true"
        response = await program.options("/auth/register", headers={**asked, "origin": "https://x.example"})
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
