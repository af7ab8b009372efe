"""ASVS 5.0, chapter V16: logging and errors."""

import logging
from datetime import timedelta

import pytest

from coatcheck.storage.errors import StorageError
from coatcheck.verifier import NotReadyError, StaleViewError, Verifier
from tests.asvs.services import service_of
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site, bearer

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "something else entirely"
NONCE = {"nonce": "A" * 16}


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("coatcheck")
    ) + repr([record.args for record in caplog.records])


@pytest.mark.asvs("16.2.1")
async def test_v16_2_1_the_ledger_says_who_ended_what_when_and_why(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    root = await site.add_user("root@example.com", scopes="coatcheck:admin")
    user = await site.server.flows.administration.find_user(EMAIL)
    async with site.signed_in_browser() as browser:
        await browser.post("/auth/sign-out")
    token = (await site.tokens("root@example.com"))["access_token"]
    async with site.program() as program:
        await site.tokens()
        wish = {"kind": "user", "value": EMAIL}
        await program.post("/auth/admin/revocations", json=wish, headers=bearer(token))
        told = (await program.get("/auth/admin/revocations", headers=bearer(token))).json()["revocations"]
    assert [(each["kind"], each["reason"], each["actor"]) for each in told] == [
        ("user", "ended-by-administrator", f"user:{root.id}"),
        ("session", "ended-by-administrator", f"user:{root.id}"),
        ("session", "signed-out", f"user:{user.id}"),
    ]
    assert all(each["at"] == site.clock.now for each in told)
    for each in told:
        assert (
            f"{each['kind']} {each['value']} ended: {each['reason']}, by {each['actor']}" in caplog.messages
        )


@pytest.mark.asvs("16.2.5")
async def test_v16_2_5_no_log_has_a_credential(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, key = await site.server.flows.services.add("orders")
    tokens = await site.tokens()
    secrets = [
        key.removeprefix("cck_"),
        PASSWORD,
        NEW_PASSWORD,
        tokens["access_token"],
        tokens["refresh_token"],
    ]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    async with site.signed_in_browser() as browser, site.program() as program:
        secrets.append(browser.cookies[SESSION])
        await program.head("/auth/ledger", params=NONCE, headers=bearer(key))
        await program.head("/auth/ledger", params=NONCE, headers=bearer(f"{key}x"))
        for token in (tokens["access_token"], tokens["refresh_token"], browser.cookies[SESSION]):
            await program.post("/auth/introspect", data={"token": token}, headers=bearer(key))
        await site.server.flows.revoking.token(tokens["access_token"], actor="administrator")
        await program.get("/auth/session", headers=bearer(tokens["access_token"]))
        await program.post("/auth/token", data=form)
        site.clock.now += 60
        await program.post("/auth/token", data=form)
        await program.post("/auth/sign-in", json={"email": EMAIL, "password": NEW_PASSWORD})
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await browser.post("/auth/account/password", data=change)
        secrets.append(browser.cookies[SESSION])
        await browser.post("/auth/devices/end-all")
    text = logged(caplog)
    assert "ended: signed-out" in text or "ended: ended-by-user" in text
    for secret in secrets:
        for part in (secret, *secret.split(".")[1:]):
            assert part not in text


@pytest.mark.asvs("16.3.1")
async def test_v16_3_1_failed_sign_ins_and_the_ends_of_sessions_are_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with site.program() as program:
        await program.post("/auth/sign-in", json={"email": EMAIL, "password": NEW_PASSWORD})
        assert "refused POST '/auth/sign-in': invalid_credentials" in caplog.text
        token = (await site.tokens())["access_token"]
        await program.post("/auth/sign-out", headers=bearer(token))
    assert "ended: signed-out, by user:" in caplog.text


@pytest.mark.asvs("16.3.2")
async def test_v16_3_2_whoever_may_not_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with site.program() as program:
        headers = bearer((await site.tokens())["access_token"])
        await program.post("/auth/admin/revocations", json={"kind": "everything"}, headers=headers)
        assert "refused POST '/auth/admin/revocations': insufficient_scope" in caplog.text
        await program.get("/auth/ledger", params=NONCE, headers=bearer("cck_guess"))
        assert "refused GET '/auth/ledger': unknown_service_key" in caplog.text
    async with site.browser() as browser:
        foreign = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
        await browser.post("/auth/sign-out", headers=foreign)
        assert "cross_site_request" in caplog.text


@pytest.mark.asvs("16.5.3")
async def test_v16_5_3_a_site_that_cannot_look_lets_nobody_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StorageError("The storage is gone.")

    token = (await site.tokens())["access_token"]
    async with site.signed_in_browser() as browser, site.program() as program:
        monkeypatch.setattr(site.server.storage.records, "find_session", fail)
        monkeypatch.setattr(site.server.storage.records, "find_session_by_digest", fail)
        for answer in (
            await browser.get("/auth/session"),
            await program.get("/auth/session", headers=bearer(token)),
        ):
            assert answer.status_code >= 500
            assert EMAIL not in answer.text


@pytest.mark.asvs("16.5.3")
async def test_v16_5_3_a_service_that_cannot_tell_lets_nobody_in(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    ignorant = Verifier(ORIGIN, audience=ORIGIN, clock=site.clock)
    ignorant._core._await_ready = lambda: None  # it would follow the issuer, which is not on the network
    with pytest.raises(NotReadyError):
        ignorant.verify(token)
    service = service_of(site)
    assert await service.accepts(token)
    service.verifier._core._limit = timedelta(seconds=5).total_seconds()
    service.verifier._view.as_of -= 6
    with pytest.raises(StaleViewError):
        service.verifier.verify(token)
    assert NotReadyError.status == StaleViewError.status == 503
