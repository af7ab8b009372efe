"""ASVS 5.0, chapter V13: configuration, as far as it concerns how services speak to this server, and its secrets."""

import logging
from typing import Any

import pytest

from coatcheck.flows.signal_endpoints import parse_endpoint
from coatcheck.flows.signal_errors import InvalidStreamError
from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import load_settings
from coatcheck.verifier import Verifier, VerifierConfigurationError
from tests.web.sites import ORIGIN, Site, bearer

pytestmark = pytest.mark.anyio

NONCE = {"nonce": "A" * 16}


@pytest.mark.asvs("13.2.1")
async def test_v13_2_1_each_service_shows_a_key_of_its_own(site: Site) -> None:
    services = site.server.flows.services
    _, one = await services.add("one")
    _, two = await services.add("two")
    assert one != two
    async with site.program() as program:
        for path in ("/auth/ledger", "/auth/signals/stream"):
            assert (await program.get(path, params=NONCE)).status_code == 401
        assert (await program.post("/auth/introspect", data={"token": "x"})).status_code == 401
        await services.remove("one")
        for key, status in ((one, 401), (two, 200)):
            answer = await program.head("/auth/ledger", params=NONCE, headers=bearer(key))
            assert answer.status_code == status


@pytest.mark.asvs("13.2.1")
async def test_v13_2_1_a_service_believes_nothing_that_the_issuer_has_not_signed_or_sent_over_https() -> None:
    for url in ("http://id.example", "http://10.0.0.1:8000"):
        with pytest.raises(VerifierConfigurationError):
            Verifier(url, audience=ORIGIN)


@pytest.mark.asvs("13.2.2")
async def test_v13_2_2_the_key_of_a_service_reads_and_asks_and_does_nothing_else(site: Site) -> None:
    _, key = await site.server.flows.services.add("orders", audience="https://api.example")
    token = (await site.tokens())["access_token"]
    async with site.program() as program:
        program.headers.update(bearer(key))
        wish = {"kind": "everything", "name": "x", "session_id": "x", "confirm": "yes"}
        for path in (
            "admin/revocations",
            "admin/services",
            "admin/services/remove",
            "devices/end-all",
            "sign-out",
        ):
            assert (await program.post(f"/auth/{path}", json=wish)).status_code == 401
        for path in ("session", "account", "devices", "admin/revocations", "admin/services"):
            assert (await program.get(f"/auth/{path}")).status_code == 401
        # Of what is for another service, it is told nothing.
        assert (await program.post("/auth/introspect", data={"token": token})).json() == {"active": False}
    assert await site.server.storage.records.list_entries(after=0, limit=9) == []


@pytest.mark.asvs("13.2.3")
async def test_v13_2_3_no_key_is_there_from_the_start(site: Site) -> None:
    assert await site.server.flows.services.list() == []
    async with site.program() as program:
        for guess in ("cck_", "cck_default", "cck_changeme"):
            answer = await program.head("/auth/ledger", params=NONCE, headers=bearer(guess))
            assert answer.status_code == 401


@pytest.mark.asvs("13.2.4")
@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/x"),
        *("https://169.254.169.254/latest/meta-data", "https://user@hooks.example/", "file:///etc/passwd"),
    ],
)
def test_v13_2_4_events_are_pushed_to_no_address_inside_of_a_network(url: str) -> None:
    with pytest.raises(InvalidStreamError):
        parse_endpoint(url, development=False)


def production(**settings: Any) -> Any:
    return load_settings(environment={}, directory="/nowhere", mode="production", base_url=ORIGIN, **settings)


@pytest.mark.asvs("13.3.1")
async def test_v13_3_1_secrets_come_from_files_and_production_makes_none_up(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu\n")
    secret.chmod(0o600)
    settings = production(secret_file=str(secret), mail="off", sign_up="closed")
    assert settings.secret.reveal() == "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu"
    assert "kR4xq9" not in repr(settings)
    for weak in ({}, {"secret": "changeme"}, {"secret": "a" * 64}):
        with pytest.raises(SettingsError):
            production(mail="off", sign_up="closed", **weak)


@pytest.mark.asvs("13.3.1")
async def test_v13_3_1_the_database_holds_no_secret_in_the_clear(site: Site) -> None:
    service, key = await site.server.flows.services.add("orders")
    kept = repr(await site.server.storage.records.list_keys()) + repr(service)
    assert key not in kept
    assert '"d"' not in kept


@pytest.mark.asvs("13.3.4")
async def test_v13_3_4_signing_keys_are_replaced_by_themselves(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async def published() -> set[str]:
        async with site.program() as program:
            keys = (await program.get("/auth/.well-known/jwks.json")).json()["keys"]
        return {key["kid"] for key in keys}

    before = await published()
    caplog.set_level(logging.INFO)
    site.clock.now += 91 * 24 * 3600
    await site.server.flows.key_rotation.check()
    both = await published()
    assert before < both
    site.clock.now += 2 * 3600
    await site.server.flows.key_rotation.check()
    assert await published() == both - before
