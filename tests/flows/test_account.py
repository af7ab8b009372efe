"""What people do to their own account, and what becomes of everybody else's access to it."""

import asyncio

import pytest

from coatcheck.accounts.errors import (
    InvalidCredentialsError,
    InvalidEmailError,
    InvalidLinkError,
    PasswordRefusedError,
    TooManyAttemptsError,
)
from coatcheck.flows.errors import RecentSignInNeededError
from coatcheck.flows.model import SignedIn
from coatcheck.identity import Identity
from coatcheck.sessions.errors import InvalidSessionError
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    asynchronous,
    cookie,
)

NEW = "countess@example.com"


async def change(
    world: World, identity: Identity, current: str = PASSWORD, new: str = OTHER_PASSWORD
) -> SignedIn:
    return await world.flows.account.change_password(identity, current, new, client=HOME, device=None)


# --- the password ------------------------------------------------------------------------------------------


@asynchronous
async def test_another_password_ends_all_other_sessions_and_renews_this_one(world: World) -> None:
    here = await world.signed_up()
    browser = await world.signed_in(client=ELSEWHERE)
    tokens = await world.signed_in(credential="tokens")
    after = await change(world, await world.identity(here))
    assert not await world.is_in(here)  # ASVS 5.0, 7.2.4: the old cookie is worth nothing
    assert await world.is_in(after)
    assert not await world.is_in(browser)
    assert not await world.is_in(tokens)
    assert not await world.can_refresh(tokens)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password=PASSWORD)
    assert await world.is_in(await world.signed_in(password=OTHER_PASSWORD))


@asynchronous
async def test_the_owner_is_told_that_the_password_was_changed(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    await change(world, identity)
    assert await world.subjects() == [(ADA, "Your password for Example was changed")]


@asynchronous
async def test_a_pending_reset_link_dies_with_the_old_password(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    await world.flows.recovery.request(ADA, client=HOME)
    secret = await world.token()
    await change(world, identity)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(secret, "yet another password", client=HOME)


@asynchronous
async def test_the_current_password_is_needed_and_guesses_at_it_are_limited(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    for _ in range(world.context.throttles.account_at_address.burst):
        with pytest.raises(InvalidCredentialsError):
            await change(world, identity, current="wrong")
    with pytest.raises(TooManyAttemptsError):
        await change(world, identity)
    assert await world.is_in(signed_in)


@pytest.mark.parametrize("new", ["short", "password1234", PASSWORD])
@asynchronous
async def test_a_password_that_is_not_good_or_the_same_is_refused(world: World, new: str) -> None:
    signed_in = await world.signed_up()
    with pytest.raises(PasswordRefusedError) as caught:
        await change(world, await world.identity(signed_in), new=new)
    assert caught.value.reason in {"too_short", "common", "unchanged"}
    assert await world.is_in(signed_in)


@asynchronous
async def test_whether_the_new_password_is_the_current_one_is_told_only_to_whoever_knows_that(
    world: World,
) -> None:
    identity = await world.identity(await world.signed_up())
    with pytest.raises(InvalidCredentialsError):
        await change(world, identity, current=OTHER_PASSWORD, new=OTHER_PASSWORD)


@asynchronous
async def test_a_session_with_tokens_may_change_it_too(world: World) -> None:
    here = await world.signed_up(credential="tokens")
    after = await change(world, await world.identity(here))
    assert after.secret is None
    assert await world.is_in(after)
    assert not await world.is_in(here)
    assert await world.can_refresh(after)
    assert not await world.can_refresh(here)


@asynchronous
async def test_an_account_that_changed_while_passwords_were_hashed_is_left_as_it_is(world: World) -> None:
    first, second = await world.signed_up(), await world.signed_in()
    identities = [await world.identity(first), await world.identity(second)]
    passwords = ["the first new password", "the second new password"]
    outcomes = await asyncio.gather(
        *(change(world, identity, new=new) for identity, new in zip(identities, passwords, strict=True)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidSessionError", "SignedIn"]
    winner = next(index for index, outcome in enumerate(outcomes) if isinstance(outcome, SignedIn))
    assert await world.is_in(await world.signed_in(password=passwords[winner]))


@asynchronous
async def test_a_session_that_ended_meanwhile_changes_nothing(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    await world.post()
    world.hasher.meanwhile = lambda: world.flows.ending.sign_out(identity)
    with pytest.raises(InvalidSessionError):
        await change(world, identity)
    assert await world.post() == []
    assert await world.is_in(await world.signed_in(password=PASSWORD))


# --- the address -------------------------------------------------------------------------------------------


async def asked(world: World, identity: Identity, email: str = NEW) -> str:
    await world.post()
    await world.flows.account.request_email_change(identity, email, client=HOME)
    return await world.token()


@asynchronous
async def test_another_address_is_confirmed_by_its_link_and_the_old_one_is_told(world: World) -> None:
    here, other = await world.signed_up(), await world.signed_in()
    identity = await world.identity(here)
    secret = await asked(world, identity)
    assert (await world.identity(here)).email == ADA  # nothing happens before the link is used
    assert await world.flows.account.look_email_change(secret) == NEW
    await world.flows.account.confirm_email_change(identity, secret, client=HOME)
    assert (await world.identity(here)).email == NEW
    assert not await world.is_in(other)
    assert await world.subjects() == [(ADA, "Your address at Example was changed")]
    assert await world.is_in(await world.signed_in(NEW))
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(ADA)


@asynchronous
async def test_whether_an_address_is_taken_is_told_to_its_owner_only(world: World) -> None:
    await world.signed_up(EVE)
    identity = await world.identity(await world.signed_up(ADA))
    await world.post()
    await world.flows.account.request_email_change(identity, EVE, client=HOME)
    await world.flows.account.request_email_change(identity, NEW, client=HOME)
    assert await world.subjects() == [
        (NEW, "Confirm your new address for Example"),
        (EVE, "You already have an account at Example"),
    ]


@asynchronous
async def test_the_spelling_of_ones_own_address_may_be_changed(world: World) -> None:
    here = await world.signed_up()
    identity = await world.identity(here)
    secret = await asked(world, identity, "Ada@example.com")
    await world.flows.account.confirm_email_change(identity, secret, client=HOME)
    assert (await world.identity(here)).email == "Ada@example.com"


@asynchronous
async def test_the_link_of_another_account_is_no_use(world: World) -> None:
    ada = await world.identity(await world.signed_up(ADA))
    eve = await world.identity(await world.signed_up(EVE))
    secret = await asked(world, ada)
    with pytest.raises(InvalidLinkError):
        await world.flows.account.confirm_email_change(eve, secret, client=HOME)
    await world.flows.account.confirm_email_change(ada, secret, client=HOME)


@asynchronous
async def test_of_two_accounts_that_want_the_same_address_the_first_gets_it(world: World) -> None:
    identities = [await world.identity(await world.signed_up(email)) for email in (ADA, EVE)]
    secrets = [await asked(world, identity) for identity in identities]
    outcomes = await asyncio.gather(
        *(
            world.flows.account.confirm_email_change(identity, secret, client=HOME)
            for identity, secret in zip(identities, secrets, strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(map(repr, map(type, outcomes))) == sorted(map(repr, [type(None), InvalidLinkError]))


@asynchronous
async def test_an_address_link_works_once_and_for_an_hour(world: World) -> None:
    here = await world.signed_up()
    identity = await world.identity(here)
    used, expired = await asked(world, identity), await asked(world, identity, "other@example.com")
    await world.flows.account.confirm_email_change(identity, used, client=HOME)
    identity = await world.identity(here)
    for secret in (used, expired):  # using one kills the others
        with pytest.raises(InvalidLinkError):
            await world.flows.account.confirm_email_change(identity, secret, client=HOME)
    late = await asked(world, identity, "late@example.com")
    world.clock.advance(3600)
    with pytest.raises(InvalidLinkError):
        await world.flows.account.look_email_change(late)
    with pytest.raises(InvalidLinkError):
        await world.flows.account.confirm_email_change(identity, late, client=HOME)


@asynchronous
async def test_asvs_7_5_1_a_change_of_address_needs_a_recent_sign_in_and_an_address(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    with pytest.raises(InvalidEmailError):
        await world.flows.account.request_email_change(identity, "ada", client=HOME)
    world.clock.advance(301)
    with pytest.raises(RecentSignInNeededError):
        await world.flows.account.request_email_change(identity, NEW, client=HOME)


@asynchronous
async def test_mail_to_a_new_address_is_limited(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    for _ in range(world.context.throttles.sign_up_mailbox_at_address.burst):
        await world.flows.account.request_email_change(identity, NEW, client=HOME)
    with pytest.raises(TooManyAttemptsError):
        await world.flows.account.request_email_change(identity, NEW, client=HOME)


# --- the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["deactivate", "delete"])
@asynchronous
async def test_asvs_7_4_2_the_end_of_an_account_ends_every_access_at_once(world: World, end: str) -> None:
    here = await world.signed_up()
    others = [await world.signed_in(), await world.signed_in(credential="tokens")]
    identity = await world.identity(here)
    assert [await world.is_in(each) for each in others] == [True, True]
    secret = await asked(world, identity)
    await getattr(world.flows.account, end)(identity)
    assert [await world.is_in(each) for each in (here, *others)] == [False, False, False]
    assert not await world.can_refresh(others[1])
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()
    with pytest.raises(InvalidLinkError):
        await world.flows.account.look_email_change(secret)


@asynchronous
async def test_a_deleted_address_may_sign_up_again_as_somebody_else(world: World) -> None:
    before = await world.signed_up()
    await world.flows.account.delete(await world.identity(before))
    after = await world.signed_up()
    assert after.user.id != before.user.id
    assert not await world.is_in(before)


@asynchronous
async def test_asvs_7_5_3_the_end_of_an_account_needs_a_recent_sign_in(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    world.clock.advance(301)
    for end in (world.flows.account.deactivate, world.flows.account.delete):
        with pytest.raises(RecentSignInNeededError):
            await end(identity)
    assert await world.is_in(signed_in)


@asynchronous
async def test_an_identity_of_a_user_who_is_gone_or_disabled_can_do_nothing(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    account = world.flows.account
    secret = await asked(world, identity)
    await world.flows.administration.disable(ADA)
    for _ in range(2):
        with pytest.raises(InvalidSessionError):
            await change(world, identity)
        with pytest.raises(InvalidSessionError):
            await account.request_email_change(identity, "other@example.com", client=HOME)
        with pytest.raises(InvalidSessionError):
            await account.deactivate(identity)
        with pytest.raises(InvalidLinkError):
            await account.confirm_email_change(identity, secret, client=HOME)
        await account.delete(identity)


@asynchronous
async def test_a_change_that_fails_queues_no_mail_and_ends_no_session(world: World) -> None:
    here, other = await world.signed_up(), await world.signed_in()
    identity = await world.identity(here)
    secret = await asked(world, identity)

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("the mail cannot be written")

    compose, world.outbox.compose = world.outbox.compose, broken  # type: ignore[method-assign, assignment]
    with pytest.raises(RuntimeError):
        await change(world, identity)
    with pytest.raises(RuntimeError):
        await world.flows.account.confirm_email_change(identity, secret, client=HOME)
    world.outbox.compose = compose  # type: ignore[method-assign]
    assert await world.post() == []
    assert [await world.is_in(each) for each in (here, other)] == [True, True]
    assert cookie(here) != cookie(other)
    assert await world.is_in(await world.signed_in(password=PASSWORD))
    assert await world.flows.account.look_email_change(secret) == NEW
