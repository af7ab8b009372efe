"""Refreshing: one successor however often it is asked for at once, and the end of all if a token comes back late."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from coatcheck._core.secrets import Sealer, digest
from coatcheck.flows.model import SignedIn, TokenResponse
from coatcheck.flows.ports import Records
from coatcheck.flows.tokens import PresentedToken, exchange_token
from coatcheck.identity import Client
from coatcheck.sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError
from coatcheck.sessions.policy import NIST_AAL3, RefreshPolicy, SessionPolicy
from coatcheck.sessions.refresh import Plan, make_token
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    HOME,
    World,
    access_token,
    asks,
    asynchronous,
    refresh_token,
)


async def refreshed(world: World, token: str, client: Client = HOME) -> TokenResponse:
    return await world.flows.tokens.refresh(token, client=client)


async def newest(world: World) -> tuple[SignedIn, str]:
    signed_in = await world.signed_up(credential="tokens")
    return signed_in, refresh_token(signed_in)


@asynchronous
async def test_a_token_is_exchanged_for_new_ones_that_work(world: World) -> None:
    signed_in, token = await newest(world)
    for _ in range(5):
        world.clock.advance(300)
        response = await refreshed(world, token)
        assert response.refresh_token != token
        assert response.access_token != access_token(signed_in)
        known = await world.flows.authentication.by_token(response.access_token, presented_as=b"new")
        assert known.identity.session_id == signed_in.session.id
        token = response.refresh_token


@asynchronous
async def test_two_hundred_refreshes_at_once_give_one_successor_and_no_sign_out(world: World) -> None:
    signed_in, token = await newest(world)
    responses = await asyncio.gather(*(refreshed(world, token) for _ in range(200)))
    (successor,) = {response.refresh_token for response in responses}
    assert await world.is_in(signed_in)
    assert (await refreshed(world, successor)).refresh_token != successor


@asynchronous
async def test_the_same_token_from_the_same_client_gives_the_same_successor_for_ten_seconds(
    world: World,
) -> None:
    signed_in, token = await newest(world)
    first = await refreshed(world, token)
    world.clock.advance(9.99)
    assert (await refreshed(world, token)).refresh_token == first.refresh_token
    roaming = Client(address="203.0.113.9", user_agent=HOME.user_agent)
    assert (await refreshed(world, token, roaming)).refresh_token == first.refresh_token
    assert await world.is_in(signed_in)


@pytest.mark.parametrize("seconds", [10.01, 3600.0])
@asynchronous
async def test_a_token_that_comes_back_later_ends_its_session_and_the_owner_is_told(
    world: World, seconds: float
) -> None:
    signed_in, token = await newest(world)
    other = await world.signed_in(credential="tokens")
    await world.post()
    successor = (await refreshed(world, token)).refresh_token
    world.clock.advance(seconds)
    with pytest.raises(RefreshTokenReusedError) as caught:
        await refreshed(world, token)
    assert token not in f"{caught.value!r} {caught.value.detail}"
    assert caught.value.code == "invalid_grant"
    assert not await world.is_in(signed_in)
    assert await world.subjects() == [(ADA, "A session at Example was ended for your safety")]
    for dead in (token, successor):
        with pytest.raises(InvalidRefreshTokenError) as refused:
            await refreshed(world, dead)
        assert refused.value.message == caught.value.message
    assert await world.post() == []
    assert await world.can_refresh(other)


@asynchronous
async def test_a_token_that_another_kind_of_client_brings_back_at_once_ends_its_session(world: World) -> None:
    signed_in, token = await newest(world)
    await refreshed(world, token)
    with pytest.raises(RefreshTokenReusedError):
        await refreshed(world, token, ELSEWHERE)
    assert not await world.is_in(signed_in)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 43, "A" * 43, "A" * 100_000])
@asynchronous
async def test_what_is_no_token_is_refused(world: World, token: str) -> None:
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_no_other_secret_passes_for_a_refresh_token(world: World) -> None:
    browser = await world.signed_up()
    signed_in = await world.signed_in(credential="tokens")
    for secret in (str(browser.secret), access_token(signed_in), signed_in.session.id):
        with pytest.raises(InvalidRefreshTokenError):
            await refreshed(world, secret)


@asynchronous
async def test_the_token_of_a_session_that_ended_is_refused(world: World) -> None:
    signed_in, token = await newest(world)
    await world.flows.ending.sign_out(await world.identity(signed_in))
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_the_token_of_a_user_who_was_disabled_behind_the_flows_back_is_refused(world: World) -> None:
    signed_in, token = await newest(world)
    user = signed_in.user
    fields = {name: getattr(user, name) for name in user.__struct_fields__}
    await world.storage.records.replace_user(
        type(user)(**fields | {"disabled_at": world.clock.now}), expected=user
    )
    assert not await world.is_in(signed_in)
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_a_token_that_is_not_used_for_too_long_expires(world: World) -> None:
    world.tune(replace(world.tunables, refresh=RefreshPolicy(idle_timeout=timedelta(hours=1))))
    _, token = await newest(world)
    world.clock.advance(3599)
    token = (await refreshed(world, token)).refresh_token
    world.clock.advance(3600)
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_the_chain_ends_in_any_case(world: World) -> None:
    world.tune(replace(world.tunables, refresh=RefreshPolicy(lifetime=timedelta(hours=2))))
    _, token = await newest(world)
    for _ in range(3):
        world.clock.advance(2390)
        token = (await refreshed(world, token)).refresh_token
    world.clock.advance(30)
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_refreshing_counts_as_use_and_nothing_outlives_the_session(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=NIST_AAL3)))
    signed_in, token = await newest(world)
    end = signed_in.session.expires_at
    while world.clock.now + 800 < end:
        world.clock.advance(800)
        token = (await refreshed(world, token)).refresh_token
    world.clock.now = end - 30.5
    response = await refreshed(world, token)
    assert response.expires_in == 30
    claims, _ = await world.context.access_tokens.verify(response.access_token)
    assert claims.exp <= end
    world.clock.now = end - 0.1  # nothing is left, which is no reason to fail
    assert (await refreshed(world, response.refresh_token)).expires_in == 0
    world.clock.now = end
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, response.refresh_token)


@asynchronous
async def test_the_scope_of_new_tokens_is_what_was_asked_for_as_far_as_the_user_may_do_it_now(
    world: World,
) -> None:
    await world.signed_up()
    await world.flows.administration.set_scopes(ADA, ["read", "write"])
    signed_in = await world.signed_in(credential="tokens", scope="read other")
    await world.flows.administration.set_scopes(ADA, ["read", "other"])
    response = await refreshed(world, refresh_token(signed_in))
    assert response.scope == "other read"
    await world.flows.administration.set_scopes(ADA, ["write"])
    assert (await refreshed(world, response.refresh_token)).scope == ""


@asynchronous
async def test_a_session_that_is_bound_ends_when_another_client_brings_its_token(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(binding="user-agent")))
    signed_in, token = await newest(world)
    token = (await refreshed(world, token)).refresh_token
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token, ELSEWHERE)
    assert not await world.is_in(signed_in)
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_the_storage_alone_does_not_yield_a_token_that_works(world: World) -> None:
    _, token = await newest(world)
    successor = (await refreshed(world, token)).refresh_token
    stored = [await world.storage.records.find_refresh_token(digest(each)) for each in (token, successor)]
    shown = repr(stored)
    assert token not in shown
    assert successor not in shown


@pytest.mark.parametrize("survives", [True, False])
@asynchronous
async def test_on_a_storage_that_is_not_serial_whoever_comes_second_gets_the_successor_of_the_first(
    world: World, *, survives: bool
) -> None:
    signed_in, token = await newest(world)
    records = world.storage.records
    stored = await records.find_refresh_token(digest(token))
    assert stored is not None
    first = await refreshed(world, token)

    class Behind:
        """Records that show what was, and then tell that somebody was first."""

        async def rotate_refresh_token(self, *_: object, **__: object) -> bool:
            return False

        async def find_refresh_token(self, digest: bytes) -> object:
            return await records.find_refresh_token(digest) if survives else None

    behind: Records = Behind()  # type: ignore[assignment]  # the two methods that are asked
    presented = PresentedToken(
        secret=token,
        record=stored,
        session=signed_in.session,
        parent=None,
        grant=None,
        user=signed_in.user,
        client=b"",
        plan=Plan.ROTATE,
    )
    assert token not in repr(presented)
    asked = exchange_token(world.context, behind, presented)
    if survives:
        successor, _, _ = await asked
        assert successor == first.refresh_token
        return
    with pytest.raises(InvalidRefreshTokenError):
        await asked


def test_a_response_does_not_show_its_tokens() -> None:
    response = TokenResponse(access_token="an-access", expires_in=1, refresh_token="a-refresh", scope="")
    assert repr(response) == "<TokenResponse expires_in=1>"
    assert "planted" not in repr(asks(device="planted", replaces="planted"))


@asynchronous
async def test_a_token_that_was_exchanged_long_ago_and_forgotten_still_ends_its_session(world: World) -> None:
    signed_in, first = await newest(world)
    token = first
    used = [token]
    for _ in range(20):
        world.clock.advance(300)
        token = (await refreshed(world, token)).refresh_token
        used.append(token)
    stored = [each for each in used if await world.storage.records.find_refresh_token(digest(each))]
    assert len(stored) <= 2  # a chain does not grow with its length
    await world.post()
    with pytest.raises(RefreshTokenReusedError):
        await refreshed(world, first)
    assert not await world.is_in(signed_in)
    assert await world.subjects() == [(ADA, "A session at Example was ended for your safety")]
    with pytest.raises(InvalidRefreshTokenError):
        await refreshed(world, token)


@asynchronous
async def test_whoever_knows_the_public_identifier_of_a_session_cannot_end_it_with_a_forged_token(
    world: World,
) -> None:
    signed_in, token = await newest(world)
    session_id, secret, tag = token.split(".")
    assert session_id == signed_in.session.id
    other = make_token(Sealer(b"x" * 32), session_id)
    for forged in (
        f"{session_id}.{secret}.",
        f"{session_id}.{secret}",
        f"{session_id}.{'A' * len(secret)}.{tag}",
        f"{session_id}.{secret}.{'A' * len(tag)}",
        f"{session_id}..{tag}",
        other,
    ):
        with pytest.raises(InvalidRefreshTokenError) as caught:
            await refreshed(world, forged)
        assert not isinstance(caught.value, RefreshTokenReusedError)
    assert await world.is_in(signed_in)
    assert (await refreshed(world, token)).refresh_token != token
