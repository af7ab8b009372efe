"""What clients get: access tokens for one API, and ID tokens."""

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from coatcheck._core import base64url
from coatcheck._core.secrets import Sealer
from coatcheck.flows.ending import ADMINISTRATOR, Reason, void_earlier
from coatcheck.flows.errors import InvalidTokenError, ServerKeyError
from coatcheck.flows.provider.issuing import half_hash
from coatcheck.flows.provider.shared_secrets import open_secret, seal_secret
from coatcheck.flows.provider.subjects import subject_of
from coatcheck.flows.status_lists import StatusListPolicy, StatusLists
from coatcheck.jose import Key, TokenError, jwt
from coatcheck.jose.hazmat import read_unverified
from coatcheck.oauth.errors import InvalidTargetError
from coatcheck.oauth.model import ClaimsRequest
from tests.flows.granting import (
    ORDERS,
    SECRET,
    a_client,
    an_api,
    built_in_api,
    granted,
    machine_token,
    said,
    with_secret,
)
from tests.flows.world import ADA, ISSUER, NOW, World, asynchronous

# --- access tokens ---------------------------------------------------------------------------------------------


@asynchronous
async def test_a_users_token_says_what_rfc_9068_wants(world: World) -> None:
    one = await granted(world)
    claims = said(await one.token(an_api(), scope=("openid", "read")))
    assert len(claims.pop("jti")) == 22
    assert claims == {
        "iss": ISSUER,
        "aud": [ORDERS, ISSUER],
        "sub": one.user.id,
        "client_id": "app",
        "sid": one.session.id,
        "scope": "openid read",
        "iat": int(NOW),
        "exp": int(NOW) + 300,
        "auth_time": int(one.session.authenticated_at),
        "amr": ["pwd"],
        "acr": "aal1",
    }


@asynchronous
async def test_a_machines_token_says_nothing_of_a_sign_in(world: World) -> None:
    claims = said(await machine_token(world, an_api()))
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "aud": ORDERS,
        "sub": "app",
        "client_id": "app",
        "scope": "read",
        "iat": int(NOW),
        "exp": int(NOW) + 300,
    }


@asynchronous
async def test_a_token_for_the_issuer_itself_names_it_once(world: World) -> None:
    one = await granted(world)
    assert said(await one.token(built_in_api()))["aud"] == ISSUER
    assert said(await one.token(an_api(), with_issuer=False))["aud"] == ORDERS


@pytest.mark.parametrize("lifetime, expected", [(None, 300), (60, 60), (3600, 3600), (7200, 3600)])
@asynchronous
async def test_a_token_lives_as_long_as_its_api_says_and_never_longer_than_the_ledger_remembers(
    world: World, lifetime: int | None, expected: int
) -> None:
    api = an_api(token_lifetime=lifetime)
    issued = await world.flows.provider.issuer.access_token(
        api=api,
        subject="app",
        client_id="app",
        scope=(),
        session=None,
        ends_at=None,
        with_issuer=False,
        at=NOW,
    )
    claims = said(issued.token)
    assert claims["exp"] - claims["iat"] == issued.expires_in == expected
    assert "scope" not in claims
    assert repr(issued) == f"<Issued for {expected} s>"


@asynchronous
async def test_a_token_does_not_outlive_what_it_comes_from(world: World) -> None:
    one = await granted(world)
    assert said(await one.token(ends_at=NOW + 100))["exp"] == int(NOW + 100)
    issued = await one.issuer.access_token(
        api=an_api(),
        subject="x",
        client_id="app",
        scope=(),
        session=one.session,
        ends_at=NOW + 0.5,
        with_issuer=False,
        at=NOW,
    )
    assert issued.expires_in == 0


@pytest.mark.parametrize("kind", ["client", "user", "session"])
@asynchronous
async def test_in_the_second_of_a_cut_off_a_new_token_is_good_and_an_old_one_is_not(
    world: World, kind: Any
) -> None:
    one = await granted(world)
    before = await one.token()
    world.clock.advance(0.25)
    value = {"client": "app", "user": one.user.id, "session": one.session.id}[kind]
    async with world.storage.transaction() as records:
        await void_earlier(
            world.context, records, (kind, value), reason=Reason.PERMISSIONS_CHANGED, actor=ADMINISTRATOR
        )
    await world.context.ledger.catch_up()
    world.clock.advance(0.25)
    after = await one.token()
    assert said(after)["iat"] == world.clock.now
    await one.known(after)
    with pytest.raises(InvalidTokenError):
        await one.known(before)
    world.clock.advance(1)
    assert said(await one.token())["iat"] == int(world.clock.now)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519", "ML-DSA-44"])
@asynchronous
async def test_a_token_is_signed_by_the_algorithm_of_its_api_and_verified_by_the_published_keys(
    sqlite_world: World, algorithm: str
) -> None:
    world = sqlite_world
    token = await machine_token(world, an_api(algorithm=algorithm))
    keys = await world.context.access_tokens.keys.key_set()
    verifier = jwt.Verifier(keys, issuer=ISSUER, audience=ORDERS, typ="at+jwt", clock=world.clock)
    assert verifier.verify(token).header.alg == algorithm


@asynchronous
async def test_a_secret_signs_for_its_api_alone(world: World) -> None:
    api = with_secret(world, an_api())
    token = await machine_token(world, api, with_issuer=True)
    header = read_unverified(token).header
    assert (header["alg"], header["typ"], "kid" in header) == ("HS256", "at+jwt", False)
    assert said(token)["aud"] == ORDERS  # never the issuer too: whoever has the secret can make such tokens
    verifier = jwt.Verifier(
        Key.from_secret(SECRET.encode(), "HS256"),
        issuer=ISSUER,
        audience=ORDERS,
        typ="at+jwt",
        clock=world.clock,
    )
    verifier.verify(token)
    with pytest.raises(TokenError):
        await world.context.access_tokens.verify(token, recipient="anybody")
    assert await machine_token(world, api) != token


@asynchronous
async def test_an_api_without_its_secret_gets_no_token(world: World) -> None:
    with pytest.raises(InvalidTargetError):
        await machine_token(world, an_api(algorithm="HS256"))


@asynchronous
async def test_the_secret_of_an_api_is_none_of_a_client_nor_of_another_server(world: World) -> None:
    sealed = seal_secret(world.sealer, SECRET, owner="api")
    assert open_secret(world.sealer, sealed, owner="api") == SECRET
    with pytest.raises(ServerKeyError):
        open_secret(world.sealer, sealed, owner="client")
    with pytest.raises(ServerKeyError):
        open_secret(Sealer(b"x" * 32), sealed, owner="api")


@asynchronous
async def test_signers_of_many_secrets_do_not_fill_the_memory(world: World) -> None:
    for number in range(300):
        await machine_token(world, with_secret(world, an_api(f"https://{number}.example")))
    assert len(world.flows.provider.issuer._by_secret) <= 256


@pytest.mark.parametrize("by_secret", [False, True], ids=["key", "secret"])
@asynchronous
async def test_a_token_has_its_place_in_a_status_list(world: World, *, by_secret: bool) -> None:
    lists = StatusLists(world.context, StatusListPolicy(uri=f"{ISSUER}/status"))
    world.context.access_tokens.place = lists.claim
    api = with_secret(world, an_api()) if by_secret else an_api()
    claims = said(await machine_token(world, api))
    assert claims["status"]["status_list"]["uri"].startswith(f"{ISSUER}/status/")


# --- ID tokens -------------------------------------------------------------------------------------------------


@asynchronous
async def test_an_id_token_says_what_openid_connect_wants(world: World) -> None:
    one = await granted(world)
    token = await one.id_token(nonce="n", access_token="at", code="code")
    assert read_unverified(token).header["typ"] == "JWT"
    assert said(token) == {
        "iss": ISSUER,
        "aud": "app",
        "sub": one.user.id,
        "iat": int(NOW),
        "exp": int(NOW) + 300,
        "auth_time": int(one.session.authenticated_at),
        "nonce": "n",
        "acr": "aal1",
        "amr": ["pwd"],
        "sid": one.session.id,
        "at_hash": half_hash("at", "ES256"),
        "c_hash": half_hash("code", "ES256"),
    }


def test_half_a_hash_is_that_of_the_specification() -> None:
    # OpenID Connect Core, appendix A.3 and A.4.
    assert half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "RS256") == (
        "LDktKdoQak3Pk0cnXxCltA"
    )
    expected = base64url.encode(hashlib.sha512(b"code").digest()[:32])
    assert half_hash("code", "Ed25519") == expected


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256", "Ed25519"])
@asynchronous
async def test_an_id_token_is_signed_as_its_client_registered(sqlite_world: World, algorithm: str) -> None:
    one = await granted(sqlite_world, a_client(id_token_signed_response_alg=algorithm))
    keys = await sqlite_world.context.access_tokens.keys.key_set()
    token = await one.id_token()
    keys = await sqlite_world.context.access_tokens.keys.key_set()
    verifier = jwt.Verifier(keys, issuer=ISSUER, audience="app", clock=sqlite_world.clock)
    assert verifier.verify(token).header.alg == algorithm


@asynchronous
async def test_an_id_token_may_be_signed_with_the_secret_of_its_client(world: World) -> None:
    sealed = seal_secret(world.sealer, SECRET, owner="client")
    one = await granted(world, a_client(id_token_signed_response_alg="HS256", sealed_secret=sealed))
    key = Key.from_secret(SECRET.encode(), "HS256")
    jwt.Verifier(key, issuer=ISSUER, audience="app", clock=world.clock).verify(await one.id_token())
    client = a_client(id_token_signed_response_alg="HS256")
    with pytest.raises(InvalidTargetError):
        await one.id_token(client=client)


@asynchronous
async def test_token_substitution_an_id_token_is_no_access_token(world: World) -> None:
    one = await granted(world)
    with pytest.raises(TokenError):
        await world.context.access_tokens.verify(await one.id_token(), recipient="anybody")


@asynchronous
async def test_claims_of_scopes_are_in_an_id_token_only_where_nothing_else_comes(world: World) -> None:
    one = await granted(world)
    await world.flows.provider.profiles.change(one.user.id, {"name": "Ada"})
    alone = said(await one.id_token())
    assert (alone["name"], alone["email"], alone["email_verified"]) == ("Ada", ADA, True)
    for beside in ({"code": "c"}, {"access_token": "t"}):
        assert "name" not in said(await one.id_token(**beside))


@asynchronous
async def test_claims_that_were_asked_for_by_name_are_in_the_id_token(world: World) -> None:
    asked = ClaimsRequest(id_token={"email": None, "nickname": None, "sub": None, "unheard-of": None})
    one = await granted(world, claims=asked)
    claims = said(await one.id_token(access_token="t"))
    assert claims["email"] == ADA
    assert {"nickname", "unheard-of", "name"}.isdisjoint(claims)
    assert claims["sub"] == one.user.id


# --- subjects --------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_pairwise_subject_is_one_per_sector_and_tells_nothing(world: World) -> None:
    def subject(user: str, **changes: Any) -> str:
        client = a_client(**({"subject_type": "pairwise", "sector": "a.example"} | changes))
        return subject_of(world.sealer, client, user)

    assert subject("ada") == subject("ada", id="other-app")
    assert len({subject("ada"), subject("eve"), subject("ada", sector="b.example"), "ada"}) == 4
    assert subject("ada", subject_type="public") == "ada"
    assert len(subject("ada")) == 43


@asynchronous
async def test_a_pairwise_client_finds_one_subject_everywhere(world: World) -> None:
    one = await granted(world, a_client(subject_type="pairwise", sector="a.example"))
    token = await one.token()
    assert one.subject != one.user.id
    assert said(token)["sub"] == said(await one.id_token())["sub"] == one.subject
    answer = await world.flows.provider.userinfo.of(token)
    assert answer.claims is not None
    assert answer.claims["sub"] == one.subject


@asynchronous
async def test_another_lifetime_of_the_server_is_that_of_its_tokens(world: World) -> None:
    world.context.access_tokens.lifetime = int(timedelta(minutes=10).total_seconds())
    claims = said(await machine_token(world, msgspec.structs.replace(an_api(), token_lifetime=None)))
    assert claims["exp"] - claims["iat"] == 600
