"""The dispatcher over stored state: contention, restarts, and what the pages never get to see."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
from msgspec.structs import replace

from coatcheck._core import base64url
from coatcheck._core.secrets import digest
from coatcheck.accounts.errors import TooManyAttemptsError
from coatcheck.accounts.policy import Rate, ThrottlePolicy
from coatcheck.flows.model import SignedIn
from coatcheck.flows.ports import Records, Storage
from coatcheck.flows.provider.authorization import AccountQuestion, Authorization, Go, Outcome
from coatcheck.flows.provider.consent import ConsentQuestion
from coatcheck.flows.provider.hints import subject_of_hint
from coatcheck.flows.provider.policy import ProviderPolicy
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.flows.service import Flows
from coatcheck.identity import Client
from coatcheck.oauth.client_authentication.model import Credentials
from coatcheck.oauth.errors import InteractionOverError, InvalidRequestError, UnsafeRequestError
from coatcheck.oauth.model import Grant, OAuthClient
from coatcheck.oauth.replies import Reply
from tests.flows.world import Tunables, World, asynchronous
from tests.oauth.asking import a_client, asks

SECRET = "a secret of 43 characters that nobody guesses"


async def somebody(world: World, **changes: Any) -> SignedIn:
    """Register a client, and sign a user up."""
    await world.storage.records.add_client(a_client(**changes))
    return await world.signed_up()


async def begin(world: World, signed_in: SignedIn | None, **changes: str | None) -> Reply | Go:
    session_id = None if signed_in is None else signed_in.session.id
    return await world.flows.provider.authorization.begin(
        asks(**changes), session_id=session_id, client=Client()
    )


async def handle_of(world: World, signed_in: SignedIn | None, **changes: str | None) -> str:
    outcome = await begin(world, signed_in, **changes)
    assert isinstance(outcome, Go)
    assert outcome.handle not in repr(outcome)
    return outcome.handle


async def allow(authorization: Authorization, handle: str, signed_in: SignedIn) -> Outcome:
    session_id = signed_in.session.id
    return await authorization.allow(
        handle, session_id=session_id, shown_session=session_id, shown_scope="openid email"
    )


async def outcomes(calls: list[Callable[[], Awaitable[Outcome]]]) -> list[Outcome | InteractionOverError]:
    """Return what comes of calls at the same time; the only error that may come is that another was quicker."""

    async def one(call: Callable[[], Awaitable[Outcome]]) -> Outcome | InteractionOverError:
        try:
            return await call()
        except InteractionOverError as error:
            return error

    return list(await asyncio.gather(*map(one, calls)))


@asynchronous
async def test_of_many_who_allow_at_once_one_gets_a_code(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)
    authorization = world.flows.provider.authorization
    got = await outcomes([lambda: allow(authorization, handle, signed_in)] * 8)
    assert sum(isinstance(each, Reply) for each in got) == 1
    assert sum(isinstance(each, InteractionOverError) for each in got) == 7


@asynchronous
async def test_allowing_and_denying_at_once_only_one_of_them_happens(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)
    authorization = world.flows.provider.authorization
    got = await outcomes(
        [lambda: authorization.deny(handle), lambda: allow(authorization, handle, signed_in)] * 4
    )
    assert sum(isinstance(each, Reply) for each in got) == 1


class Interfering:
    """A storage in which something happens just before a transaction begins."""

    def __init__(self, storage: Storage, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def transaction(self, *of: str) -> Any:
        del of
        return _Late(self._storage, self._meanwhile)

    @property
    def records(self) -> Any:
        return _LateRecords(self._storage.records, self._meanwhile)


class _LateRecords:
    def __init__(self, records: Records, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._records = records
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._records, name)

        async def later(*arguments: Any, **named: Any) -> Any:
            if name in {"replace_interaction", "delete_interaction"}:
                await self._meanwhile()
            return await method(*arguments, **named)

        return later


class _Late:
    def __init__(self, storage: Storage, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._inner = storage.transaction()
        self._meanwhile = meanwhile

    async def __aenter__(self) -> Any:
        await self._meanwhile()
        return await self._inner.__aenter__()

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> Any:  # noqa: PYI036 - handed on
        return await self._inner.__aexit__(kind, error, traceback)


def interfered(world: World, meanwhile: Callable[[], Awaitable[object]]) -> Authorization:
    storage = cast("Storage", Interfering(world.storage, meanwhile))
    return world.with_storage(storage).provider.authorization


@asynchronous
async def test_an_interaction_that_is_answered_in_the_last_moment_is_over(world: World) -> None:
    signed_in = await somebody(world)
    mine = signed_in.session.id
    for press in (
        lambda late, handle: allow(late, handle, signed_in),
        lambda late, handle: late.select(handle, session_id=mine, shown_session=mine),
        lambda late, handle: late.deny(handle),
    ):
        handle = await handle_of(world, signed_in)
        late = interfered(world, partial(world.storage.records.delete_interaction, digest(handle)))
        with pytest.raises(InteractionOverError):
            await press(late, handle)


@asynchronous
async def test_a_consent_that_is_kept_and_answered_elsewhere_at_once_gives_one_code(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)
    authorization, mine = world.flows.provider.authorization, signed_in.session.id
    interaction = await world.storage.records.find_interaction(digest(handle))
    assert interaction is not None
    allowed = replace(interaction, consented=mine, scope=("openid", "email"))
    await world.storage.records.replace_interaction(allowed)
    late = interfered(world, partial(authorization.resume, handle, session_id=mine))
    with pytest.raises(InteractionOverError):
        await late.resume(handle, session_id=mine)


@asynchronous
async def test_a_client_whose_document_cannot_be_had_leads_to_a_page(world: World) -> None:
    open_to_all = dataclasses.replace(world.context, provider=ProviderPolicy(registration="open"))
    authorization = Flows(open_to_all).provider.authorization
    with pytest.raises(UnsafeRequestError):
        await authorization.begin(
            asks(client_id="https://tool.example/client"), session_id=None, client=Client()
        )
    await world.storage.records.add_client(a_client(id="https://tool.example/known"))
    outcome = await authorization.begin(
        asks(client_id="https://tool.example/known"), session_id=None, client=Client()
    )
    assert isinstance(outcome, Go)


@asynchronous
async def test_a_session_that_ends_in_the_last_moment_gives_no_code(world: World) -> None:
    signed_in = await somebody(world, first_party=True)

    async def end() -> None:
        await world.storage.records.delete_sessions([signed_in.session.id])

    late = interfered(world, end)
    outcome = await late.begin(asks(), session_id=signed_in.session.id, client=Client())
    assert isinstance(outcome, Go)
    again = await late.resume(outcome.handle, session_id=signed_in.session.id)
    assert again == Go(page="sign-in", handle=outcome.handle)


@asynchronous
async def test_a_sign_in_that_ends_while_its_user_reads_leads_to_the_page_to_sign_in(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)

    async def end() -> None:
        await world.storage.records.delete_sessions([signed_in.session.id])

    outcome = await allow(interfered(world, end), handle, signed_in)
    assert outcome == Go(page="sign-in", handle=handle)


@asynchronous
async def test_a_choice_about_what_is_over_is_refused(world: World) -> None:
    signed_in = await somebody(world)
    world.clock.advance(1)
    handle = await handle_of(world, signed_in, prompt="select_account")
    authorization = world.flows.provider.authorization
    question = await authorization.resume(handle, session_id=signed_in.session.id)
    assert isinstance(question, AccountQuestion)
    elsewhere = await authorization.select(handle, session_id=signed_in.session.id, shown_session="other")
    assert isinstance(elsewhere, AccountQuestion)
    got = await outcomes(
        [
            lambda: authorization.select(
                handle, session_id=signed_in.session.id, shown_session=signed_in.session.id
            ),
            lambda: authorization.deny(handle),
        ]
    )
    assert len(got) == 2


@asynchronous
async def test_an_answer_is_resumed_after_a_restart(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)
    restarted = world.sibling().flows.provider.authorization
    question = await restarted.resume(handle, session_id=signed_in.session.id)
    assert isinstance(question, ConsentQuestion)
    reply = await allow(restarted, handle, signed_in)
    assert isinstance(reply, Reply)
    assert "code" in reply.parameters
    assert reply.parameters["code"] not in repr(reply)


@asynchronous
async def test_a_disabled_user_is_nobody(world: World) -> None:
    signed_in = await somebody(world, first_party=True)
    assert isinstance(await begin(world, signed_in), Reply)
    user = signed_in.user
    assert await world.storage.records.replace_user(replace(user, disabled_at=1.0), expected=user)
    outcome = await begin(world, signed_in)
    assert isinstance(outcome, Go)
    assert outcome.page == "sign-in"


@asynchronous
async def test_the_session_of_a_client_is_used_again_as_long_as_it_is_alive(world: World) -> None:
    signed_in = await somebody(world, first_party=True)
    records = world.storage.records
    child = replace(
        signed_in.session, id="child", digest=None, client_id="app", parent_id=signed_in.session.id
    )
    await records.add_session(replace(child, id="another", client_id="another"))
    await records.add_session(child)
    await records.put_grant(
        Grant(
            session_id="child",
            user_id=signed_in.user.id,
            client_id="app",
            scope=(),
            audiences=(),
            created_at=0,
        )
    )

    async def planned() -> str:
        reply = await begin(world, signed_in)
        assert isinstance(reply, Reply)
        found = await records.consume_code(digest(reply.parameters["code"]), at=0.0)
        assert found is not None
        return found[0].session_id

    assert await planned() == "child"
    await records.delete_sessions(["child"])
    await records.add_session(replace(child, expires_at=world.clock()))
    assert await planned() not in {"child", "another"}


@asynchronous
async def test_a_preview_of_what_is_over_is_none(world: World) -> None:
    signed_in = await somebody(world)
    authorization = world.flows.provider.authorization
    handle = await handle_of(world, None, login_hint="ann@example.com")
    preview = await authorization.preview(handle)
    assert preview is not None
    assert preview.login_hint == "ann@example.com"
    assert await authorization.preview("unknown") is None
    await world.storage.records.replace_client(a_client(redirect_uris=()))
    assert await authorization.preview(handle) is None
    with pytest.raises(UnsafeRequestError):
        await authorization.resume(handle, session_id=signed_in.session.id)


@asynchronous
async def test_a_hint_may_be_signed_with_the_clients_secret(world: World) -> None:
    sealed = seal_secret(world.sealer, SECRET, owner="client")
    client: OAuthClient = a_client(id_token_signed_response_alg="HS256", sealed_secret=sealed)
    signer = await world.flows.provider.issuer.client_signer(client, "HS256", lifetime=60)
    hint = signer.sign({"sub": "ann"}, now=world.clock())
    world.clock.advance(86_400)
    assert await subject_of_hint(world.context, client, hint) == "ann"
    for claims in (b'{"sub": "ann", "iat": "then"}', b'{"sub": "ann", "iat": true}', b'{"sub": "ann"}'):
        header, _, signature = hint.split(".")
        with pytest.raises(InvalidRequestError):
            await subject_of_hint(world.context, client, f"{header}.{base64url.encode(claims)}.{signature}")


@asynchronous
async def test_what_nobody_finished_is_forgotten(world: World) -> None:
    signed_in = await somebody(world)
    handle = await handle_of(world, signed_in)
    used = await world.storage.records.consume_assertion(digest("assertion"), until=world.clock() + 60)
    assert used
    world.clock.advance(7200)
    assert await world.flows.housekeeping.tidy() >= 2
    assert await world.storage.records.find_interaction(digest(handle)) is None
    assert await world.storage.records.consume_assertion(digest("assertion"), until=world.clock())


# --- limits ------------------------------------------------------------------------------------------------------


@asynchronous
async def test_attack_strangers_cannot_fill_the_storage_with_requests_that_wait(world: World) -> None:
    signed_in = await somebody(world)
    world.tune(Tunables(throttles=ThrottlePolicy(request_address=Rate(3, 60.0))))
    provider, stranger = world.flows.provider, Client(address="192.0.2.66")

    async def ask(session_id: str | None, client: Client) -> None:
        await provider.authorization.begin(asks(), session_id=session_id, client=client)

    for _ in range(2):
        await ask(None, stranger)
    credentials = Credentials(client_id="app")
    await provider.pushed_requests.push(asks(), credentials, client=stranger)
    with pytest.raises(TooManyAttemptsError):
        await ask(None, stranger)
    with pytest.raises(TooManyAttemptsError):
        await provider.pushed_requests.push(asks(), credentials, client=stranger)
    await ask(None, Client(address="198.51.100.9"))
    with pytest.raises(TooManyAttemptsError):
        await ask("a session that is none", stranger)
    for _ in range(3):  # one who is signed in has a limit of their own
        await ask(signed_in.session.id, stranger)
    with pytest.raises(TooManyAttemptsError):
        await ask(signed_in.session.id, stranger)
    world.clock.advance(61)
    await ask(None, stranger)
