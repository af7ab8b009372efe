"""The guard in gRPC: the program of docs/services.md, and the same service in an event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest

from coatcheck.guards.grpc import Guard, principal
from coatcheck.jose.hazmat import read_unverified
from coatcheck.verifier import NotAuthenticatedError
from tests.flows.world import asynchronous
from tests.guards.issuer import Issuer
from tests.guards.programs import AUDIENCE, ISSUER, Programs
from tests.guards.stand_in import STALE, StandIn

READER = [("authorization", "Bearer reader:orders.read")]
METADATA_URL = f"{AUDIENCE}/.well-known/oauth-protected-resource"
DEADLINE = 10.0


@pytest.fixture(scope="module")
def channel(programs: Programs) -> Iterator[Any]:
    server = programs.module("orders_grpc").server
    port = server.add_insecure_port("localhost:0")
    server.start()
    with grpc.insecure_channel(f"localhost:{port}") as made:
        yield made
    server.stop(None).wait()


def refused(call: Callable[..., Any], metadata: Any = ()) -> tuple[Any, dict[str, str], str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", metadata=metadata, timeout=10)
    error: Any = caught.value
    return error.code(), told(error), error.details()


def code_of(call: Any, metadata: Any) -> Any:
    return call.future(b"", metadata=metadata, timeout=DEADLINE).code()


def credential(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


def test_a_good_token_is_let_in(channel: Any, tokens: dict[str, str]) -> None:
    reader = credential(tokens["reader"])
    subject = read_unverified(tokens["reader"]).claims["sub"].encode()
    assert channel.unary_unary("/Orders/Home")(b"", metadata=reader) == subject
    assert list(channel.unary_stream("/Orders/List")(b"", metadata=reader)) == [subject]


def test_no_credential_is_unauthenticated_and_challenged(channel: Any) -> None:
    code, trailing, details = refused(channel.unary_unary("/Orders/Home"))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert trailing["www-authenticate"] == f'Bearer resource_metadata="{METADATA_URL}"'
    assert details == "Please sign in."


def test_a_token_that_is_not_good_is_unauthenticated(channel: Any) -> None:
    code, trailing, _ = refused(channel.unary_unary("/Orders/Home"), credential("bad"))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert 'error="invalid_token"' in trailing["www-authenticate"]


def test_a_method_demands_more_than_its_server(channel: Any, tokens: dict[str, str]) -> None:
    stranger = credential(tokens["stranger"])
    assert channel.unary_unary("/Orders/Home")(b"", metadata=stranger)
    code, trailing, _ = refused(lambda *a, **k: list(channel.unary_stream("/Orders/List")(*a, **k)), stranger)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert 'scope="orders:read"' in trailing["www-authenticate"]


def test_an_old_sign_in_is_told_what_would_do(channel: Any, issuer: Issuer, tokens: dict[str, str]) -> None:
    just_now = credential(issuer.sign_in("writer"))  # the others' sign-in may be minutes ago
    assert channel.unary_unary("/Orders/Refund")(b"", metadata=just_now)
    code, trailing, _ = refused(channel.unary_unary("/Orders/Refund"), credential(tokens["late"]))
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert 'max_age="300"' in trailing["www-authenticate"]


def test_a_malformed_credential_is_an_invalid_argument(channel: Any) -> None:
    code, _, _ = refused(channel.unary_unary("/Orders/Home"), [("authorization", "Bearer")])
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_method_that_is_not_there_is_not_there(channel: Any, tokens: dict[str, str]) -> None:
    code, _, _ = refused(channel.unary_unary("/Orders/Nothing"), credential(tokens["reader"]))
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_whoever_signs_out_is_refused_at_once(channel: Any, issuer: Issuer) -> None:
    token = issuer.sign_in("reader")
    call = channel.unary_unary("/Orders/Home")
    assert call(b"", metadata=credential(token))
    issuer.sign_out(token)
    until = time.monotonic() + DEADLINE
    while (code := code_of(call, credential(token))) is grpc.StatusCode.OK:
        assert time.monotonic() < until
    assert code is grpc.StatusCode.UNAUTHENTICATED


def subject() -> bytes:
    found = principal.get()
    return b"" if found is None else found.subject.encode()


def told(error: Any) -> dict[str, str]:
    return {name: value for name, value in error.trailing_metadata()}  # noqa: C416 - no mapping in older releases


class InLoop:
    async def one(self, _request: bytes, _context: Any) -> bytes:
        await asyncio.sleep(0)
        return subject()

    async def many(self, _request: bytes, _context: Any) -> AsyncIterator[bytes]:
        yield subject()
        await asyncio.sleep(0)
        yield subject()

    def blocking(self, _request: bytes, _context: Any) -> bytes:
        return subject()

    async def all(self, requests: AsyncIterator[bytes], _context: Any) -> bytes:
        return b"".join([each async for each in requests]) + subject()


@asynccontextmanager
async def served(interceptor: Any) -> AsyncIterator[Any]:
    service = InLoop()
    server = grpc.aio.server(migration_thread_pool=ThreadPoolExecutor(2), interceptors=[interceptor])
    methods: dict[str, Any] = {
        "One": grpc.unary_unary_rpc_method_handler(service.one),
        "Many": grpc.unary_stream_rpc_method_handler(service.many),
        "Blocking": grpc.unary_unary_rpc_method_handler(service.blocking),
        "All": grpc.stream_unary_rpc_method_handler(service.all),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Loop", methods),))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
        yield channel
    await server.stop(None)


@asynchronous
async def test_calls_in_an_event_loop_are_guarded_alike() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    async with served(Guard(None, verifier).require("orders:read")) as channel:
        assert await channel.unary_unary("/Loop/One")(b"", metadata=READER) == b"reader"
        assert await channel.unary_unary("/Loop/Blocking")(b"", metadata=READER) == b"reader"
        assert [each async for each in channel.unary_stream("/Loop/Many")(b"", metadata=READER)] == [
            b"reader"
        ] * 2
        assert await channel.stream_unary("/Loop/All")([b"a", b"b"], metadata=READER) == b"abreader"
        for call in (channel.unary_unary("/Loop/One"), channel.unary_unary("/Loop/Blocking")):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"")
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert METADATA_URL in told(caught.value)["www-authenticate"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            assert not [each async for each in channel.unary_stream("/Loop/Many")(b"")]
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@asynchronous
async def test_whoever_shows_nothing_is_nobody_where_that_is_allowed() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    async with served(Guard(None, verifier).optional()) as channel:
        assert await channel.unary_unary("/Loop/One")(b"") == b""
        assert await channel.unary_unary("/Loop/One")(b"", metadata=READER) == b"reader"


@asynchronous
async def test_a_verifier_that_cannot_tell_is_unavailable() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    verifier.error = STALE
    async with served(Guard(None, verifier).require()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/Loop/One")(b"", metadata=READER)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert told(caught.value)["retry-after"] == "1"


def test_a_method_does_not_run_even_if_the_context_does_not_abort() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    ran: list[bytes] = []

    @Guard(None, verifier).require()
    def method(request: bytes, _context: Any) -> None:
        ran.append(request)

    quiet = SimpleNamespace(
        invocation_metadata=list, set_trailing_metadata=lambda _: None, abort=lambda *_: None
    )
    with pytest.raises(NotAuthenticatedError):
        method(b"", quiet)
    assert ran == []


@asynchronous
async def test_nor_does_one_in_an_event_loop() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    ran: list[bytes] = []

    @Guard(None, verifier).require()
    async def method(request: bytes, _context: Any) -> None:
        ran.append(request)

    async def abort(*_: Any) -> None: ...

    quiet = SimpleNamespace(invocation_metadata=list, set_trailing_metadata=lambda _: None, abort=abort)
    with pytest.raises(NotAuthenticatedError):
        await method(b"", quiet)
    assert ran == []
