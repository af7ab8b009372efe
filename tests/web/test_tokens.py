import pytest

from tests.web.sites import Site, bearer

pytestmark = pytest.mark.anyio


async def test_a_refresh_token_gives_new_tokens(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        response = await program.post("/auth/token", data=form)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        following = response.json()
        assert following["refresh_token"] != tokens["refresh_token"]
        form = {**form, "refresh_token": following["refresh_token"]}
        assert (await program.post("/auth/token", json=form)).status_code == 200
        access = bearer(following["access_token"])
        assert (await program.get("/auth/session", headers=access)).status_code == 200


@pytest.mark.parametrize(
    "form, error",
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "nothing of ours"}, "invalid_grant"),
    ],
)
async def test_a_refusal_is_in_the_words_of_rfc_6749(site: Site, form: dict[str, str], error: str) -> None:
    async with site.browser() as browser:
        response = await browser.post("/auth/token", data=form)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"error", "error_description"}
    assert response.json()["error"] == error


async def test_the_token_endpoint_takes_no_get(site: Site) -> None:
    async with site.program() as program:
        response = await program.get("/auth/token?grant_type=refresh_token&refresh_token=x")
    assert (response.status_code, response.headers["allow"]) == (405, "POST, OPTIONS")
    assert response.json()["error"] == "invalid_request"


async def test_the_keys_are_public_and_may_be_kept(site: Site) -> None:
    async with site.program() as program:
        response = await program.get("/auth/.well-known/jwks.json")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert response.headers["cache-control"] == "public, max-age=300"
    (key,) = response.json()["keys"]
    assert "d" not in key


async def test_a_malformed_credential_is_a_bad_request(site: Site) -> None:
    async with site.program() as program:
        for value in (b"Bearer", b"Bearer ", b"Bearer a b", b"Bearer \xfc"):
            response = await program.get("/auth/session", headers={b"authorization": value})
            assert response.status_code == 400
            assert 'error="invalid_request"' in response.headers["www-authenticate"]


async def test_another_scheme_is_no_credential(site: Site) -> None:
    async with site.program() as program:
        response = await program.get("/auth/session", headers={"authorization": "Basic eDp5"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
