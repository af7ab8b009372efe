"""The introspection endpoint as a service sees it."""

import logging
from typing import Any

import pytest

from coatcheck.jose.hazmat import read_unverified
from coatcheck.jose.jwt import Verifier
from tests.web.sites import ORIGIN, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

JWT = "application/token-introspection+jwt"


@pytest.fixture
async def key(site: Site) -> str:
    await site.add_user(scopes="read")
    _, key = await site.server.flows.services.add("api")
    return key


async def ask(site: Site, key: str, token: str, **headers: str) -> dict[str, object]:
    async with site.program() as program:
        response = await program.post(
            "/auth/introspect", data={"token": token}, headers=bearer(key) | headers
        )
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    told: dict[str, object] = response.json()
    return told


async def test_every_kind_of_credential_is_told_of(site: Site, key: str) -> None:
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
    access = await ask(site, key, tokens["access_token"])
    assert (access["active"], access["token_type"], access["scope"]) == (True, "Bearer", "read")
    refresh = await ask(site, key, tokens["refresh_token"])
    assert set(refresh) == {"active", "sub", "sid", "client_id", "exp"}
    session = await ask(site, key, secret)
    assert (session["active"], session["token_type"], session["scope"]) == (True, "session", "read")
    assert len({access["sub"], refresh["sub"], session["sub"]}) == 1
    assert await ask(site, key, "unknown") == {"active": False}


async def test_a_signed_out_session_is_inactive_at_once(site: Site, key: str) -> None:
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
        assert (await ask(site, key, secret))["active"] is True
        await browser.post("/auth/sign-out")
        assert await ask(site, key, secret) == {"active": False}


@pytest.mark.parametrize("development", [False, True], ids=["production", "development"])
async def test_nobody_is_told_anything_without_a_key(*, development: bool) -> None:
    """Or a page that a developer visits could try tokens at the server on their machine."""
    arguments: dict[str, Any] = (
        {"mode": "development", "base_url": "http://localhost:8000"} if development else {}
    )
    async with open_site(**arguments) as site:
        await site.add_user()
        origin = "http://localhost:8000" if development else ORIGIN
        _, key = await site.server.flows.services.add("api")
        await site.server.flows.services.remove("api")
        async with site.program() as program:
            program.base_url = origin
            for headers in ({}, bearer("cck_guess"), bearer(key)):
                response = await program.post("/auth/introspect", data={"token": "x"}, headers=headers)
                assert response.status_code == 401
                assert response.headers["www-authenticate"].startswith("Bearer ")
                assert "active" not in response.text


async def test_a_users_own_credential_is_no_services_key(site: Site, key: str) -> None:
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser:
        form = {"token": tokens["access_token"]}
        assert (await browser.post("/auth/introspect", data=form)).status_code == 401
        for token in tokens["access_token"], tokens["refresh_token"], browser.cookies[SESSION]:
            response = await browser.post("/auth/introspect", data=form, headers=bearer(token))
            assert response.status_code == 401
    assert key


async def test_a_service_of_another_audience_is_told_of_nothing(site: Site, key: str) -> None:
    _, other = await site.server.flows.services.add("other", audience="https://other.example")
    tokens = await site.tokens()
    for token in tokens["access_token"], tokens["refresh_token"], "unknown":
        assert await ask(site, other, token) == {"active": False}
    assert (await ask(site, key, tokens["access_token"]))["active"] is True


@pytest.mark.parametrize(
    "content, status",
    [
        (b"", 400),
        (b"token=", 400),
        (b"token_type_hint=access_token", 400),
        (b"token=a&token=b", 400),
        (b"token=%ff", 400),
        (b"token=a&token_type_hint=session", 200),
        (b"token=a&token_type_hint=none-that-is-known", 200),
        (b"token=" + b"a" * 65_000, 200),
        (b"token=" + b"a" * 65_536, 413),
    ],
    ids=["empty", "blank", "missing", "twice", "octets", "hint", "other-hint", "long", "too-long"],
)
async def test_a_question_has_its_form_and_its_size(
    site: Site, key: str, content: bytes, status: int
) -> None:
    headers = bearer(key) | {"content-type": "application/x-www-form-urlencoded"}
    async with site.program() as program:
        response = await program.post("/auth/introspect", content=content, headers=headers)
    assert response.status_code == status
    if status != 200:
        assert set(response.json()) == {"error", "error_description"}


async def test_a_token_is_not_asked_about_in_a_query(site: Site, key: str) -> None:
    async with site.program() as program:
        response = await program.get("/auth/introspect?token=x", headers=bearer(key))
    assert (response.status_code, response.headers["allow"]) == (405, "POST, OPTIONS")


async def test_what_is_asked_about_and_who_asks_is_not_logged(
    site: Site, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = await site.tokens()
    with caplog.at_level(logging.DEBUG):
        await ask(site, key, tokens["access_token"])
        await ask(site, key, tokens["refresh_token"])
        async with site.program() as program:
            form = {"token": tokens["access_token"], "x": ""}
            await program.post("/auth/introspect", data=form, headers=bearer(key + "x"))
            await program.post("/auth/introspect", content=b"token=%zz" + tokens["access_token"].encode())
    logged = caplog.text + "".join(map(repr, (record.args for record in caplog.records)))
    for secret in (tokens["access_token"], tokens["refresh_token"], key):
        assert secret[8:40] not in logged


@pytest.fixture
async def told_as_jwt(site: Site, key: str) -> tuple[str, str]:
    tokens = await site.tokens()
    async with site.program() as program:
        headers = bearer(key) | {"accept": f"{JWT};q=1, application/json;q=0.1"}
        answers = []
        for token in (tokens["access_token"], "unknown"):
            response = await program.post("/auth/introspect", data={"token": token}, headers=headers)
            assert response.headers["content-type"] == JWT
            answers.append(response.text)
    return answers[0], answers[1]


async def test_an_answer_can_be_a_jwt(site: Site, told_as_jwt: tuple[str, str]) -> None:
    (service,) = await site.server.flows.services.list()
    verifier = Verifier(
        await site.server.flows.context.access_tokens.key_set(),
        issuer=ORIGIN,
        audience=service.id,
        typ="token-introspection+jwt",
        require=("iat",),
        clock=site.clock,
    )
    for answer in told_as_jwt:
        verifier.verify(answer)
    good, unknown = (read_unverified(answer).claims for answer in told_as_jwt)
    assert set(good) == {"iss", "aud", "iat", "token_introspection"}  # no sub and no exp: RFC 9701 section 5
    assert good["token_introspection"]["active"] is True
    assert good["token_introspection"]["scope"] == "read"
    assert unknown["token_introspection"] == {"active": False}
