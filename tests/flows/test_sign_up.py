"""Signing up tells nobody who has an account, and gives nobody the account of another."""

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
from coatcheck.flows.errors import SignUpClosedError
from coatcheck.flows.model import SignedIn
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


async def asked(world: World, email: str = ADA, password: str = PASSWORD) -> tuple[str, str]:
    """Ask for an account; return the binding and the secret that was mailed."""
    await world.post()
    binding = await world.flows.sign_up.request(email, password, client=HOME)
    return binding, await world.token()


@asynchronous
async def test_a_link_opened_in_the_browser_that_asked_makes_the_account_and_signs_in(world: World) -> None:
    binding, secret = await asked(world)
    pending = await world.flows.sign_up.look(secret, binding=binding)
    assert (pending.email, pending.needs_password) == (ADA, False)
    signed_in = await world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
    assert (await world.identity(signed_in)).email == ADA
    assert signed_in.user.created_at == world.clock.now
    assert signed_in.tokens is None


@asynchronous
async def test_tokens_are_given_where_they_are_asked_for(world: World) -> None:
    signed_in = await world.signed_up(credential="tokens")
    assert signed_in.secret is None
    assert signed_in.tokens is not None
    assert signed_in.tokens.token_type == "Bearer"
    assert signed_in.tokens.expires_in == 300
    assert (await world.identity(signed_in)).via == "bearer"
    assert await world.can_refresh(signed_in)


@asynchronous
async def test_in_another_browser_the_chosen_password_opens_it(world: World) -> None:
    _, secret = await asked(world)
    assert (await world.flows.sign_up.look(secret, binding=None)).needs_password
    assert (await world.flows.sign_up.look(secret, binding="another")).needs_password
    await world.flows.sign_up.confirm(secret, binding=None, password=PASSWORD, request=asks())
    assert await world.is_in(await world.signed_in())


@pytest.mark.parametrize("password", [None, "", OTHER_PASSWORD])
@pytest.mark.parametrize("binding", [None, "", "another"])
@asynchronous
async def test_a_victim_who_clicks_on_what_an_attacker_asked_for_gives_them_nothing(
    sqlite_world: World, binding: str | None, password: str | None
) -> None:
    world = sqlite_world
    _, secret = await asked(world)
    with pytest.raises(InvalidCredentialsError):
        await world.flows.sign_up.confirm(secret, binding=binding, password=password, request=asks())
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in()
    assert await world.storage.records.find_user_by_email(ADA) is None


@asynchronous
async def test_of_several_pending_sign_ups_the_confirmed_one_counts_and_the_others_are_dead(
    world: World,
) -> None:
    attackers_binding, attackers_secret = await asked(world, password=OTHER_PASSWORD)
    binding, secret = await asked(world, password=PASSWORD)
    # The owner clicks on the wrong mail in the right browser, and is asked for a password that they do not know.
    with pytest.raises(InvalidCredentialsError):
        await world.flows.sign_up.confirm(
            attackers_secret, binding=binding, password=PASSWORD, request=asks()
        )
    await world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.confirm(
            attackers_secret, binding=attackers_binding, password=OTHER_PASSWORD, request=asks()
        )
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.look(attackers_secret, binding=attackers_binding)
    assert await world.is_in(await world.signed_in(password=PASSWORD))
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password=OTHER_PASSWORD)
    # Nor does it come back to life when the address is free again.
    await world.flows.administration.delete(ADA)
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.confirm(
            attackers_secret, binding=attackers_binding, password=OTHER_PASSWORD, request=asks()
        )


@asynchronous
async def test_the_session_of_a_sign_up_is_for_all_that_the_user_will_be_allowed(world: World) -> None:
    binding, secret = await asked(world)
    signed_in = await world.flows.sign_up.confirm(
        secret, binding=binding, password=None, request=asks(scope="whatever")
    )
    await world.flows.administration.set_scopes(ADA, ["read"])
    assert (await world.identity(signed_in)).scopes == {"read"}


@asynchronous
async def test_a_taken_and_a_free_address_look_and_cost_the_same(world: World) -> None:
    await world.signed_up(ADA)
    await world.post()
    outcomes = []
    for email in (ADA, EVE):
        world.hasher.hashed = world.hasher.verified = 0
        binding = await world.flows.sign_up.request(email, PASSWORD, client=HOME)
        letters = await world.post()
        outcomes.append(
            (
                type(binding),
                len(binding),
                world.hasher.hashed,
                world.hasher.verified,
                [letter.to == email for letter in letters],
            )
        )
    assert outcomes[0] == outcomes[1] == (str, 43, 1, 0, [True])


@asynchronous
async def test_the_owner_of_a_taken_address_is_told_by_mail_and_gets_no_link_to_confirm(world: World) -> None:
    signed_in = await world.signed_up()
    await world.flows.sign_up.request("ADA@example.com", OTHER_PASSWORD, client=ELSEWHERE)
    (letter,) = await world.post()
    assert letter.subject == "You already have an account at Example"
    assert all("token=" not in link for link in letter.links)
    assert await world.is_in(signed_in)
    with pytest.raises(InvalidCredentialsError):
        await world.signed_in(password=OTHER_PASSWORD)


@asynchronous
async def test_a_link_works_once(world: World) -> None:
    binding, secret = await asked(world)
    await world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
    for attempt in (
        world.flows.sign_up.look(secret, binding=binding),
        world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks()),
    ):
        with pytest.raises(InvalidLinkError):
            await attempt


@asynchronous
async def test_of_many_who_use_a_link_at_once_one_wins(world: World) -> None:
    binding, secret = await asked(world)
    outcomes = await asyncio.gather(
        *(
            world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
            for _ in range(20)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidLinkError) for outcome in outcomes) == 19


@asynchronous
async def test_of_two_links_to_one_address_confirmed_at_once_one_makes_the_account(world: World) -> None:
    pairs = [await asked(world), await asked(world)]
    outcomes = await asyncio.gather(
        *(
            world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
            for binding, secret in pairs
        ),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvalidLinkError", "SignedIn"]


@asynchronous
async def test_a_link_works_until_its_time_and_no_moment_longer(world: World) -> None:
    world.allow(sign_up_link=timedelta(hours=1))
    binding, secret = await asked(world)
    world.clock.advance(3600 - 0.001)
    assert (await world.flows.sign_up.look(secret, binding=binding)).email == ADA
    world.clock.advance(0.001)
    for attempt in (
        world.flows.sign_up.look(secret, binding=binding),
        world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks()),
    ):
        with pytest.raises(InvalidLinkError):
            await attempt


@asynchronous
async def test_an_address_that_got_an_account_meanwhile_has_no_use_for_the_link(world: World) -> None:
    binding, secret = await asked(world)
    await world.flows.administration.add_user(ADA)
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "é" * 43, "A" * 43, "A" * 100_000])
@asynchronous
async def test_what_is_no_link_is_refused_as_one(world: World, secret: str) -> None:
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.look(secret, binding=None)
    with pytest.raises(InvalidLinkError):
        await world.flows.sign_up.confirm(secret, binding="\ud800", password=PASSWORD, request=asks())


@asynchronous
async def test_guesses_at_the_password_of_a_pending_sign_up_are_limited(world: World) -> None:
    _, secret = await asked(world)
    for _ in range(world.context.throttles.account_at_address.burst):
        with pytest.raises(InvalidCredentialsError):
            await world.flows.sign_up.confirm(secret, binding=None, password="wrong", request=asks())
    with pytest.raises(TooManyAttemptsError) as caught:
        await world.flows.sign_up.confirm(secret, binding=None, password=PASSWORD, request=asks())
    assert caught.value.retry_after > 0


@asynchronous
async def test_mail_to_one_address_is_limited_the_same_for_a_taken_and_a_free_one(world: World) -> None:
    await world.flows.administration.add_user(ADA)
    counts = []
    for email in (ADA, EVE):
        await world.post()
        for count in range(100):  # noqa: B007 - it is what is counted
            try:
                await world.flows.sign_up.request(email, PASSWORD, client=HOME)
            except TooManyAttemptsError:
                break
        counts.append((count, len(await world.post())))
    assert counts[0] == counts[1]
    assert counts[0][0] == counts[0][1] == world.context.throttles.sign_up_mailbox_at_address.burst


@asynchronous
async def test_nobody_signs_up_where_it_is_closed(world: World) -> None:
    world.allow(sign_up_open=False)
    with pytest.raises(SignUpClosedError):
        await world.flows.sign_up.request(ADA, PASSWORD, client=HOME)
    assert await world.post() == []


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@example.com\r\nBcc: eve@example.com"])
@asynchronous
async def test_what_is_no_address_is_refused(world: World, email: str) -> None:
    with pytest.raises(InvalidEmailError):
        await world.flows.sign_up.request(email, PASSWORD, client=HOME)


@pytest.mark.parametrize("password", ["short", "password1234", "ada@example.com", "a" * 257])
@asynchronous
async def test_what_is_no_good_password_is_refused_and_costs_no_hash(world: World, password: str) -> None:
    with pytest.raises(PasswordRefusedError):
        await world.flows.sign_up.request(ADA, password, client=HOME)
    assert world.hasher.hashed == 0
    assert await world.post() == []


@asynchronous
async def test_the_session_that_the_browser_had_before_ends(world: World) -> None:
    before = await world.signed_up(EVE)
    binding, secret = await asked(world)
    await world.flows.sign_up.confirm(
        secret, binding=binding, password=None, request=asks(replaces=before.secret)
    )
    assert not await world.is_in(before)
