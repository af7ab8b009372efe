"""Revoking by clients: their own tokens, and nobody else's."""

import pytest

from coatcheck.flows.ending import Reason
from coatcheck.oauth.client_authentication.model import Credentials
from coatcheck.oauth.errors import InvalidClientError, InvalidGrantError
from tests.flows.registered import PUBLIC, Registered, basic, claims_of
from tests.flows.test_code_exchange import entries
from tests.flows.world import World, access_token, asynchronous, refresh_token


@asynchronous
async def test_a_refresh_token_ends_its_session_with_all_access_tokens(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada))
    revoke = world.flows.provider.token_revocation.revoke
    assert isinstance(answer.refresh_token, str)
    for _ in range(2):
        await revoke(answer.refresh_token, credentials=basic("web"))
    assert not await registered.is_good(answer)
    with pytest.raises(InvalidGrantError):
        await registered.refresh(answer.refresh_token)
    sid = claims_of(answer.access_token)["sid"]
    assert await entries(world) == [("session", sid, Reason.GRANT_REVOKED)]
    assert (await world.storage.records.list_entries(after=0, limit=1))[0].actor == "client:web"
    assert await world.is_in(ada)


@asynchronous
async def test_an_access_token_ends_alone(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up()
    answer = await registered.exchange(await registered.code(ada))
    revoke = world.flows.provider.token_revocation.revoke
    for _ in range(2):
        await revoke(answer.access_token, credentials=basic("web"))
    assert not await registered.is_good(answer)
    jti = claims_of(answer.access_token)["jti"]
    assert await entries(world) == [("token", jti, Reason.GRANT_REVOKED)]
    assert await registered.is_good(await registered.refresh(answer.refresh_token))
    machines = await registered.ask("client_credentials")
    await revoke(machines.access_token, credentials=basic("web"))
    assert not await registered.is_good(machines)


@asynchronous
async def test_attack_tokens_of_others_are_left_as_they_are_and_nothing_is_told(world: World) -> None:
    registered, ada = await Registered.laid(world), await world.signed_up(credential="tokens")
    answer = await registered.exchange(await registered.code(ada))
    revoke = world.flows.provider.token_revocation.revoke
    assert isinstance(answer.refresh_token, str)
    for token in (
        answer.access_token,
        answer.refresh_token,
        access_token(ada),
        refresh_token(ada),
        "nonsense",
        "a.b.c",
        "ü",
        "\ud800",
        "x" * 20_000,
    ):
        await revoke(token, credentials=PUBLIC)
    assert await entries(world) == []
    with pytest.raises(InvalidClientError):
        await revoke(answer.access_token, credentials=Credentials())
    with pytest.raises(InvalidClientError):
        await revoke(answer.access_token, credentials=basic("web", "wrong"))
    assert await registered.is_good(answer)
