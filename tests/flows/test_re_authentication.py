"""Proving once more who one is gives the session another secret, and a recent sign-in."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coatcheck.accounts.errors import InvalidCredentialsError, TooManyAttemptsError
from coatcheck.flows.errors import RecentSignInNeededError
from coatcheck.flows.model import SignedIn
from coatcheck.flows.opening import Credential, Request, renew_session
from coatcheck.flows.ports import Records
from coatcheck.flows.recency import require_recent
from coatcheck.identity import Client, Identity
from coatcheck.sessions.errors import InvalidSessionError
from coatcheck.sessions.policy import NIST_AAL2, SessionPolicy
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    asynchronous,
    cookie,
)


async def again(world: World, identity: Identity, password: str = PASSWORD) -> SignedIn:
    return await world.flows.re_authentication.with_password(identity, password, client=HOME, device=None)


@asynchronous
async def test_asvs_7_2_4_the_session_gets_another_secret_and_the_old_one_is_worth_nothing(
    world: World,
) -> None:
    before = await world.signed_up()
    after = await again(world, await world.identity(before))
    assert cookie(after) != cookie(before)
    assert after.session.id == before.session.id
    assert not await world.is_in(before)
    assert await world.is_in(after)


@asynchronous
async def test_the_sign_in_is_recent_again_and_the_limits_begin_anew(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=NIST_AAL2)))
    before = await world.signed_up()
    world.clock.advance(3000)
    identity = await world.identity(before)
    with pytest.raises(RecentSignInNeededError) as caught:
        require_recent(world.context, identity)
    assert caught.value.max_age == 300
    after = await again(world, identity)
    require_recent(world.context, await world.identity(after))
    assert after.session.created_at == before.session.created_at
    assert after.session.expires_at == world.clock.now + 24 * 3600
    assert after.session.last_seen_at == world.clock.now


@asynchronous
async def test_a_session_with_tokens_gets_others_and_the_access_token_counts_as_recent_at_once(
    world: World,
) -> None:
    signed_in = await world.signed_up(credential="tokens")
    world.clock.advance(299)
    after = await again(world, await world.identity(signed_in))
    assert after.secret is None
    assert after.tokens is not None
    identity = await world.identity(after)
    assert identity.authenticated_at.timestamp() == world.clock.now
    assert not await world.is_in(signed_in)  # it would go on telling of the earlier proof
    assert await world.can_refresh(after)


@asynchronous
async def test_the_refresh_token_of_before_is_worth_nothing_after_a_re_authentication(world: World) -> None:
    signed_in = await world.signed_up(credential="tokens")
    await again(world, await world.identity(signed_in))
    assert not await world.can_refresh(signed_in)


@pytest.mark.parametrize("credential", ["cookie", "tokens"])
@asynchronous
async def test_lockout_strangers_who_guess_at_an_account_do_not_keep_out_whoever_is_signed_in(
    world: World, credential: Credential
) -> None:
    signed_in = await world.signed_up(credential=credential)
    for number in range(200):
        stranger = Client(address=f"198.51.{number}.7")
        with contextlib.suppress(InvalidCredentialsError, TooManyAttemptsError):
            await world.flows.sign_in.with_password(
                ADA, "a wrong password", request=Request(client=stranger, credential="tokens")
            )
    await again(world, await world.identity(signed_in))


@asynchronous
async def test_what_an_application_attached_stays(world: World) -> None:
    before = await world.signed_up()
    await world.flows.session_data.replace(await world.identity(before), {"cart": [1]})
    after = await again(world, await world.identity(before))
    assert await world.flows.session_data.read(await world.identity(after)) == {"cart": (1,)}


@asynchronous
async def test_a_wrong_password_is_refused_changes_nothing_and_is_counted(world: World) -> None:
    before = await world.signed_up()
    identity = await world.identity(before)
    for _ in range(world.context.throttles.account_at_address.burst):
        with pytest.raises(InvalidCredentialsError):
            await again(world, identity, "wrong")
    with pytest.raises(TooManyAttemptsError):
        await again(world, identity)
    assert await world.is_in(before)


@asynchronous
async def test_success_lifts_the_limits(world: World) -> None:
    signed_in = await world.signed_up()
    for _ in range(3):
        for _ in range(world.context.throttles.account_at_address.burst - 1):
            with pytest.raises(InvalidCredentialsError):
                await again(world, await world.identity(signed_in), "wrong")
        signed_in = await again(world, await world.identity(signed_in))
    assert await world.is_in(signed_in)


@asynchronous
async def test_a_session_that_ended_or_expired_meanwhile_is_not_brought_back(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    world.hasher.meanwhile = lambda: world.flows.ending.sign_out(identity)
    with pytest.raises(InvalidSessionError):
        await again(world, identity)
    assert await world.flows.administration.list_sessions(ADA) == []
    other = await world.signed_in()
    identity = await world.identity(other)
    world.clock.advance(timedelta(days=31).total_seconds())
    with pytest.raises(InvalidSessionError):
        await again(world, identity)


@asynchronous
async def test_a_user_who_is_gone_or_disabled_is_refused(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    await world.flows.administration.disable(ADA)
    with pytest.raises(InvalidCredentialsError):
        await again(world, identity)
    await world.flows.administration.delete(ADA)
    with pytest.raises(InvalidSessionError):
        await again(world, identity)


@asynchronous
async def test_a_password_that_was_changed_while_it_was_checked_is_refused(world: World) -> None:
    first = await world.signed_up()
    second = await world.signed_in()
    identity = await world.identity(first)
    other = await world.identity(second)
    world.hasher.meanwhile = lambda: world.flows.account.change_password(
        other, PASSWORD, OTHER_PASSWORD, client=ELSEWHERE, device=None
    )
    with pytest.raises(InvalidCredentialsError):
        await again(world, identity)


@asynchronous
async def test_a_session_that_another_renews_between_reading_and_writing_is_left_to_the_other(
    world: World,
) -> None:
    signed_in = await world.signed_up()

    class Slower:
        """Records of a storage whose transactions are not serial."""

        def __init__(self, records: Records) -> None:
            self.find_session = records.find_session

        async def renew_session(self, *_: object, **__: object) -> bool:
            return False

    slower: Records = Slower(world.storage.records)  # type: ignore[assignment]  # the two methods that are asked
    with pytest.raises(InvalidSessionError):
        await renew_session(
            world.context, slower, signed_in.user, session_id=signed_in.session.id, client=HOME
        )


@pytest.mark.parametrize(
    "age, max_age, recent",
    [
        (0.0, None, True),
        (300.0, None, True),
        (300.001, None, False),
        (0.0, timedelta(0), True),
        (0.001, timedelta(0), False),
        (60.0, timedelta(minutes=1), True),
        (61.0, timedelta(minutes=1), False),
        (3600.0, timedelta(hours=1), True),
    ],
)
def test_a_sign_in_is_recent_up_to_the_limit_that_is_asked_for(
    world: World, age: float, max_age: timedelta | None, *, recent: bool
) -> None:
    world.clock.now = 1_800_000_000.0
    identity = Identity(
        id="u",
        email=ADA,
        scopes=frozenset(),
        session_id="s",
        authenticated_at=datetime.fromtimestamp(world.clock.now, UTC),
        methods=("pwd",),
        via="cookie",
    )
    world.clock.advance(age)
    if recent:
        require_recent(world.context, identity, max_age)
        return
    with pytest.raises(RecentSignInNeededError) as caught:
        require_recent(world.context, identity, max_age)
    assert caught.value.max_age == (300 if max_age is None else max_age.total_seconds())
