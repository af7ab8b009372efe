"""ASVS 5.0, chapter V11: cryptography."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from coatcheck._core import base64url
from coatcheck._core.secrets import digest, new_identifier, new_token
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.flows.key_schedule import RotationPolicy
from coatcheck.jose import Key, KeySet
from coatcheck.jose.jws import sign, verify
from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import load_settings
from tests.asvs.services import altered, claims_of, service_of
from tests.web.sites import EMAIL, ORIGIN, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.asvs("11.1.1")
def test_v11_1_1_the_life_of_a_signing_key_is_documented_as_it_is() -> None:
    page = (DOCS / "key-rotation.md").read_text(encoding="utf-8")
    policy = RotationPolicy()
    assert policy.period is not None
    assert f"Every {policy.period.days} days" in page
    assert f"| {policy.lead.total_seconds() / 60:.0f} minutes before | is published |" in page
    assert f"| {policy.tokens.until(0) / 60:.0f} minutes after |" in page
    assert "## When a key is compromised" in page


@pytest.mark.asvs("11.1.2")
def test_v11_1_2_every_secret_is_listed_with_its_use_and_how_it_is_replaced() -> None:
    page = (DOCS / "production.md").read_text(encoding="utf-8")
    section = page.partition("## Keys and secrets")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)[1:]
    assert len(listed) >= 6
    for word in ("`secret`", "`smtp_url`", "signing key", "service", "session", "password"):
        assert any(word in name for name, *_ in listed), word


@pytest.mark.asvs("11.2.2")
async def test_v11_2_2_services_follow_a_change_of_the_algorithm(site: Site) -> None:
    """Keys of two algorithms in one set, one of them post-quantum: each verifies what it has signed itself."""
    newer = Key.generate("ML-DSA-44")
    service, token = service_of(site), (await site.tokens())["access_token"]
    await service.hear()
    published = await site.server.flows.context.access_tokens.key_set()
    service.verifier._view.install(KeySet([*published, newer.public()]))
    after = await altered(site, token, key=newer, jti="another")
    assert service.verifier.verify(token).subject == service.verifier.verify(after).subject


@pytest.mark.asvs("11.2.3")
async def test_v11_2_3_the_server_signs_and_keeps_with_128_bits_of_security(site: Site) -> None:
    async with site.program() as program:
        (key,) = (await program.get("/auth/.well-known/jwks.json")).json()["keys"]
    assert (key["crv"], key["alg"]) == ("P-256", "ES256")
    assert len(digest("x")) * 8 == 256
    assert len(base64url.decode(new_token().encode())) * 8 == 256


@pytest.mark.asvs("11.2.4")
async def test_v11_2_4_secrets_are_looked_up_by_their_digests(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the time of a look-up tells is about SHA-256 of a guess, of which nobody can make use."""
    asked: list[object] = []
    records: Any = site.server.storage.records
    for name in ("find_session_by_digest", "find_service_by_digest", "find_refresh_token"):
        if not hasattr(records, name):
            continue
        original = getattr(records, name)

        async def spy(sought: object, *, original: Any = original) -> object:
            asked.append(sought)
            return await original(sought)

        monkeypatch.setattr(records, name, spy)
    guess = new_token()
    async with site.program() as program:
        program.cookies.set(SESSION, guess)
        await program.get("/auth/session")
        program.cookies.clear()
        await program.get("/auth/ledger?nonce=" + "A" * 16, headers=bearer(guess))
    assert asked == [digest(guess), digest(guess)]


@pytest.mark.asvs("11.2.4")
def test_v11_2_4_macs_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(sys.modules["coatcheck.jose.algorithms.hmac_sha2"], "compare_digest", spy)
    key = Key.generate("HS256")
    verify(sign(b"x", key), key)
    assert len(compared) == 1


@pytest.mark.asvs("11.4.2")
async def test_v11_4_2_passwords_are_kept_with_argon2id_at_its_floor_or_above() -> None:
    floor = Argon2Parameters()
    assert (floor.memory_kib, floor.time_cost, floor.parallelism) == (19 * 1024, 2, 1)
    async with open_site(hurried=False) as site:
        await site.add_user()
        user = await site.server.flows.administration.find_user(EMAIL)
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    weakened: tuple[dict[str, Any], ...] = ({"argon2_memory_kib": 8192}, {"argon2_time_cost": 1})
    for weaker in weakened:
        with pytest.raises(SettingsError):
            load_settings(
                environment={},
                directory="/nowhere",
                mode="production",
                base_url=ORIGIN,
                secret="kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu",
                smtp_url="smtp://localhost:25",
                mail_from="Site <no-reply@example.com>",
                **weaker,
            )


@pytest.mark.asvs("11.5.1")
async def test_v11_5_1_what_nobody_may_guess_has_128_random_bits_or_more(site: Site) -> None:
    tokens = await site.tokens()
    _, key = await site.server.flows.services.add("orders")
    claims = claims_of(tokens["access_token"])
    assert len(base64url.decode(key.removeprefix("cck_").encode())) == 32
    for identifier in (claims["jti"], claims["sid"], claims["sub"], new_identifier()):
        assert len(base64url.decode(identifier.encode())) == 16
    seen = {(await site.tokens())["access_token"] for _ in range(5)}
    assert len({claims_of(each)["jti"] for each in seen}) == 5
