"""Access tokens: only this server's own, of the right kind, for this API, and never longer than their session."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coatcheck._core import base64url
from coatcheck._core.secrets import Sealer
from coatcheck.flows.access_tokens import AccessClaims, AccessTokens
from coatcheck.flows.errors import InvalidTokenError, ServerKeyError
from coatcheck.flows.model import SignedIn, StoredKey
from coatcheck.flows.ports import Storage
from coatcheck.flows.signing_keys import SigningKeys
from coatcheck.jose import Key, TokenError, jws
from coatcheck.sessions.policy import NIST_AAL3, SessionPolicy
from tests.flows.world import (
    ADA,
    EVE,
    ISSUER,
    World,
    access_token,
    asynchronous,
    cookie,
    refresh_token,
)


def parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(base64url.decode(part.encode())) for part in token.split(".")[:2]]


def encoded(value: object) -> str:
    return base64url.encode(json.dumps(value).encode())


async def signing_key(world: World) -> Key:
    (stored,) = await world.storage.records.list_keys()
    return Key.from_jwk(json.loads(world.sealer.open(stored.sealed, context="signing-key")))


async def refused(world: World, token: str) -> bool:
    try:
        await world.flows.authentication.by_token(token, presented_as=token.encode("utf-8", "surrogatepass"))
    except InvalidTokenError:
        return True
    return False


def other_tokens(world: World, **changes: Any) -> AccessTokens:
    """Return what signs for another issuer or audience, with this server's own key."""
    settings: dict[str, Any] = {
        "issuer": ISSUER,
        "audience": ISSUER,
        "lifetime": timedelta(minutes=5),
        "clock": world.clock,
    }
    settings |= changes
    return AccessTokens(keys_of(world, issuer=settings["issuer"]), world.context.ledger.registry, **settings)


def keys_of(
    world: World, *, storage: Storage | None = None, sealer: Sealer | None = None, issuer: str = ISSUER
) -> SigningKeys:
    return SigningKeys(
        storage or world.storage,
        sealer or world.sealer,
        world.context.ledger,
        issuer=issuer,
        clock=world.clock,
    )


async def with_tokens(world: World) -> SignedIn:
    return await world.signed_up(credential="tokens")


@asynchronous
async def test_a_token_is_of_the_kind_and_has_the_claims_that_rfc_9068_asks_for(world: World) -> None:
    signed_in = await with_tokens(world)
    header, claims = parts(access_token(signed_in))
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "ES256"
    assert claims["iss"] == claims["aud"] == ISSUER
    assert claims["sub"] == signed_in.user.id
    assert claims["sid"] == signed_in.session.id
    assert claims["client_id"] == "first-party"
    assert claims["exp"] == claims["iat"] + 300
    assert claims["auth_time"] == int(world.clock.now)
    assert claims["amr"] == ["pwd"]
    assert ADA not in json.dumps(claims)


@asynchronous
async def test_it_works_until_it_expires_and_not_a_moment_longer(world: World) -> None:
    signed_in = await with_tokens(world)
    exp = parts(access_token(signed_in))[1]["exp"]
    world.clock.now = exp - 0.001
    assert await world.is_in(signed_in)
    world.clock.now = exp
    assert not await world.is_in(signed_in)  # the claims are remembered, and looked at again
    assert not await world.sibling().is_in(signed_in)


@asynchronous
async def test_it_never_outlives_its_session(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=NIST_AAL3)))
    session = replace_session(await with_tokens(world), world.clock.now + 100.5)
    token = await world.context.access_tokens.issue(session.user, session.session, at=world.clock())
    assert parts(token)[1]["exp"] <= session.session.expires_at


def replace_session(signed_in: SignedIn, expires_at: float) -> SignedIn:
    fields = {name: getattr(signed_in.session, name) for name in signed_in.session.__struct_fields__}
    session = type(signed_in.session)(**fields | {"expires_at": expires_at})
    return SignedIn(user=signed_in.user, session=session, secret=None, tokens=None, device="")


@asynchronous
async def test_a_session_that_goes_idle_takes_its_token_along(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=NIST_AAL3)))
    long_lived = other_tokens(world, lifetime=timedelta(hours=1))
    signed_in = await with_tokens(world)
    token = await long_lived.issue(signed_in.user, signed_in.session, at=world.clock())
    assert not await refused(world, token)
    world.clock.advance(15 * 60)
    assert await refused(world, token)


@pytest.mark.parametrize(
    "changes", [{"issuer": "https://evil.example"}, {"audience": "https://other.example"}]
)
@asynchronous
async def test_a_token_of_another_issuer_or_for_another_audience_is_refused(
    world: World, changes: dict[str, str]
) -> None:
    signed_in = await with_tokens(world)
    token = await other_tokens(world, **changes).issue(signed_in.user, signed_in.session, at=world.clock())
    assert await refused(world, token)


@asynchronous
async def test_no_other_kind_of_credential_passes_for_an_access_token(world: World) -> None:
    browser = await world.signed_up()
    signed_in = await world.signed_in(credential="tokens")
    id_token = await world.context.access_tokens.issue_id_token(
        browser.user, browser.session, at=world.clock()
    )
    assert parts(id_token)[0]["typ"] == "JWT"
    assert parts(id_token)[1]["email"] == ADA
    for token in (
        id_token,
        refresh_token(signed_in),
        cookie(browser),
        signed_in.session.id,
        "",
        "\ud800",
        ".",
    ):
        assert await refused(world, token)


@asynchronous
async def test_an_id_token_with_this_apis_audience_still_is_of_another_kind(world: World) -> None:
    signed_in = await with_tokens(world)
    header, claims = parts(access_token(signed_in))
    for typ in ("JWT", None, "id+jwt"):
        assert await refused(world, await forged(world, {**header, "typ": typ}, claims))
    again = await forged(world, header, claims)
    assert not await refused(world, again)  # the forger does hold the key: only the kind made the difference


async def forged(world: World, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign whatever is given with this server's own key, past everything that would refuse it."""
    return jws.sign(
        json.dumps(claims).encode(),
        await signing_key(world),
        header={
            name: value for name, value in header.items() if value is not None and name not in {"alg", "kid"}
        },
    )


@asynchronous
async def test_a_token_whose_subject_is_not_the_owner_of_its_session_is_refused(world: World) -> None:
    ada = await with_tokens(world)
    eve = await world.signed_up(EVE, credential="tokens")
    crossed = await world.context.access_tokens.issue(eve.user, ada.session, at=world.clock())
    assert await refused(world, crossed)


@asynchronous
async def test_algorithm_confusion_and_no_signature_are_refused(world: World) -> None:
    signed_in = await with_tokens(world)
    token = access_token(signed_in)
    header, claims = parts(token)
    public = json.dumps((await signing_key(world)).to_jwk()).encode()
    for alg in ("none", "NONE", ""):
        assert await refused(world, f"{encoded({**header, 'alg': alg})}.{encoded(claims)}.")
    message = f"{encoded({**header, 'alg': 'HS256'})}.{encoded(claims)}"
    signature = base64url.encode(hmac.new(public, message.encode(), hashlib.sha256).digest())
    assert await refused(world, f"{message}.{signature}")
    head, body, signature = token.split(".")
    changed = encoded({**claims, "sub": "another"})
    assert await refused(world, f"{head}.{changed}.{signature}")
    assert await refused(world, f"{head}.{body}.{'A' * len(signature)}")
    assert await refused(world, f"{head}.{body}.")
    with_own_key = {**header, "jwk": json.loads(public)}
    assert await refused(world, f"{encoded(with_own_key)}.{body}.{signature}")
    assert not await refused(world, token)


@asynchronous
async def test_all_processes_sign_with_one_key_even_if_they_start_at_once(world: World) -> None:
    processes = [world.sibling() for _ in range(8)]
    sets = await asyncio.gather(*(each.context.access_tokens.key_set() for each in processes))
    assert len(await world.storage.records.list_keys()) == 1
    assert len({json.dumps(each.to_jwks()) for each in sets}) == 1
    for each in processes:
        each.hasher.pool.close()


@asynchronous
async def test_a_process_that_looked_before_another_made_the_key_takes_the_others(world: World) -> None:
    await world.context.access_tokens.key_set()

    class Behind:
        """A storage whose committed records lag behind, as a replica's do."""

        transaction = world.storage.transaction
        version = world.storage.version

        class records:  # noqa: N801 - it stands for a property
            @staticmethod
            async def list_keys() -> list[StoredKey]:
                return []

    behind: Storage = Behind()  # type: ignore[assignment]  # what is asked of it
    late = keys_of(world, storage=behind)
    assert (await late.key_set()).to_jwks() == (await world.context.access_tokens.key_set()).to_jwks()
    assert len(await world.storage.records.list_keys()) == 1


@asynchronous
async def test_keys_of_another_use_are_left_alone(world: World) -> None:
    other = StoredKey(kid="other", use="another", sealed=b"sealed", created_at=world.clock.now + 1)
    await world.storage.records.add_key(other)
    assert await world.is_in(await with_tokens(world))


@asynchronous
async def test_what_published_keys_show_is_public(world: World) -> None:
    keys = json.dumps((await world.context.access_tokens.key_set()).to_jwks())
    assert '"d"' not in keys
    stored = repr(await world.storage.records.list_keys())
    assert '"d"' not in stored


@asynchronous
async def test_another_secret_than_before_is_told_as_such(world: World) -> None:
    await with_tokens(world)
    other = keys_of(world, sealer=Sealer(b"x" * 32))
    with pytest.raises(ServerKeyError) as caught:
        await other.key_set()
    assert str(caught.value.detail).startswith("kid ")


@asynchronous
async def test_a_token_that_does_not_verify_is_a_token_error_for_whoever_verifies_it(world: World) -> None:
    signed_in = await with_tokens(world)
    claims, kid = await world.context.access_tokens.verify(access_token(signed_in))
    assert isinstance(claims, AccessClaims)
    assert kid == parts(access_token(signed_in))[0]["kid"]
    with pytest.raises(TokenError):
        await world.context.access_tokens.verify("no token")
