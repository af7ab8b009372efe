"""What services are told of credentials, and what they are not."""

from datetime import timedelta

import pytest
from msgspec import to_builtins

from coatcheck._core.secrets import digest
from coatcheck.flows.introspection import INACTIVE, TokenState, is_told_of
from coatcheck.flows.model import Service
from coatcheck.sessions.policy import RefreshPolicy, SessionPolicy
from tests.flows.world import (
    ADA,
    EVE,
    HOME,
    ISSUER,
    NOW,
    Tunables,
    World,
    access_token,
    asynchronous,
    cookie,
    refresh_token,
)

FOREIGN = "https://other.example"


async def ask(world: World, token: str, audience: str | None = None) -> TokenState:
    service = Service(id="s", name="api", audience=audience, digest=b"", created_at=NOW)
    return await world.flows.introspection.introspect(token, service=service)


@asynchronous
async def test_of_an_access_token_its_claims_are_told(world: World) -> None:
    signed_in = await world.signed_up(credential="tokens")
    await world.flows.administration.set_scopes(ADA, frozenset({"write", "read"}))
    signed_in = await world.signed_in(credential="tokens")
    claims, _ = await world.context.access_tokens.verify(access_token(signed_in))
    for audience in (None, ISSUER):
        told = await ask(world, access_token(signed_in), audience)
        assert to_builtins(told) == {
            "active": True,
            "token_type": "Bearer",
            "sub": signed_in.user.id,
            "sid": signed_in.session.id,
            "client_id": "first-party",
            "scope": "read write",
            "exp": claims.exp,
            "iat": claims.iat,
            "iss": ISSUER,
            "aud": ISSUER,
            "jti": claims.jti,
            "auth_time": int(NOW),
            "amr": ("pwd",),
            "acr": "aal1",
        }


@asynchronous
async def test_of_a_session_is_told_what_its_user_may_do_now_and_how_long_that_may_be_kept(
    world: World,
) -> None:
    signed_in = await world.signed_up()
    world.clock.advance(10.5)
    told = await ask(world, cookie(signed_in))
    session = signed_in.session
    assert to_builtins(told) == {
        "active": True,
        "token_type": "session",
        "sub": signed_in.user.id,
        "sid": session.id,
        "scope": "",
        "exp": session.ends_at,
        "iat": NOW + 10.5,  # with its fraction: cut-offs are compared with it
        "auth_time": int(NOW),
        "amr": ("pwd",),
        "acr": "aal1",
        "cache_until": NOW + 10.5 + world.context.access_tokens.lifetime,
    }


@asynchronous
async def test_asking_about_a_session_is_using_it(world: World) -> None:
    signed_in = await world.signed_up()
    interval = world.context.sessions.profile.touch_interval.total_seconds()
    world.clock.advance(interval - 10)
    told = await ask(world, cookie(signed_in))
    assert (told.exp, told.cache_until) == (signed_in.session.ends_at, NOW + interval)
    world.clock.advance(20)
    for _ in range(2):
        told = await ask(world, cookie(signed_in))
        assert told.exp == signed_in.session.ends_at + interval + 10
        assert told.cache_until == world.clock.now + world.context.access_tokens.lifetime
    found = await world.storage.records.find_session(signed_in.session.id)
    assert found is not None
    assert found.last_seen_at == world.clock.now


@asynchronous
async def test_nobody_is_told_to_keep_an_answer_beyond_the_end_of_the_session(world: World) -> None:
    signed_in = await world.signed_up()
    lifetime = world.context.sessions.profile.lifetime.total_seconds()
    idle = world.context.sessions.profile.idle_timeout.total_seconds()
    while world.clock.now < NOW + lifetime - idle / 2:
        world.clock.advance(idle / 2)
        assert (await ask(world, cookie(signed_in))).active
    world.clock.now = signed_in.session.expires_at - 1
    told = await ask(world, cookie(signed_in))
    assert told.cache_until == told.exp == signed_in.session.expires_at
    world.clock.advance(1)
    assert await ask(world, cookie(signed_in)) == INACTIVE


@asynchronous
async def test_of_a_refresh_token_is_told_whose_it_is_and_asking_uses_nothing_up(world: World) -> None:
    signed_in = await world.signed_up(credential="tokens")
    for _ in range(3):
        told = await ask(world, refresh_token(signed_in))
        assert to_builtins(told) == {
            "active": True,
            "sub": signed_in.user.id,
            "sid": signed_in.session.id,
            "client_id": "first-party",
            "exp": NOW + RefreshPolicy().idle_timeout.total_seconds(),
        }
    following = await world.flows.tokens.refresh(refresh_token(signed_in), client=HOME)
    for _ in range(3):  # a used one, which nobody but a thief would present once more, ends nothing here
        assert await ask(world, refresh_token(signed_in)) == INACTIVE
    world.clock.advance(60)
    assert await ask(world, refresh_token(signed_in)) == INACTIVE
    assert (await ask(world, following.refresh_token)).active


@asynchronous
async def test_a_refresh_token_ends_by_time(world: World) -> None:
    world.tune(Tunables(refresh=RefreshPolicy(idle_timeout=timedelta(hours=1))))
    signed_in = await world.signed_up(credential="tokens")
    world.clock.advance(3599)
    assert (await ask(world, refresh_token(signed_in))).active
    world.clock.advance(1)
    assert await ask(world, refresh_token(signed_in)) == INACTIVE


@asynchronous
async def test_what_has_ended_is_inactive_at_once(world: World) -> None:
    tokens, browser = await world.signed_up(credential="tokens"), await world.signed_in()
    credentials = [access_token(tokens), refresh_token(tokens), cookie(browser)]
    assert [(await ask(world, each)).active for each in credentials] == [True] * 3
    await world.flows.ending.sign_out(await world.identity(browser))
    assert [(await ask(world, each)).active for each in credentials] == [True, True, False]
    await world.flows.administration.disable(ADA)
    assert [await ask(world, each) for each in credentials] == [INACTIVE] * 3


@asynchronous
async def test_a_token_ends_by_time_and_by_its_own_revocation(world: World) -> None:
    await world.signed_up()
    revoked, lives = [await world.signed_in(credential="tokens") for _ in range(2)]
    await world.flows.revoking.token(access_token(revoked), actor="administrator")
    assert await ask(world, access_token(revoked)) == INACTIVE
    assert (await ask(world, access_token(lives))).active
    world.clock.advance(300)
    assert await ask(world, access_token(lives)) == INACTIVE


@asynchronous
async def test_a_change_of_what_the_user_may_do_shows_in_the_next_answer(world: World) -> None:
    await world.signed_up()
    await world.flows.administration.set_scopes(ADA, frozenset({"read", "write"}))
    signed_in = await world.signed_in()
    assert (await ask(world, cookie(signed_in))).scope == "read write"
    await world.flows.administration.set_scopes(ADA, frozenset({"read"}))
    assert (await ask(world, cookie(signed_in))).scope == "read"


@asynchronous
async def test_a_service_learns_nothing_of_what_is_for_another_and_leaves_no_trace_by_asking(
    world: World,
) -> None:
    tokens, browser = await world.signed_up(credential="tokens"), await world.signed_in()
    world.clock.advance(world.context.sessions.profile.touch_interval.total_seconds())
    tokens = await world.signed_in(credential="tokens")
    before = await world.storage.records.find_session_by_digest(digest(cookie(browser)))
    for credential in (access_token(tokens), refresh_token(tokens), cookie(browser), "unknown"):
        assert await ask(world, credential, FOREIGN) == INACTIVE
    assert await world.storage.records.find_session_by_digest(digest(cookie(browser))) == before


@pytest.mark.parametrize(
    "service, audience, expected",
    [
        (None, None, True),
        (None, FOREIGN, True),
        (ISSUER, ISSUER, True),
        (ISSUER, (FOREIGN, ISSUER), True),
        (ISSUER, FOREIGN, False),
        (ISSUER, ISSUER + "/", False),
        (ISSUER, (), False),
        (ISSUER, None, False),
        ("", None, False),
    ],
)
def test_a_service_is_told_of_its_own_audience(
    service: str | None, audience: str | tuple[str, ...] | None, *, expected: bool
) -> None:
    asking = Service(id="s", name="api", audience=service, digest=b"", created_at=NOW)
    assert is_told_of(asking, audience) is expected


@asynchronous
async def test_a_session_that_is_bound_to_a_client_is_not_vouched_for_where_the_client_is_not_seen(
    world: World,
) -> None:
    world.tune(Tunables(sessions=SessionPolicy(binding="user-agent")))
    signed_in = await world.signed_up()
    assert await ask(world, cookie(signed_in)) == INACTIVE
    assert await world.is_in(signed_in)


@asynchronous
async def test_whatever_is_no_credential_is_inactive_and_no_error(world: World) -> None:
    signed_in, other = await world.signed_up(credential="tokens"), await world.signed_up(EVE)
    token, refresh = access_token(signed_in), refresh_token(signed_in)
    head, payload, signature = token.split(".")
    _, other_payload, _ = access_token(await world.signed_in(EVE, credential="tokens")).split(".")
    for nonsense in (
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b.c.d.e",
        "\0",
        "\ud800",
        "ключ",
        "x" * 65_536,
        cookie(other)[:-1],
        cookie(other) + "=",
        " " + cookie(other),
        refresh[:-1] + ("A" if refresh[-1] != "A" else "B"),
        f"{head}.{other_payload}.{signature}",
        f"{head}.{payload}.",
        f"eyJhbGciOiJub25lIn0.{payload}.",
        f"{head}.e30.{signature}",
        f"{head}.W10.{signature}",
        token + " ",
    ):
        assert await ask(world, nonsense) == INACTIVE, nonsense
    assert (await ask(world, token)).active


@asynchronous
async def test_nothing_of_an_answer_is_in_its_repr(world: World) -> None:
    signed_in = await world.signed_up()
    assert repr(await ask(world, cookie(signed_in))) == "<TokenState active>"
    assert repr(INACTIVE) == "<TokenState inactive>"
