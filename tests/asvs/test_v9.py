"""ASVS 5.0, chapter V9: self-contained tokens. At the site that issues them, and at a service that verifies them."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from coatcheck._core import base64url
from coatcheck.jose import Key
from coatcheck.jose.hazmat import read_unverified
from coatcheck.revocation.wire import AUDIENCE, TYPE
from coatcheck.verifier.discovery import read_metadata
from coatcheck.verifier.errors import DiscoveryError
from tests.asvs.provider import metadata_of
from tests.asvs.services import Service, altered, claims_of, service_of, signing_key, status_at_site
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site, bearer, open_site

pytestmark = pytest.mark.anyio


async def are_refused(site: Site, *tokens: str) -> list[str]:
    """Assert that neither the site nor a service accepts tokens; return the reasons of the service."""
    service = service_of(site)
    for token in tokens:
        assert await status_at_site(site, token) == 401
    return [await service.reason(token) for token in tokens]


def segments(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return a token's header and claims, and its signature."""
    header, payload, signature = token.split(".")
    read = [json.loads(base64url.decode(each.encode())) for each in (header, payload)]
    return read[0], read[1], signature


def joined(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64url.encode(json.dumps(each).encode()) for each in (header, claims)]
    return ".".join([*parts, signature])


@pytest.mark.asvs("9.1.1")
async def test_v9_1_1_nothing_that_a_token_says_counts_before_its_signature(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    assert await service_of(site).accepts(token)
    header, claims, signature = segments(token)
    for change in ({"scope": "coatcheck:admin"}, {"sub": "somebody-else"}, {"exp": claims["exp"] + 60}):
        forged = joined(header, claims | change, signature)
        assert await are_refused(site, forged) == ["signature"]


@pytest.mark.asvs("9.1.2")
@pytest.mark.parametrize("alg", ["none", "None", "HS256", "HS512", "RS256", "ES384", "ES256K"])
async def test_v9_1_2_a_token_does_not_choose_how_it_is_verified(site: Site, alg: str) -> None:
    """Unsigned, or with the public key as a shared secret: the key has one algorithm, and it is the one."""
    header, claims, signature = segments((await site.tokens())["access_token"])
    headless = joined(header | {"alg": alg}, claims).rstrip(".")
    secrets = [(await signing_key(site)).public().to_pem(), b""]
    macs = [hmac.digest(secret, headless.encode(), hashlib.sha256) for secret in secrets]
    forged = [f"{headless}.", f"{headless}.{signature}"]
    forged += [f"{headless}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}" for mac in macs]
    assert set(await are_refused(site, *forged)) <= {"algorithm", "malformed"}


@pytest.mark.asvs("9.1.2")
async def test_v9_1_2_the_site_publishes_one_kind_of_key(site: Site) -> None:
    async with site.program() as program:
        keys = (await program.get("/auth/.well-known/jwks.json")).json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256"}
    assert all("d" not in key for key in keys)


@pytest.mark.asvs("9.1.2")
async def test_v9_1_2_what_an_api_signs_with_the_secret_that_it_shares_is_good_nowhere_else(
    site: Site,
) -> None:
    """Two kinds of keys beside each other: whoever shares one of the secret kind could make tokens for everything."""
    user, token = (
        await site.server.flows.administration.find_user(EMAIL),
        (await site.tokens())["access_token"],
    )
    _, secret = await site.server.flows.provider.apis.add("https://orders.example", algorithm="HS256")
    assert secret is not None
    header, claims, _ = segments(token)
    assert claims["sub"] == user.id
    for audience in (ORIGIN, "https://orders.example"):
        for kid in (header["kid"], None):
            own = {"typ": "at+jwt", "alg": "HS256"} | ({} if kid is None else {"kid": kid})
            unsigned = joined(own, claims | {"aud": audience}).rstrip(".")
            mac = base64url.encode(hmac.digest(secret.encode(), unsigned.encode(), hashlib.sha256))
            (reason,) = await are_refused(site, f"{unsigned}.{mac}")
            assert reason in {"algorithm", "unknown-key"}


@pytest.mark.asvs("9.1.3")
@pytest.mark.parametrize("kid", ["theirs", "ours", "none"])
async def test_v9_1_3_a_token_does_not_bring_its_own_key(site: Site, kid: str) -> None:
    token = (await site.tokens())["access_token"]
    ours, theirs = await signing_key(site), Key.generate("ES256")
    header, claims, _ = segments(await altered(site, token, key=theirs))
    del header["kid"]
    header |= {"theirs": {"kid": theirs.kid}, "ours": {"kid": ours.kid}, "none": {}}[kid]
    for member in (
        {"jwk": theirs.public().to_jwk()},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"x5c": ["MIIB"]},
    ):
        signed = joined(header | member, claims).rstrip(".")
        raw = base64url.encode(b"\x01" * 64)
        (reason,) = await are_refused(site, f"{signed}.{raw}")
        assert reason in {"unknown-key", "signature", "malformed"}


@pytest.mark.asvs("9.1.3")
@pytest.mark.asvs("10.5.3")
async def test_v9_1_3_a_service_takes_keys_from_its_issuer_alone(site: Site) -> None:
    document = await metadata_of(site)
    found = read_metadata(json.dumps(document).encode(), issuer=ORIGIN, allow_http=False)
    assert found.jwks_uri == document["jwks_uri"]
    for change in ({"issuer": "https://evil.example"}, {"jwks_uri": "http://id.example/keys"}):
        with pytest.raises(DiscoveryError):
            read_metadata(json.dumps(document | change).encode(), issuer=ORIGIN, allow_http=False)


@pytest.mark.asvs("9.2.1")
async def test_v9_2_1_a_token_is_good_between_its_times_and_at_no_other(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    service, now = service_of(site), site.clock.now
    early = await altered(site, token, nbf=now + 60)
    future = await altered(site, token, iat=now + 120, exp=now + 240)
    endless = await altered(site, token, exp=None)
    assert await are_refused(site, early, future, endless) == ["not-yet-valid", "not-yet-valid", "claims"]
    site.clock.now = claims_of(token)["exp"] - 1
    assert await service.accepts(token)  # and remembers it
    assert await status_at_site(site, token) == 200
    site.clock.now += 1
    assert await status_at_site(site, token) == 401
    site.clock.now += service.verifier._policy.leeway
    assert await service.reason(token) == "expired"
    assert await are_refused(site, token) == ["expired"]


@pytest.mark.asvs("9.2.2")
async def test_v9_2_2_no_other_token_of_the_site_is_an_access_token() -> None:
    """All are signed with one key: an ID token, an answer of introspection, an event of the ledger."""
    async with open_site(token_cookie="id-token") as site:
        await site.add_user()
        _, key = await site.server.flows.services.add("orders", audience=ORIGIN)
        token = (await site.tokens())["access_token"]
        async with site.signed_in_browser() as browser:
            id_token = browser.cookies["__Host-coatcheck-token"]
        async with site.program() as program:
            headers = bearer(key) | {"accept": "application/token-introspection+jwt"}
            answer = await program.post("/auth/introspect", data={"token": token}, headers=headers)
        others = [await altered(site, token, typ=typ) for typ in (TYPE, "secevent+jwt", "logout+jwt", "JWT")]
        reasons = await are_refused(site, id_token, answer.text, *others)
        assert reasons == ["type"] * 6
        kinds = {read_unverified(each).header["typ"] for each in (token, id_token, answer.text)}
        assert kinds == {"at+jwt", "JWT", "token-introspection+jwt"}


@pytest.mark.asvs("9.2.3")
async def test_v9_2_3_a_token_for_another_service_is_refused(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    others: tuple[Any, ...] = ("https://other.example", ORIGIN + "/", [], None)
    for audience in others:
        forged = await altered(site, token, aud=audience)
        (reason,) = await are_refused(site, forged)
        assert reason in {"audience", "claims"}
    elsewhere = service_of(site, audience="https://other.example")
    assert await elsewhere.reason(token) == "audience"


async def tokens_of_all_kinds(site: Site, service: Service) -> dict[str, str]:
    _, key = await site.server.flows.services.add("orders", audience=service.verifier.audience[0])
    access = (await site.tokens(password=PASSWORD))["access_token"]
    async with site.signed_in_browser() as browser:
        id_token = browser.cookies["__Host-coatcheck-token"]
    flows = site.server.flows
    reader = flows.feed.admit(None, packs=False)
    reader.begin(flows.feed.history(reader, nonce="A" * 16, position=None))
    chunks = reader.chunks()
    hello = (await anext(chunks)).decode().partition("data: ")[2].strip()
    await chunks.aclose()
    reader.close()
    return {"access": access, "id": id_token, "event": hello, "key": key}


@pytest.mark.asvs("9.2.4")
async def test_v9_2_4_one_key_signs_for_many_and_each_token_says_for_whom() -> None:
    async with open_site(token_cookie="id-token", audience="https://api.example") as site:
        await site.add_user()
        service = service_of(site, audience="https://api.example")
        made = await tokens_of_all_kinds(site, service)
        tokens = [made[kind] for kind in ("access", "id", "event")]
        assert [claims_of(each)["aud"] for each in tokens] == ["https://api.example", "first-party", AUDIENCE]
        assert len({read_unverified(each).header["kid"] for each in tokens}) == 1
        assert [await service.reason(each) for each in tokens[1:]] == ["type", "type"]
        # The site is the issuer of them all, but no audience is its own name by chance.
        assert await service.accepts(tokens[0])
