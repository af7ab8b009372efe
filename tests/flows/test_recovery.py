"""A new password by a one-use link: for the owner of the address, and nobody learns whether there is one."""

import asyncio
from datetime import timedelta

import pytest

from coatcheck.accounts.errors import (
    InvalidCredentialsError,
    InvalidEmailError,
    InvalidLinkError,
    PasswordRefusedError,
    TooManyAttemptsError,
)
from coatcheck.flows.devices import is_known
from coatcheck.identity import Client
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    asks,
    asynchronous,
)


async def asked(world: World, email: str = ADA) -> str:
    await world.post()
    await world.flows.recovery.request(email, client=HOME)
    return await world.token()


@asynchronous
async def test_the_link_sets_a_new_password(world: World) -> None:
    await world.signed_up()
    secret = await asked(world)
    assert await world.flows.recovery.look(secret) == ADA
    await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password=PASSWORD)
    assert await world.is_in(await world.signed_in(password=OTHER_PASSWORD))


@asynchronous
async def test_all_sessions_end_and_the_owner_is_told(world: World) -> None:
    browser = await world.signed_up()
    tokens = await world.signed_in(credential="tokens")
    secret = await asked(world)
    await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)
    assert not await world.is_in(browser)
    assert not await world.is_in(tokens)
    assert not await world.can_refresh(tokens)
    assert await world.subjects() == [(ADA, "Your password for Example was changed")]


@asynchronous
async def test_all_links_of_the_account_die_with_the_one_that_was_used(world: World) -> None:
    owner = await world.signed_up()
    identity = await world.identity(owner)
    first, second = await asked(world), await asked(world)
    await world.flows.account.request_email_change(identity, EVE, client=HOME)
    change = await world.token()
    await world.flows.recovery.reset(first, OTHER_PASSWORD, client=HOME)
    for secret in (first, second):
        with pytest.raises(InvalidLinkError):
            await world.flows.recovery.look(secret)
        with pytest.raises(InvalidLinkError):
            await world.flows.recovery.reset(secret, PASSWORD, client=HOME)
    with pytest.raises(InvalidLinkError):
        await world.flows.account.look_email_change(change)


@asynchronous
async def test_of_many_who_use_a_link_at_once_one_wins(world: World) -> None:
    await world.signed_up()
    secret = await asked(world)
    passwords = [f"a rather long password {number}" for number in range(12)]
    outcomes = await asyncio.gather(
        *(world.flows.recovery.reset(secret, password, client=HOME) for password in passwords),
        return_exceptions=True,
    )
    winners = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, str)]
    assert len(winners) == 1
    assert sum(isinstance(outcome, InvalidLinkError) for outcome in outcomes) == 11
    assert await world.is_in(await world.signed_in(password=passwords[winners[0]]))


@asynchronous
async def test_asvs_6_5_5_the_link_works_for_ten_minutes(world: World) -> None:
    await world.signed_up()
    secret = await asked(world)
    world.clock.advance(600 - 0.001)
    await world.flows.recovery.look(secret)
    world.clock.advance(0.001)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.look(secret)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)


@asynchronous
async def test_a_link_that_expires_while_the_password_is_hashed_does_not_work(world: World) -> None:
    await world.signed_up()
    secret = await asked(world)
    world.clock.advance(599)
    check = world.context.hasher.hash

    async def slow(password: str) -> str:
        world.clock.advance(2)
        return await check(password)

    world.hasher.hash = slow  # type: ignore[method-assign]
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)


@asynchronous
async def test_a_known_and_an_unknown_address_cost_the_same_and_only_one_gets_mail(world: World) -> None:
    await world.signed_up()
    await world.post()
    composed: list[str] = []
    compose = world.outbox.compose

    def counting(message: object, *, now: float) -> object:
        composed.append(type(message).__name__)
        return compose(message, now=now)  # type: ignore[arg-type]

    world.outbox.compose = counting  # type: ignore[method-assign, assignment]
    mailed = []
    for email in (ADA, "nobody@example.com"):
        await world.flows.recovery.request(email, client=HOME)
        mailed.append(len(await world.post()))
    assert composed == ["ResetPassword", "ResetPassword"]
    assert mailed == [1, 0]
    assert world.hasher.verified == 0


@asynchronous
async def test_a_disabled_account_gets_no_link_and_one_from_before_does_not_work(world: World) -> None:
    await world.signed_up()
    before = await asked(world)
    records = world.storage.records
    user = await records.find_user_by_email(ADA)
    assert user is not None
    await world.flows.administration.disable(ADA)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(before, OTHER_PASSWORD, client=HOME)
    await world.flows.recovery.request(ADA, client=HOME)
    assert await world.post() == []
    await world.flows.administration.start_reset(ADA)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(await world.token(), OTHER_PASSWORD, client=HOME)


@asynchronous
async def test_a_link_of_another_purpose_is_no_reset_link(world: World) -> None:
    owner = await world.signed_up()
    await world.post()
    binding = await world.flows.sign_up.request(EVE, PASSWORD, client=HOME)
    sign_up = await world.token()
    await world.flows.account.request_email_change(
        await world.identity(owner), "new@example.com", client=HOME
    )
    change = await world.token()
    reset = await asked(world)
    for secret in (sign_up, change):
        with pytest.raises(InvalidLinkError):
            await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)
    for secret in (reset, change):
        with pytest.raises(InvalidLinkError):
            await world.flows.sign_up.confirm(secret, binding=binding, password=PASSWORD, request=asks())
    for secret in (reset, sign_up):
        with pytest.raises(InvalidLinkError):
            await world.flows.account.confirm_email_change(await world.identity(owner), secret, client=HOME)
    assert await world.flows.recovery.look(reset) == ADA  # none was used up by being tried elsewhere
    assert await world.flows.account.look_email_change(change) == "new@example.com"


@asynchronous
async def test_a_link_that_went_to_an_address_that_is_no_longer_the_accounts_does_not_work(
    world: World,
) -> None:
    await world.signed_up()
    secret = await asked(world)
    async with world.storage.transaction() as records:
        user = await records.find_user_by_email(ADA)
        assert user is not None
        fields = {name: getattr(user, name) for name in user.__struct_fields__}
        await records.replace_user(type(user)(**fields | {"email": EVE, "email_key": EVE}), expected=user)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)


@asynchronous
async def test_a_refused_password_leaves_the_link_good(world: World) -> None:
    await world.signed_up()
    secret = await asked(world)
    with pytest.raises(PasswordRefusedError):
        await world.flows.recovery.reset(secret, "short", client=HOME)
    await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=HOME)


@asynchronous
async def test_an_owner_who_is_locked_out_everywhere_gets_back_in_through_the_link(world: World) -> None:
    await world.signed_up()
    for number in range(world.context.throttles.account.burst):
        with pytest.raises(InvalidCredentialsError):
            await world.signed_in(password="wrong", client=Client(address=f"203.0.113.{number}"))
    with pytest.raises(TooManyAttemptsError):
        await world.signed_in(client=ELSEWHERE)
    secret = await asked(world)
    device = await world.flows.recovery.reset(secret, OTHER_PASSWORD, client=ELSEWHERE)
    stranger = Client(address="203.0.113.250")
    with pytest.raises(InvalidCredentialsError):  # the limits were lifted, for all devices
        await world.signed_in(password="wrong", client=stranger)
    signed_in = await world.signed_in(password=OTHER_PASSWORD, client=ELSEWHERE, device=device)
    assert is_known(world.sealer, device, signed_in.user.id)


@asynchronous
async def test_mail_to_one_address_is_limited_the_same_whether_or_not_it_has_an_account(world: World) -> None:
    await world.signed_up()
    counts = []
    for email in (ADA, "nobody@example.com"):
        for count in range(100):  # noqa: B007 - it is what is counted
            try:
                await world.flows.recovery.request(email, client=HOME)
            except TooManyAttemptsError:
                break
        counts.append(count)
    assert counts[0] == counts[1] == world.context.throttles.reset_mailbox_at_address.burst


@asynchronous
async def test_what_is_no_address_is_refused(world: World) -> None:
    with pytest.raises(InvalidEmailError):
        await world.flows.recovery.request("ada", client=HOME)


@asynchronous
async def test_the_links_lifetime_is_what_the_policy_says(world: World) -> None:
    await world.signed_up()
    world.allow(reset_link=timedelta(minutes=2))
    secret = await asked(world)
    world.clock.advance(121)
    with pytest.raises(InvalidLinkError):
        await world.flows.recovery.look(secret)
