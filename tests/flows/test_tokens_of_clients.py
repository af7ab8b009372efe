"""What tokens of clients open at this server: its own API, userinfo, and the answers about themselves."""

from typing import Any

import msgspec
import pytest

from coatcheck.flows.ending import ADMINISTRATOR, Reason, end_sessions, revoke
from coatcheck.flows.errors import InsufficientScopeError, InvalidTokenError
from coatcheck.flows.introspection import INACTIVE, TokenState
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.jose import Key, jwt
from coatcheck.oauth.model import ClaimsRequest, OAuthClient
from coatcheck.revocation.model import Kind
from coatcheck.sessions.refresh import client_digest, make_token, next_token
from tests.flows.granting import (
    ORDERS,
    SECRET,
    Granted,
    a_client,
    an_api,
    built_in_api,
    granted,
    machine_token,
    said,
    with_secret,
)
from tests.flows.world import ADA, EVE, HOME, ISSUER, NOW, World, asynchronous


async def scoped(one: Granted, *scopes: str) -> None:
    """Give the user of a grant scopes of the built-in API, and the grant them too."""
    records = one.world.storage.records
    await records.replace_user(msgspec.structs.replace(one.user, scopes=frozenset(scopes)), expected=one.user)
    session = msgspec.structs.replace(one.session, scope=" ".join(["openid", *scopes]))
    await records.renew_session(session.id, old_digest=None, new_digest=None, session=session)


async def refused(one: Granted, token: str) -> None:
    with pytest.raises(InvalidTokenError):
        await one.known(token)
    with pytest.raises(InvalidTokenError):
        await one.world.flows.provider.userinfo.of(token)


async def introspect(world: World, token: str, asker: Any) -> TokenState:
    return await world.flows.introspection.introspect(token, service=asker)


# --- this server's own API ---------------------------------------------------------------------------------------


@asynchronous
async def test_a_clients_token_may_do_what_was_granted_and_the_user_still_may(world: World) -> None:
    one = await granted(world)
    await scoped(one, "read", "write")
    known = await one.known(await one.token(scope=("openid", "read", "admin")))
    assert known.identity.scopes == {"read"}
    assert known.identity.session_id == one.session.id
    assert not known.first_party
    assert known.parent is not None


@pytest.mark.parametrize("first_party", [True, False])
@asynchronous
async def test_the_sites_own_clients_are_told_from_others(world: World, *, first_party: bool) -> None:
    one = await granted(world, a_client(first_party=first_party))
    assert (await one.known(await one.token())).first_party is first_party


@asynchronous
async def test_audience_game_a_token_for_another_api_is_none_for_this_one_though_userinfo_takes_it(
    world: World,
) -> None:
    """Or else an API could use at the issuer what it was sent."""
    one = await granted(world)
    token = await one.token(an_api())
    assert said(token)["aud"] == [ORDERS, ISSUER]
    with pytest.raises(InvalidTokenError):
        await one.known(token)
    assert (await world.flows.provider.userinfo.of(token)).claims


@asynchronous
async def test_a_clients_token_ends_with_the_session_in_which_it_was_granted(world: World) -> None:
    one = await granted(world)
    token = await one.token()
    await one.known(token)
    async with world.storage.transaction() as records:
        await end_sessions(
            world.context, records, [one.parent.id], reason=Reason.SIGNED_OUT, actor=ADMINISTRATOR
        )
    await refused(one, token)


@asynchronous
async def test_a_clients_token_is_refused_where_the_session_above_it_has_expired(world: World) -> None:
    one = await granted(world)
    token = await one.token(ends_at=None)
    long = msgspec.structs.replace(one.session, expires_at=NOW + 1e9, idle_timeout=1e9)
    await world.storage.records.renew_session(long.id, old_digest=None, new_digest=None, session=long)
    short = msgspec.structs.replace(one.parent, expires_at=NOW + 60)
    await world.storage.records.renew_session(
        short.id, old_digest=short.digest, new_digest=short.digest, session=short
    )
    known = await one.known(token)
    assert known.ends_at == NOW + 60
    world.clock.advance(61)
    await refused(one, token)


@asynchronous
async def test_whoever_uses_what_was_granted_in_a_session_uses_that_session_too(world: World) -> None:
    one = await granted(world)
    world.clock.advance(one.session.idle_timeout / 2)
    token = await one.token()
    await one.known(token)
    for session_id in (one.session.id, one.parent.id):
        found = await world.storage.records.find_session(session_id)
        assert found is not None
        assert found.last_seen_at == world.clock.now


@asynchronous
async def test_a_grant_that_stands_for_itself_outlives_the_browsers_sign_out(world: World) -> None:
    one = await granted(world, offline=True)
    token = await one.token()
    async with world.storage.transaction() as records:
        await end_sessions(
            world.context, records, [one.parent.id], reason=Reason.SIGNED_OUT, actor=ADMINISTRATOR
        )
    assert (await one.known(token)).parent is None


@pytest.mark.parametrize("how", ["disabled", "deleted", "revoked"])
@asynchronous
async def test_tokens_end_with_their_client(world: World, how: str) -> None:
    one = await granted(world)
    token, machine = await one.token(), await machine_token(world, built_in_api())
    if how == "disabled":
        disabled = msgspec.structs.replace(one.client, disabled_at=NOW)
        await world.storage.records.replace_client(disabled)
    elif how == "deleted":
        await world.storage.records.delete_client(one.client.id)
    else:
        async with world.storage.transaction() as records:
            await revoke(
                world.context,
                records,
                [("client", one.client.id)],
                reason=Reason.CLIENT_REMOVED,
                actor=ADMINISTRATOR,
            )
    await refused(one, token)
    with pytest.raises(InvalidTokenError):
        await world.flows.authentication.machine_token(machine)
    assert await introspect(world, token, one.client) == INACTIVE
    assert await introspect(world, machine, one.client) == INACTIVE


@asynchronous
async def test_token_substitution_a_session_stands_for_its_own_client_and_user_only(world: World) -> None:
    one = await granted(world)
    eve = await world.signed_up(EVE)
    await refused(one, await one.token(client_id="other"))
    await refused(one, await one.token(subject=eve.user.id))
    await refused(one, await one.token(session=eve.session))
    pairwise = msgspec.structs.replace(one.client, subject_type="pairwise")
    await world.storage.records.replace_client(pairwise)
    await refused(one, await one.token())


@asynchronous
async def test_a_pairwise_token_is_refused_when_its_user_was_cut_off(world: World) -> None:
    """It does not say who the user is; the session does."""
    one = await granted(world, a_client(subject_type="pairwise", sector="a.example"))
    token = await one.token()
    assert (await one.known(token)).identity.id == one.user.id
    async with world.storage.transaction() as records:
        await revoke(
            world.context,
            records,
            [("user", one.user.id)],
            reason=Reason.PERMISSIONS_CHANGED,
            actor=ADMINISTRATOR,
            cutoff=world.clock() + 0.5,
        )
    await refused(one, token)


@asynchronous
async def test_a_machine_is_no_user_and_a_user_no_machine(world: World) -> None:
    one = await granted(world)
    machine = await machine_token(world, built_in_api(), scope=["a", "b"])
    await refused(one, machine)
    found = await world.flows.authentication.machine_token(machine)
    assert found.client_id == "app"
    assert found.scopes == {"a", "b"}
    for token in (
        await one.token(),
        await machine_token(world, an_api()),
        await machine_token(world, built_in_api(), subject=one.user.id),
        "no token",
    ):
        with pytest.raises(InvalidTokenError):
            await world.flows.authentication.machine_token(token)


@asynchronous
async def test_algorithm_confusion_what_a_secret_signs_opens_nothing_here(world: World) -> None:
    """Not even with the secret of an API that is called as this server is."""
    one = await granted(world)
    api = with_secret(world, built_in_api())
    await world.storage.records.add_api(api)
    await refused(one, await one.token(api))
    with pytest.raises(InvalidTokenError):
        await world.flows.authentication.machine_token(await machine_token(world, api))


@asynchronous
async def test_a_token_ends_at_its_time_wherever_it_is_shown(world: World) -> None:
    one = await granted(world)
    token, machine = await one.token(), await machine_token(world, built_in_api())
    await one.known(token)
    await world.flows.provider.userinfo.of(token)
    await world.flows.authentication.machine_token(machine)
    world.clock.advance(301)
    await refused(one, token)
    with pytest.raises(InvalidTokenError):
        await world.flows.authentication.machine_token(machine)


# --- userinfo ----------------------------------------------------------------------------------------------------


@asynchronous
async def test_userinfo_tells_what_the_scopes_stand_for(world: World) -> None:
    one = await granted(world, scope=("openid", "email", "phone", "address"))
    await world.flows.provider.profiles.change(
        one.user.id,
        {"name": "Ada", "phone_number": "+44 20 7946 0000", "address": {"country": "GB"}},
    )
    answer = await world.flows.provider.userinfo.of(await one.token())
    assert answer.claims == {
        "sub": one.user.id,
        "email": ADA,
        "email_verified": True,
        "phone_number": "+442079460000",
        "phone_number_verified": False,
        "address": {"country": "GB"},
    }
    assert repr(answer) == "<UserinfoAnswer>"


@asynchronous
async def test_userinfo_tells_what_was_asked_for_by_name(world: World) -> None:
    asked = ClaimsRequest(userinfo={"nickname": None, "picture": None})
    one = await granted(world, scope=("openid",), claims=asked)
    await world.flows.provider.profiles.change(one.user.id, {"nickname": "Countess", "name": "Ada"})
    answer = await world.flows.provider.userinfo.of(await one.token())
    assert answer.claims == {"sub": one.user.id, "nickname": "Countess"}


@asynchronous
async def test_a_profile_says_when_it_changed(world: World) -> None:
    one = await granted(world)
    await world.flows.provider.profiles.change(one.user.id, {"name": "Ada"})
    answer = await world.flows.provider.userinfo.of(await one.token())
    assert answer.claims is not None
    assert answer.claims["updated_at"] == int(NOW)


@asynchronous
async def test_a_token_that_was_issued_for_less_is_told_less(world: World) -> None:
    one = await granted(world)
    answer = await world.flows.provider.userinfo.of(await one.token(scope=("openid",)))
    assert answer.claims == {"sub": one.user.id}
    with pytest.raises(InsufficientScopeError):
        await world.flows.provider.userinfo.of(await one.token(scope=("profile",)))


@asynchronous
async def test_scope_escalation_a_token_is_told_no_more_than_was_granted(world: World) -> None:
    one = await granted(world, scope=("openid",))
    answer = await world.flows.provider.userinfo.of(await one.token(scope=("openid", "email")))
    assert answer.claims == {"sub": one.user.id}


@asynchronous
async def test_userinfo_needs_a_grant_and_a_token_for_the_issuer(world: World) -> None:
    one = await granted(world)
    userinfo = world.flows.provider.userinfo
    with pytest.raises(InvalidTokenError):
        await userinfo.of(await one.token(an_api(), with_issuer=False))
    with pytest.raises(InvalidTokenError):
        await userinfo.of("no token")
    tokens = (await world.signed_in(credential="tokens")).tokens
    assert tokens is not None
    with pytest.raises(InvalidTokenError):  # of this site's own sign-in: nothing was granted to anybody
        await userinfo.of(tokens.access_token)


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
@asynchronous
async def test_userinfo_is_signed_for_who_registered_it(world: World, algorithm: str) -> None:
    sealed = seal_secret(world.sealer, SECRET, owner="client")
    one = await granted(world, a_client(userinfo_signed_response_alg=algorithm, sealed_secret=sealed))
    answer = await world.flows.provider.userinfo.of(await one.token())
    assert answer.claims is None
    assert answer.signed is not None
    keys = await world.context.access_tokens.keys.key_set()
    verifier = jwt.Verifier(
        keys if algorithm == "ES256" else Key.from_secret(SECRET.encode(), "HS256"),
        issuer=ISSUER,
        audience="app",
        require=("iat",),
        clock=world.clock,
    )
    claims = verifier.verify(answer.signed).as_type(dict)
    assert (claims["sub"], claims["email"]) == (one.user.id, ADA)


# --- introspection -----------------------------------------------------------------------------------------------


@asynchronous
async def test_a_client_is_told_of_its_own_tokens(world: World) -> None:
    one = await granted(world)
    state = await introspect(world, await one.token(an_api(), scope=("openid", "read")), one.client)
    assert state.active
    assert (state.sub, state.sid, state.client_id) == (one.user.id, one.session.id, "app")
    assert (state.scope, state.aud) == ("openid read", (ORDERS, ISSUER))
    machine = await introspect(world, await machine_token(world, an_api()), one.client)
    assert (machine.active, machine.sub, machine.sid, machine.amr) == (True, "app", None, None)
    assert b"sid" not in msgspec.json.encode(machine)


@asynchronous
async def test_a_client_is_told_nothing_of_anybody_elses_credentials(world: World) -> None:
    one = await granted(world)
    other = a_client(id="other")
    await world.storage.records.add_client(other)
    own = await world.signed_in(credential="tokens")
    assert own.tokens is not None
    browser = await world.signed_in()
    for token in (
        await one.token(),
        await machine_token(world, an_api()),
        await refresh_token(one),
        own.tokens.access_token,
        own.tokens.refresh_token,
        browser.secret or "",
        "a.b.c",
    ):
        assert await introspect(world, token, other) == INACTIVE


@asynchronous
async def test_a_service_is_told_of_tokens_for_its_api_whoever_has_them(world: World) -> None:
    one = await granted(world)
    orders, _ = await world.flows.services.add("orders", audience=ORDERS)
    others, _ = await world.flows.services.add("others", audience="https://others.example")
    token, machine = await one.token(an_api()), await machine_token(world, an_api())
    for each in (token, machine):
        assert (await introspect(world, each, orders)).active
        assert await introspect(world, each, others) == INACTIVE
    await end(one)
    assert await introspect(world, token, orders) == INACTIVE


async def end(one: Granted) -> None:
    async with one.world.storage.transaction() as records:
        await end_sessions(
            one.world.context, records, [one.session.id], reason=Reason.GRANT_REVOKED, actor=ADMINISTRATOR
        )


@asynchronous
async def test_a_token_that_a_secret_signed_can_be_asked_about(world: World) -> None:
    one = await granted(world)
    api = with_secret(world, an_api())
    token, machine = await one.token(api), await machine_token(world, api)
    assert await introspect(world, token, one.client) == INACTIVE  # there is no such API
    await world.storage.records.add_api(api)
    assert (await introspect(world, token, one.client)).active
    assert (await introspect(world, machine, one.client)).active
    await end(one)
    assert await introspect(world, token, one.client) == INACTIVE
    forged = with_secret(world, an_api("https://other.example"))
    assert await introspect(world, await machine_token(world, forged), one.client) == INACTIVE


async def refresh_token(one: Granted) -> str:
    context = one.world.context
    token = make_token(context.sealer, one.session.id)
    digest = client_digest(HOME, one.client.id)
    record = next_token(token, one.session, client=digest, policy=context.refresh, now=one.world.clock())
    await one.world.storage.records.add_refresh_token(record)
    return token


@pytest.mark.parametrize("offline", [True, False], ids=["offline", "online"])
@asynchronous
async def test_a_client_is_told_of_its_refresh_token(world: World, *, offline: bool) -> None:
    one = await granted(world, offline=offline)
    token = await refresh_token(one)
    state = await introspect(world, token, one.client)
    assert (state.active, state.sub, state.sid) == (True, one.user.id, one.session.id)
    assert (state.scope, state.client_id) == ("openid profile email", "app")
    await world.storage.records.replace_client(msgspec.structs.replace(one.client, disabled_at=NOW))
    assert await introspect(world, token, one.client) == INACTIVE


@asynchronous
async def test_a_refresh_token_is_worth_nothing_when_the_session_above_it_has_expired(world: World) -> None:
    one = await granted(world)
    token = await refresh_token(one)
    short = msgspec.structs.replace(one.parent, expires_at=NOW - 1)
    await world.storage.records.renew_session(
        short.id, old_digest=short.digest, new_digest=short.digest, session=short
    )
    assert await introspect(world, token, one.client) == INACTIVE


@asynchronous
async def test_an_answer_for_a_client_is_signed_for_that_client(world: World) -> None:
    one = await granted(world)
    state = await introspect(world, await one.token(), one.client)
    signed = await world.flows.introspection.sign(state, service=one.client)
    assert said(signed)["aud"] == one.client.id
    assert isinstance(one.client, OAuthClient)


@asynchronous
async def test_what_says_the_right_things_and_is_signed_by_nobody_is_inactive(world: World) -> None:
    one = await granted(world)
    api = with_secret(world, an_api())
    await world.storage.records.add_api(api)
    for token in (await one.token(), await one.token(api)):
        header, payload, signature = token.split(".")
        for forged in (
            f"{header}.{payload}.{signature[:-4]}AAAA",
            f"no-header.{payload}.{signature}",
            f"eyJhbGciOiJub25lIn0.{payload}.",
        ):
            assert await introspect(world, forged, one.client) == INACTIVE


@asynchronous
async def test_a_secret_signs_for_one_api_only_whatever_its_tokens_say(world: World) -> None:
    """An API that has its secret makes a token for another, and has its own name in it too."""
    one = await granted(world)
    await world.storage.records.add_api(with_secret(world, an_api()))
    key = Key.from_secret(SECRET.encode(), "HS256")
    claims = {**said(await one.token(an_api())), "scope": "openid"}
    for audience in ([ORDERS, ISSUER], [ISSUER, ORDERS], ISSUER):
        signer = jwt.Signer(key, issuer=ISSUER, typ="at+jwt", clock=world.clock)
        forged = signer.sign(claims | {"aud": audience})
        assert await introspect(world, forged, one.client) == INACTIVE
        await refused(one, forged)


@asynchronous
async def test_a_token_that_was_asked_about_before_is_worth_no_more_than_before(world: World) -> None:
    one = await granted(world)
    records, clock = world.storage.records, world.clock
    await records.add_api(with_secret(world, an_api()))
    by_secret = await machine_token(world, with_secret(world, an_api()))
    by_key = [await machine_token(world, an_api()) for _ in range(2)]
    for token in (by_secret, *by_key):
        assert (await introspect(world, token, one.client)).active
    other = seal_secret(world.sealer, "another secret of the API, 32 octets", owner="api")
    await records.replace_api(msgspec.structs.replace(with_secret(world, an_api()), sealed_secret=other))
    assert await introspect(world, by_secret, one.client) == INACTIVE
    async with world.storage.transaction() as transaction:
        named: list[tuple[Kind, str]] = [("token", said(by_key[0])["jti"])]
        reason = Reason.ENDED_BY_ADMINISTRATOR
        await revoke(world.context, transaction, named, reason=reason, actor=ADMINISTRATOR)
    assert await introspect(world, by_key[0], one.client) == INACTIVE
    assert (await introspect(world, by_key[1], one.client)).active
    clock.now = said(by_key[1])["exp"]
    assert await introspect(world, by_key[1], one.client) == INACTIVE


@pytest.mark.parametrize("how", ["replaced", "disabled-user", "gone"])
@asynchronous
async def test_a_refresh_token_that_is_worth_nothing_is_inactive(world: World, how: str) -> None:
    one = await granted(world)
    token = await refresh_token(one)
    records = world.storage.records
    if how == "replaced":
        await records.forget_refresh_tokens(one.session.id)
    elif how == "disabled-user":
        disabled = msgspec.structs.replace(one.user, disabled_at=NOW)
        await records.replace_user(disabled, expected=one.user)
    else:
        await end(one)
    assert await introspect(world, token, one.client) == INACTIVE


@asynchronous
async def test_an_administrator_revokes_any_token_of_this_server(world: World) -> None:
    one = await granted(world)
    api = with_secret(world, an_api())
    await world.storage.records.add_api(api)
    for token in (await one.token(an_api()), await one.token(api), await machine_token(world, api)):
        assert (await introspect(world, token, one.client)).active
        await world.flows.revoking.token(token, actor=ADMINISTRATOR)
        assert await introspect(world, token, one.client) == INACTIVE
