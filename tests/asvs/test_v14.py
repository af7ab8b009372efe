"""ASVS 5.0, chapter V14: data protection, as far as it concerns credentials."""

import re
from urllib.parse import quote

import pytest

from tests.web.sites import SESSION, Site, bearer

pytestmark = pytest.mark.anyio

NONCE = {"nonce": "A" * 16}


@pytest.mark.asvs("14.2.1")
async def test_v14_2_1_no_credential_is_taken_from_a_url(site: Site) -> None:
    """Or it would stand in logs, histories and referrers, and somebody would come to rely on it."""
    token = (await site.tokens())["access_token"]
    _, key = await site.server.flows.services.add("orders")
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
    async with site.program() as program:
        for name in ("access_token", "token", "session", SESSION, "authorization"):
            for value in (token, secret, f"Bearer {token}"):
                answer = await program.get(f"/auth/session?{name}={quote(value)}")
                assert answer.status_code == 401
        for name in ("key", "access_token", "token"):
            assert (await program.get("/auth/ledger", params=NONCE | {name: key})).status_code == 401
        asked = await program.get(f"/auth/introspect?token={token}", headers=bearer(key))
        assert asked.status_code == 405
        asked = await program.post(f"/auth/introspect?token={token}", headers=bearer(key), data={"x": "y"})
        assert asked.status_code == 400


@pytest.mark.asvs("14.2.1")
async def test_v14_2_1_no_credential_is_put_into_a_url(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
        for path in ("/auth/account", "/auth/devices", "/auth/session"):
            assert secret not in (await browser.get(path)).text
        for path in ("/auth/sign-in", "/auth/re-authenticate"):
            assert secret not in (await browser.get(path)).headers.get("location", "")


@pytest.mark.asvs("14.3.2")
async def test_v14_3_2_what_is_for_somebody_is_kept_by_no_cache(site: Site) -> None:
    tokens = await site.tokens()
    _, key = await site.server.flows.services.add("orders")
    async with site.signed_in_browser() as browser, site.program() as program:
        answers = [await browser.get(f"/auth/{path}") for path in ("account", "devices", "session")]
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answers.append(await program.post("/auth/token", data=form))
        asked = {"token": tokens["access_token"]}
        answers.append(await program.post("/auth/introspect", data=asked, headers=bearer(key)))
        answers.append(await program.head("/auth/ledger", params=NONCE, headers=bearer(key)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


@pytest.mark.asvs("14.3.1")
@pytest.mark.asvs("14.3.3")
async def test_v14_3_3_the_pages_keep_nothing_in_the_browser(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        page = (await browser.get("/auth/sign-out")).text
        (name,) = re.findall(r'<script src="([^"]+)"', page)
        script = (await browser.get(name)).text
        for word in ("localStorage", "sessionStorage", "indexedDB", "caches", "document.cookie"):
            assert word not in script
        ended = await browser.post("/auth/sign-out")
        assert f"{SESSION}=; Path=/; Max-Age=0" in ended.headers["set-cookie"]
        assert browser.cookies.get(SESSION) is None
