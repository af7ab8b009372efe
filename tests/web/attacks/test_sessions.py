import asyncio

import httpx
import pytest

from coatcheck.flows.errors import NotSignedInError
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio


async def test_session_fixation(site: Site) -> None:
    """A cookie that was planted before the sign-in is worth nothing after it."""
    await site.add_user()
    planted = "A" * 43
    async with site.browser(cookies={SESSION: planted}) as browser:
        browser.cookies.clear()
        response = await browser.post(
            "/auth/sign-in",
            data={"email": EMAIL, "password": PASSWORD},
            headers={"cookie": f"{SESSION}={planted}"},
        )
        assert response.status_code == 303
        assert browser.cookies[SESSION] != planted
    assert not await site.is_alive(planted)


async def test_session_fixation_with_a_session_of_the_attackers_own(site: Site) -> None:
    await site.add_user()
    await site.add_user("evil@example.com")
    async with site.signed_in_browser("evil@example.com") as attacker:
        planted = attacker.cookies[SESSION]
    async with site.browser() as victim:
        await victim.post(
            "/auth/sign-in",
            data={"email": EMAIL, "password": PASSWORD},
            headers={"cookie": f"{SESSION}={planted}"},
        )
        assert (await victim.get("/auth/session")).json()["user"]["email"] == EMAIL
    assert not await site.is_alive(planted)


async def test_cookie_tossing(site: Site) -> None:
    """Two session cookies in one request: one was planted, and which cannot be told."""
    await site.add_user()
    await site.add_user("evil@example.com")
    async with (
        site.signed_in_browser() as browser,
        site.signed_in_browser("evil@example.com") as attacker,
        site.program() as program,
    ):
        own, planted = browser.cookies[SESSION], attacker.cookies[SESSION]
        for header in (
            f"{SESSION}={planted}; {SESSION}={own}",
            f"{SESSION}={own}; {SESSION}={planted}",
            f"{SESSION}={own}; {SESSION}=",
        ):
            assert (await program.get("/auth/session", headers={"cookie": header})).status_code == 401
        two = [("cookie", f"{SESSION}={planted}"), ("cookie", f"{SESSION}={own}")]
        assert (await program.get("/auth/session", headers=two)).status_code == 401
        for name in ("coatcheck", SESSION.upper(), f" {SESSION}x", f"__Secure-{SESSION}"):
            near = await program.get("/auth/session", headers={"cookie": f"{name}={own}"})
            assert near.status_code == 401


async def test_replay_after_sign_out(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
        assert await site.is_alive(secret)
        await browser.post("/auth/sign-out")
    assert not await site.is_alive(secret)
    async with site.program() as program:
        await program.post("/auth/sign-out", headers=bearer(tokens["access_token"]))
        replayed = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
        assert replayed.status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await program.post("/auth/token", data=form)).json()["error"] == "invalid_grant"


async def test_replay_after_the_account_is_disabled(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser, site.program() as program:
        await site.server.flows.administration.disable(EMAIL)
        assert (await browser.get("/auth/session")).status_code == 401
        refused = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
        assert refused.status_code == 401


async def test_a_token_in_the_query_or_the_body_is_no_credential(site: Site) -> None:
    await site.add_user()
    token = (await site.tokens())["access_token"]
    async with site.program() as program:
        assert (await program.get("/auth/session", params={"access_token": token})).status_code == 401
        form = {"access_token": token, "session_id": "x"}
        response = await program.post("/auth/devices/end", data=form, headers={"accept": "application/json"})
        assert response.status_code == 401


async def test_a_refresh_token_is_no_access_token_and_no_cookie(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        refused = await program.get("/auth/session", headers=bearer(tokens["refresh_token"]))
        assert refused.status_code == 401
    assert not await site.is_alive(tokens["refresh_token"])
    assert not await site.is_alive(tokens["access_token"])


async def test_two_credentials_of_one_kind_are_refused(site: Site) -> None:
    await site.add_user()
    header = ("authorization", f"Bearer {(await site.tokens())['access_token']}")
    async with site.program() as program:
        assert (await program.get("/auth/session", headers=[header, header])).status_code == 400


async def test_refresh_race(site: Site) -> None:
    """Two hundred requests with one refresh token get one successor, and nobody is signed out."""
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        responses = await asyncio.gather(*(program.post("/auth/token", data=form) for _ in range(200)))
        assert {response.status_code for response in responses} == {200}
        (successor,) = {response.json()["refresh_token"] for response in responses}
        form = {**form, "refresh_token": successor}
        assert (await program.post("/auth/token", data=form)).status_code == 200


async def test_refresh_reuse(site: Site) -> None:
    """A refresh token that comes back later ends its session, and says no more than any bad one."""
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        following = (await program.post("/auth/token", data=form)).json()
        site.clock.now += 11
        reused = await program.post("/auth/token", data=form)
        unknown = await program.post("/auth/token", data={**form, "refresh_token": "unknown"})
        assert (reused.status_code, reused.content) == (unknown.status_code, unknown.content)
        refused = await program.get("/auth/session", headers=bearer(following["access_token"]))
        assert refused.status_code == 401


@pytest.mark.parametrize("binding", ["user-agent", "address"])
async def test_a_stolen_access_token_where_sessions_are_bound(binding: str) -> None:
    async with open_site(session_binding=binding) as site:
        await site.add_user()
        tokens = await site.tokens()
        transport = httpx.ASGITransport(site.server.app, client=("198.51.100.7", 50_000))
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"user-agent": "thief"}
        ) as thief:
            for _ in range(2):  # the second time the session is over, for its owner too
                response = await thief.get("/auth/session", headers=bearer(tokens["access_token"]))
                assert response.status_code == 401
        async with site.program() as program:
            response = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
            assert response.status_code == 401


async def test_a_token_where_sessions_are_bound_works_for_its_own_client() -> None:
    async with open_site(session_binding="user-agent") as site:
        await site.add_user()
        tokens = await site.tokens()
        async with site.program() as program:
            for _ in range(2):
                response = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
                assert response.status_code == 200


async def test_a_credential_in_the_other_header_is_none(site: Site) -> None:
    """What is remembered by the text of a header is not to be had by that text in another."""
    await site.add_user()
    gate, tokens = site.server.gate, await site.tokens()
    async with site.signed_in_browser() as browser:
        cookie = f"{SESSION}={browser.cookies[SESSION]}".encode()
    bearer_value = bearer(tokens["access_token"])["authorization"].encode()

    def request(name: bytes, value: bytes, method: str = "GET") -> dict[str, object]:
        return {"type": "http", "method": method, "path": "/", "scheme": "https", "headers": [(name, value)]}

    for _ in range(2):  # the second time they are remembered
        assert (await gate.require(request(b"cookie", cookie))).via == "cookie"
        assert (await gate.require(request(b"authorization", bearer_value))).via == "bearer"
    for name, value in ((b"authorization", cookie), (b"cookie", bearer_value)):
        for method in ("GET", "POST"):
            with pytest.raises(NotSignedInError):
                await gate.require(request(name, value, method))
