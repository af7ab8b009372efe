"""ASVS 5.0, chapter V7: session management."""

import re
from pathlib import Path

import httpx
import pytest

from coatcheck._core import base64url
from coatcheck._core.secrets import digest
from coatcheck.sessions.policy import NIST_AAL2, NIST_AAL3, RELAXED, Profile, RefreshPolicy
from tests.asvs.services import service_of, signing_key, status_at_site
from tests.web.sites import EMAIL, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
NEW_PASSWORD = "something else entirely"
DAY = 24 * 3600.0


async def sign_in(site: Site, **options: str) -> str:
    """Return the session cookie of a new sign-in."""
    async with site.browser(cookies=options) as browser:
        answer = await browser.post("/auth/sign-in", data={"email": EMAIL, "password": PASSWORD})
        return answer.cookies[SESSION]


async def is_good(site: Site, tokens: dict[str, str]) -> bool:
    """Tell whether the access token is accepted."""
    async with site.program() as program:
        answer = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
        return answer.status_code == 200


async def refresh(site: Site, tokens: dict[str, str]) -> httpx.Response:
    async with site.program() as program:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        return await program.post("/auth/token", data=form)


@pytest.mark.asvs("7.1.1")
def test_v7_1_1_the_limits_of_sessions_are_documented_as_they_are() -> None:
    page = (DOCS / "sessions.md").read_text(encoding="utf-8")
    rows = {
        cells[0]: cells[1:]
        for cells in re.findall(r"^\| `([\w-]+)`(?:[^|]*)\| (\d+ \w+) \| (\d+ \w+) \|", page, re.MULTILINE)
    }
    units = {"d": 1440, "h": 60, "min": 1}
    for profile in (RELAXED, NIST_AAL2, NIST_AAL3):
        idle, absolute = (int(cell.split()[0]) * units[cell.split()[1]] for cell in rows[profile.name])
        assert idle * 60 == profile.idle_timeout.total_seconds()
        assert absolute * 60 == profile.lifetime.total_seconds()
    assert "800-63B" in page


@pytest.mark.asvs("7.1.2")
def test_v7_1_2_the_number_of_sessions_at_once_is_documented() -> None:
    page = (DOCS / "sessions.md").read_text(encoding="utf-8")
    assert all(word in page for word in ("`max_sessions`", "`at_session_limit`", "`end-oldest`", "`refuse`"))


@pytest.mark.asvs("7.2.1")
async def test_v7_2_1_only_what_this_server_made_is_a_session(site: Site) -> None:
    cookie, tokens = await sign_in(site), await site.tokens()
    assert await site.is_alive(cookie)
    changed = ("A" if cookie[0] != "A" else "B") + cookie[1:]
    for forged in (changed, cookie[:-1], cookie + "A", "", base64url.encode(digest(cookie))):
        assert not await site.is_alive(forged)
    header, payload, signature = tokens["access_token"].split(".")
    other = base64url.encode(base64url.decode(payload.encode()).replace(b'"sub"', b'"bus"'))
    for forged in (f"{header}.{other}.{signature}", f"{header}.{payload}.", tokens["refresh_token"]):
        assert not await is_good(site, {"access_token": forged})


@pytest.mark.asvs("7.2.1")
async def test_v7_2_1_a_service_verifies_by_itself_what_the_browser_says(site: Site) -> None:
    service, token = service_of(site), (await site.tokens())["access_token"]
    assert await service.accepts(token)
    header, payload, signature = token.split(".")
    other = base64url.encode(base64url.decode(payload.encode()).replace(b'"sub"', b'"bus"'))
    for forged in (f"{header}.{other}.{signature}", f"{header}.{payload}.", token[:-8], ""):
        assert not await service.accepts(forged)


@pytest.mark.asvs("7.2.2")
async def test_v7_2_2_the_key_of_a_service_stands_for_no_user(site: Site) -> None:
    _, key = await site.server.flows.services.add("orders")
    async with site.program() as program:
        for path in ("/auth/session", "/auth/devices", "/auth/admin/revocations"):
            assert (await program.get(path, headers=bearer(key))).status_code == 401
        program.cookies.set(SESSION, key)
        assert (await program.get("/auth/session")).status_code == 401
    assert not await service_of(site).accepts(key)


@pytest.mark.asvs("7.2.2")
@pytest.mark.asvs("7.2.3")
async def test_v7_2_3_session_secrets_are_256_random_bits_and_kept_as_digests(site: Site) -> None:
    cookies = [await sign_in(site) for _ in range(5)]
    refresh_tokens = [(await site.tokens())["refresh_token"] for _ in range(5)]
    assert len({*cookies, *refresh_tokens}) == 10
    for secret in (*cookies, *(token.split(".")[1] for token in refresh_tokens)):
        assert len(base64url.decode(secret.encode())) == 32
    user = await site.server.flows.administration.find_user(EMAIL)
    kept = repr(await site.server.storage.records.list_sessions(user.id))
    assert not any(secret in kept for secret in cookies)


@pytest.mark.asvs("7.2.4")
async def test_v7_2_4_a_new_session_secret_at_every_authentication(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        credentials = {"email": EMAIL, "password": PASSWORD}
        secrets = [browser.cookies[SESSION]]
        for path, form in (
            ("/auth/sign-in", credentials),
            ("/auth/re-authenticate", {"password": PASSWORD}),
            ("/auth/account/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
        ):
            secrets.append((await browser.post(path, data=form)).cookies[SESSION])
    assert len(set(secrets)) == 4
    assert [await site.is_alive(each) for each in secrets] == [False, False, False, True]


@pytest.mark.asvs("7.2.4")
async def test_v7_2_4_a_secret_from_elsewhere_never_becomes_a_session(site: Site) -> None:
    planted = "A" * 43
    assert await sign_in(site, **{SESSION: planted}) != planted
    assert not await site.is_alive(planted)


@pytest.mark.asvs("7.3.1")
@pytest.mark.parametrize("profile", [RELAXED, NIST_AAL2, NIST_AAL3], ids=lambda profile: profile.name)
async def test_v7_3_1_a_session_that_is_not_used_ends(profile: Profile) -> None:
    async with open_site(session_profile=profile.name) as site:
        await site.add_user()
        cookie = await sign_in(site)
        idle = profile.idle_timeout.total_seconds()
        site.clock.now += idle - 1
        assert await site.is_alive(cookie)
        site.clock.now += idle - 1
        assert await site.is_alive(cookie)
        site.clock.now += idle
        assert not await site.is_alive(cookie)


@pytest.mark.asvs("7.3.1")
async def test_v7_3_1_a_refresh_token_that_is_not_used_ends(site: Site) -> None:
    tokens = await site.tokens()
    site.clock.now += RefreshPolicy().idle_timeout.total_seconds()
    assert (await refresh(site, tokens)).json()["error"] == "invalid_grant"


@pytest.mark.asvs("7.3.2")
async def test_v7_3_2_a_session_ends_however_much_it_is_used(site: Site) -> None:
    cookie, tokens = await sign_in(site), await site.tokens()
    began = site.clock.now
    while site.clock.now < began + RELAXED.lifetime.total_seconds() - DAY:
        site.clock.now += DAY
        assert await site.is_alive(cookie)
        tokens = (await refresh(site, tokens)).json()
    site.clock.now = began + RELAXED.lifetime.total_seconds()
    assert not await site.is_alive(cookie)
    assert (await refresh(site, tokens)).status_code == 400


@pytest.mark.asvs("7.4.1")
async def test_v7_4_1_what_has_ended_is_worth_nothing(site: Site) -> None:
    cookie, tokens = await sign_in(site), await site.tokens()
    async with site.browser(cookies={SESSION: cookie}) as browser, site.program() as program:
        answer = await browser.post("/auth/sign-out")
        assert f"{SESSION}=; Path=/; Max-Age=0" in answer.headers["set-cookie"]
        await program.post("/auth/sign-out", headers=bearer(tokens["access_token"]))
    assert not await site.is_alive(cookie)
    assert not await is_good(site, tokens)
    assert (await refresh(site, tokens)).json()["error"] == "invalid_grant"


@pytest.mark.asvs("7.4.1")
@pytest.mark.parametrize(
    "how", ["sign-out", "everywhere", "password", "disable", "token", "key", "everything"]
)
async def test_v7_4_1_a_service_that_verifies_by_itself_refuses_it_too(site: Site, how: str) -> None:
    """Whatever ends access: a token that was good and is remembered is refused with the next word of the ledger."""
    user = await site.server.flows.administration.find_user(EMAIL)
    async with site.signed_in_browser() as browser:
        tokens = await site.tokens()
        service, token = service_of(site), tokens["access_token"]
        assert await service.accepts(token)
        site.clock.now += 1
        flows = site.server.flows
        match how:
            case "sign-out":
                async with site.program() as program:
                    await program.post("/auth/sign-out", headers=bearer(token))
            case "everywhere":
                await browser.post("/auth/devices/end-all")
            case "password":
                form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
                await browser.post("/auth/account/password", data=form)
            case "disable":
                await flows.administration.disable(EMAIL)
            case "token":
                await flows.revoking.token(token, actor="administrator")
            case "key":
                await flows.revoking.key((await signing_key(site)).kid or "", actor="administrator")
            case "everything":
                await flows.revoking.everything(actor="administrator")
    named = how if how in {"token", "key", "everything"} else "session"
    assert await service.reason(token) == f"revoked-{named}"
    assert await status_at_site(site, token) == 401
    assert user.id not in {
        entry.value for entry in await site.server.storage.records.list_entries(after=0, limit=9)
    }


@pytest.mark.asvs("7.4.1")
@pytest.mark.parametrize("how", ["user", "client"])
async def test_v7_4_1_what_was_issued_before_an_instant_is_void_and_what_comes_later_is_good(
    site: Site, how: str
) -> None:
    """A not-before time for each user, each client, and for everything."""
    service, token = service_of(site), (await site.tokens())["access_token"]
    assert await service.accepts(token)
    site.clock.now += 0.25
    value = EMAIL if how == "user" else "first-party"
    await site.server.flows.revoking.one("user" if how == "user" else "client", value, actor="administrator")
    assert await service.reason(token) in {f"revoked-{how}", "revoked-session"}
    assert await status_at_site(site, token) == 401
    newer = (await site.tokens())["access_token"]  # in the same second
    assert await service.accepts(newer)
    assert await status_at_site(site, newer) == 200


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("how", ["disable", "delete", "deactivate-oneself", "delete-oneself"])
async def test_v7_4_2_no_session_survives_its_account(site: Site, how: str) -> None:
    cookies, tokens = [await sign_in(site), await sign_in(site)], await site.tokens()
    administration = site.server.flows.administration
    async with site.browser(cookies={SESSION: cookies[0]}) as browser:
        match how:
            case "disable":
                await administration.disable(EMAIL)
            case "delete":
                await administration.delete(EMAIL)
            case "deactivate-oneself":
                await browser.post("/auth/account/deactivate", data={"confirm": "yes"})
            case "delete-oneself":
                await browser.post("/auth/account/delete", data={"confirm": "yes"})
    assert not any([await site.is_alive(each) for each in cookies])
    assert not await is_good(site, tokens)
    assert (await refresh(site, tokens)).status_code == 400


@pytest.mark.asvs("7.4.3")
async def test_v7_4_3_a_new_password_or_address_ends_all_other_sessions(site: Site) -> None:
    other, tokens = await sign_in(site), await site.tokens()
    async with site.signed_in_browser() as browser:
        form = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (await browser.post("/auth/account/password", data=form)).status_code == 303
        assert not await site.is_alive(other)
        assert not await is_good(site, tokens)
        others = await site.tokens(password=NEW_PASSWORD)
        await browser.post("/auth/account/email", data={"new_email": "new@example.com"})
        assert (
            await browser.post("/auth/account/email/confirm", data={"token": await site.token()})
        ).status_code == 303
        assert not await is_good(site, others)
        assert (await browser.get("/auth/session")).json()["user"]["email"] == "new@example.com"


@pytest.mark.asvs("7.4.4")
async def test_v7_4_4_every_page_of_who_is_signed_in_has_the_way_out(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        await browser.post("/auth/account/email", data={"new_email": "new@example.com"})
        confirm = await site.link()
        for path in ("/auth/account", "/auth/devices", "/auth/re-authenticate", confirm, "/auth/sign-out"):
            page = (await browser.get(path)).text
            assert 'action="/auth/sign-out"' in page, path


@pytest.mark.asvs("7.4.5")
async def test_v7_4_5_an_administrator_ends_the_sessions_of_a_user(site: Site) -> None:
    await site.add_user("other@example.com")
    cookies = [await sign_in(site), await sign_in(site)]
    bystander = await site.tokens("other@example.com")
    administration = site.server.flows.administration
    sessions = await administration.list_sessions(EMAIL)
    assert await administration.end_session(sessions[0].id)
    assert sum([await site.is_alive(each) for each in cookies]) == 1
    await administration.end_sessions(EMAIL)
    assert not any([await site.is_alive(each) for each in cookies])
    assert await is_good(site, bystander)


@pytest.mark.asvs("7.4.5")
@pytest.mark.parametrize("by", ["page", "program"])
async def test_v7_4_5_an_administrator_ends_the_sessions_of_everybody_in_one_step(
    site: Site, by: str
) -> None:
    await site.add_user("other@example.com")
    await site.add_user("root@example.com", scopes="coatcheck:admin")
    cookies, tokens = [await sign_in(site) for _ in range(3)], await site.tokens("other@example.com")
    service = service_of(site)
    assert await service.accepts(tokens["access_token"])
    path, wish = "/auth/admin/revocations", {"kind": "everything", "confirm": "yes"}
    if by == "page":
        async with site.signed_in_browser("root@example.com") as browser:
            site.clock.now += 1
            assert (await browser.post(path, data=wish)).status_code == 303
    else:
        headers = bearer((await site.tokens("root@example.com"))["access_token"])
        site.clock.now += 1
        async with site.program() as program:
            assert (await program.post(path, json=wish, headers=headers)).json() == {"ended_sessions": 5}
    assert not any([await site.is_alive(each) for each in cookies])
    assert not await is_good(site, tokens)
    assert (await refresh(site, tokens)).status_code == 400
    assert await service.reason(tokens["access_token"]) == "revoked-everything"
    assert await site.is_alive(await sign_in(site))


@pytest.mark.asvs("7.4.5")
async def test_v7_4_5_nobody_else_can(site: Site) -> None:
    cookie, tokens = await sign_in(site), await site.tokens()
    async with site.program() as program:
        for headers in ({}, bearer(tokens["access_token"])):
            for wish in ({"kind": "everything"}, {"kind": "user", "value": EMAIL}):
                answer = await program.post("/auth/admin/revocations", json=wish, headers=headers)
                assert answer.status_code in {401, 403}
    assert await site.is_alive(cookie)


@pytest.mark.asvs("7.5.1")
async def test_v7_5_1_another_address_needs_a_recent_sign_in(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        site.clock.now += 301
        form = {"new_email": "new@example.com"}
        answer = await browser.post("/auth/account/email", data=form)
        assert answer.headers["location"].startswith("/auth/re-authenticate?next=")
        assert not any(letter.to == "new@example.com" for letter in await site.letters())
        wrong = await browser.post("/auth/re-authenticate", data={"password": "wrong and long"})
        assert wrong.status_code == 401
        assert (
            (await browser.post("/auth/account/email", data=form))
            .headers["location"]
            .startswith("/auth/re-authenticate")
        )
        await browser.post("/auth/re-authenticate", data={"password": PASSWORD})
        answer = await browser.post("/auth/account/email", data=form)
        assert answer.headers["location"] == "/auth/account?done=email-sent"


@pytest.mark.asvs("7.5.2")
async def test_v7_5_2_people_see_their_sessions_and_end_them_after_they_proved_themselves(site: Site) -> None:
    other = await sign_in(site)
    async with site.signed_in_browser() as browser:
        listed = await browser.get("/auth/devices", headers={"accept": "application/json"})
        devices = listed.json()["devices"]
        assert [each["is_current"] for each in devices] == [True, False]
        site.clock.now += 301
        for path, form in (("end", {"session_id": devices[1]["session_id"]}), ("end-others", {})):
            answer = await browser.post(f"/auth/devices/{path}", data=form)
            assert answer.headers["location"].startswith("/auth/re-authenticate")
        assert await site.is_alive(other)
        await browser.post("/auth/re-authenticate", data={"password": PASSWORD})
        await browser.post("/auth/devices/end", data={"session_id": devices[1]["session_id"]})
        assert not await site.is_alive(other)
        # Out of everywhere is the way to safety, and asks nothing.
        another = await sign_in(site)
        site.clock.now += 301
        await browser.post("/auth/devices/end-all")
        assert not await site.is_alive(another)
        assert (await browser.get("/auth/session")).status_code == 401


@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize("what", ["deactivate", "delete"])
async def test_v7_5_3_what_is_grave_needs_a_recent_sign_in(site: Site, what: str) -> None:
    tokens = await site.tokens()
    site.clock.now += 299
    async with site.program() as program:
        headers = bearer((await refresh(site, tokens)).json()["access_token"])
        site.clock.now += 2
        answer = await program.post(f"/auth/account/{what}", headers=headers, json={"confirm": "yes"})
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="300"' in challenge
        assert (await program.get("/auth/session", headers=headers)).status_code == 200
