import pytest

from tests.web.sites import EMAIL, PASSWORD, SESSION, Site, bearer

pytestmark = pytest.mark.anyio

JSON = {"accept": "application/json"}
LONG_AGO = 3600.0


async def test_the_account_is_shown_to_its_owner_only(site: Site) -> None:
    user = await site.add_user(scopes="read")
    async with site.signed_in_browser() as browser:
        page = await browser.get("/auth/account?done=password")
        assert EMAIL in page.text
        assert "Your password is changed" in page.text
        data = await browser.get("/auth/account", headers=JSON)
        assert data.json()["user"] == {"id": user.id, "email": EMAIL, "scopes": ["read"]}
    async with site.browser() as stranger:
        response = await stranger.get("/auth/account?done=x")
        assert response.status_code == 303
        assert response.headers["location"] == "/auth/sign-in?next=%2Fauth%2Faccount%3Fdone%3Dx"
        refused = await stranger.get("/auth/account", headers=JSON)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="coatcheck"'


async def test_changing_the_password_ends_all_other_sessions_and_renews_this_one(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as other, site.signed_in_browser() as browser:
        old, new = browser.cookies[SESSION], "a wholly other password"
        wrong = await browser.post(
            "/auth/account/password", data={"current_password": "wrong", "new_password": new}
        )
        assert wrong.status_code == 401
        weak = await browser.post(
            "/auth/account/password", data={"current_password": PASSWORD, "new_password": "password"}
        )
        assert weak.status_code == 422
        assert PASSWORD not in weak.text
        done = await browser.post(
            "/auth/account/password", data={"current_password": PASSWORD, "new_password": new}
        )
        assert (done.status_code, done.headers["location"]) == (303, "/auth/account?done=password")
        assert browser.cookies[SESSION] != old
        assert (await browser.get("/auth/session")).status_code == 200
        assert (await other.get("/auth/session")).status_code == 401
    assert not await site.is_alive(old)


async def test_another_address_is_confirmed_through_its_mailbox(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        bad = await browser.post("/auth/account/email", data={"new_email": "no address"})
        assert bad.status_code == 422
        assert "no address" in bad.text
        sent = await browser.post("/auth/account/email", data={"new_email": "new@example.com"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/auth/account?done=email-sent")
        link, token = await site.link(), await site.token()
        async with site.browser() as stranger:
            asked = await stranger.get(link)
            assert asked.headers["location"].startswith(
                "/auth/sign-in?next=%2Fauth%2Faccount%2Femail%2Fconfirm"
            )
        for _ in range(3):
            assert "new@example.com" in (await browser.get(link)).text
        assert (await browser.get(link, headers=JSON)).json() == {"email": "new@example.com"}
        done = await browser.post("/auth/account/email/confirm", data={"token": token})
        assert (done.status_code, done.headers["location"]) == (303, "/auth/account?done=email")
        assert (await browser.get("/auth/session")).json()["user"]["email"] == "new@example.com"


async def test_a_program_changes_its_address_too(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        program.headers.update(bearer(tokens["access_token"]))
        sent = await program.post("/auth/account/email", json={"new_email": "new@example.com"})
        assert (sent.status_code, sent.json()) == (202, {"status": "confirmation_sent"})
        done = await program.post("/auth/account/email/confirm", json={"token": await site.token()})
        assert (done.status_code, done.json()) == (200, {"status": "email_changed"})


@pytest.mark.parametrize("what, done", [("deactivate", "deactivated"), ("delete", "deleted")])
async def test_the_way_out_needs_a_yes(site: Site, what: str, done: str) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        assert (await browser.post(f"/auth/account/{what}")).status_code == 422
        gone = await browser.post(f"/auth/account/{what}", data={"confirm": "yes"})
        assert (gone.status_code, gone.headers["location"]) == (303, f"/auth/sign-in?done={done}")
        assert SESSION not in browser.cookies
        assert (await browser.get(gone.headers["location"])).status_code == 200
        refused = await browser.post("/auth/sign-in", data={"email": EMAIL, "password": PASSWORD})
        assert refused.status_code == 401


async def test_a_program_deletes_its_account(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        program.headers.update(bearer(tokens["access_token"]))
        asked = await program.post("/auth/account/delete", json={})
        assert (asked.status_code, asked.json()["code"]) == (422, "not_confirmed")
        assert (await program.post("/auth/account/delete", json={"confirm": "yes"})).status_code == 204
        assert (await program.get("/auth/session")).status_code == 401


@pytest.mark.parametrize(
    "path, form, back",
    [
        ("/auth/account/email", {"new_email": "new@example.com"}, "/auth/account"),
        ("/auth/account/delete", {"confirm": "yes"}, "/auth/account"),
        ("/auth/account/deactivate", {"confirm": "yes"}, "/auth/account"),
        ("/auth/devices/end-others", {}, "/auth/devices"),
        ("/auth/devices/end", {"session_id": "another"}, "/auth/devices"),
    ],
)
async def test_what_is_delicate_needs_a_recent_sign_in(
    site: Site, path: str, form: dict[str, str], back: str
) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        site.clock.now += LONG_AGO
        asked = await browser.post(path, data=form)
        assert asked.status_code == 303
        assert asked.headers["location"] == f"/auth/re-authenticate?next={back.replace('/', '%2F')}"
        refused = await browser.post(path, json=form, headers=JSON)
        assert refused.status_code == 401
        challenge = refused.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="300"' in challenge
        assert refused.json()["max_age"] == 300
        await browser.post("/auth/re-authenticate", data={"password": PASSWORD, "next": back})
        assert (await browser.post(path, data=form)).headers["location"] != asked.headers["location"]


async def test_the_devices_are_listed_this_one_first(site: Site) -> None:
    await site.add_user()
    await site.tokens()
    async with site.signed_in_browser() as browser:
        page = await browser.get("/auth/devices?done=end-others")
        assert page.status_code == 200
        assert "All other sessions have ended." in page.text
        devices = (await browser.get("/auth/devices", headers=JSON)).json()["devices"]
    assert [(each["kind"], each["is_current"]) for each in devices] == [("browser", True), ("tokens", False)]
    assert all(isinstance(each["created_at"], int) for each in devices)
    assert devices[1]["user_agent"] == "program/1"


async def test_one_session_is_ended(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as other, site.signed_in_browser() as browser:
        devices = (await browser.get("/auth/devices", headers=JSON)).json()["devices"]
        here, there = (each["session_id"] for each in devices)
        done = await browser.post("/auth/devices/end", data={"session_id": there})
        assert (done.status_code, done.headers["location"]) == (303, "/auth/devices?done=end")
        assert (await other.get("/auth/session")).status_code == 401
        done = await browser.post("/auth/devices/end", data={"session_id": here})
        assert done.headers["location"] == "/auth/sign-in?done=signed-out"
        assert SESSION not in browser.cookies


async def test_nobody_ends_the_session_of_another_user(site: Site) -> None:
    await site.add_user()
    await site.add_user("bob@example.com")
    async with site.signed_in_browser() as ann, site.signed_in_browser("bob@example.com") as bob:
        session_id = (await ann.get("/auth/session")).json()["session"]["id"]
        await bob.post("/auth/devices/end", data={"session_id": session_id})
        assert (await ann.get("/auth/session")).status_code == 200


async def test_all_others_and_all_are_ended(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as other, site.signed_in_browser() as browser:
        assert (await browser.post("/auth/devices/end-others", json={}, headers=JSON)).status_code == 204
        assert (await other.get("/auth/session")).status_code == 401
        assert (await browser.get("/auth/session")).status_code == 200
        assert (await browser.post("/auth/devices/end-all", json={}, headers=JSON)).status_code == 204
        assert (await browser.get("/auth/session")).status_code == 401


async def test_a_program_changes_its_password_and_gets_other_tokens(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    form = {"current_password": PASSWORD, "new_password": "a wholly other password"}
    async with site.program() as program:
        program.headers.update(bearer(tokens["access_token"]))
        done = await program.post("/auth/account/password", json=form)
        assert done.status_code == 200
        assert {"access_token", "refresh_token", "expires_in"} <= done.json().keys()
        again = await program.post("/auth/account/password", json=form)
    assert (again.status_code, again.json()["code"]) == (401, "invalid_credentials")


async def test_a_profile_is_said_on_the_account_page(site: Site) -> None:
    user = await site.add_user()
    async with site.signed_in_browser() as browser:
        saved = await browser.post(
            "/auth/account/profile", data={"name": "Ann Other", "phone_number": "+1 212 555 0100"}
        )
        assert (saved.status_code, saved.headers["location"]) == (303, "/auth/account?done=profile")
        page = await browser.get("/auth/account?done=profile")
        assert "Your profile is saved." in page.text
        assert 'value="Ann Other"' in page.text
        told = await browser.post("/auth/account/profile", data={"name": ""}, headers=JSON)
        assert told.json() == {"profile": {"phone_number": "+12125550100", "phone_number_verified": False}}
    assert await site.server.flows.provider.profiles.get(user.id) == told.json()["profile"]


async def test_what_cannot_be_in_a_profile_is_shown_again(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        again = await browser.post("/auth/account/profile", data={"name": "<b>Ann", "phone_number": "12"})
        assert again.status_code == 422
        assert "with its country" in again.text
        assert 'value="&lt;b&gt;Ann"' in again.text
        refused = await browser.post("/auth/account/profile", data={"phone_number": "12"}, headers=JSON)
        assert (refused.status_code, refused.json()["field"]) == (422, "phone_number")
    async with site.program() as program:
        refused = await program.post("/auth/account/profile", data={"name": "Eve"}, headers=JSON)
        assert refused.status_code == 401
