"""Following a server over real sockets: in threads, in tasks, across restarts and forks, whatever the wire does."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from coatcheck.jose import Key
from coatcheck.verifier import (
    InvalidTokenError,
    NotReadyError,
    StaleViewError,
    UnknownKeyError,
    VerificationError,
    Verifier,
    VerifierEvent,
    VerifierPolicy,
)
from coatcheck.verifier.prometheus import exposition
from tests.verifier.issuer import API, ISSUER, OTHER_KEY, frame
from tests.verifier.server import Connection, Server, eventually, follow, serving

SWIFT = VerifierPolicy(first_pause=0.02, longest_pause=0.1, silence=4.0)

server = pytest.fixture(serving)


@pytest.fixture
def events() -> list[VerifierEvent]:
    return []


@pytest.fixture
def verifier(server: Server, events: list[VerifierEvent]) -> Iterator[Verifier]:
    with Verifier(server.url, audience=API, key="cck_key", policy=SWIFT, on_event=events.append) as verifier:
        yield verifier


def is_refused(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except InvalidTokenError:
        return True
    return False


def test_it_finds_everything_by_itself_and_refuses_what_is_revoked(
    server: Server, verifier: Verifier, events: list[VerifierEvent]
) -> None:
    token = server.issuer.token()
    assert verifier.verify(token).subject == "ada"
    server.revoke("session", "session-1")
    began = time.monotonic()
    eventually(lambda: is_refused(verifier, token))
    assert time.monotonic() - began < 10
    assert set(server.authorizations) == {"Bearer cck_key"}
    eventually(lambda: verifier.metrics().connected)
    metrics = verifier.metrics()
    assert metrics.ready
    assert metrics.view_age < 60
    assert metrics.entries == 1
    assert metrics.position == server.issuer.position
    assert metrics.refusals["revoked-session"] >= 1
    assert metrics.last_error == ""
    assert {"keys", "ready", "snapshot", "connected", "revoked"} <= {event.kind for event in events}
    assert 'coatcheck_verifier_refusals_total{reason="revoked-session"}' in exposition(metrics)


def test_starting_twice_is_starting_once(server: Server, verifier: Verifier) -> None:
    verifier.start()
    verifier.wait_until_ready()
    eventually(lambda: verifier.metrics().connected)
    assert server.count("/ledger") == 1


def test_it_can_be_closed_and_started_again(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    before = threading.active_count()
    verifier.close()
    verifier.close()
    eventually(lambda: threading.active_count() < before)
    token = server.issuer.token()
    assert verifier.verify(token).subject == "ada"  # what is known stays known
    server.revoke("session", "session-1")
    verifier.start()
    eventually(lambda: is_refused(verifier, token))


# --- in an event loop ---------------------------------------------------------------------------------------


def in_a_loop(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 30))


async def eventually_async(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - it comes about elsewhere
        await asyncio.sleep(0.005)


def test_it_follows_in_tasks_of_an_event_loop(server: Server) -> None:
    async def body() -> None:
        before = threading.active_count()
        async with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
            await verifier.ready()
            token = server.issuer.token()
            assert verifier.verify(token).subject == "ada"
            verifier.start()  # it follows already
            server.revoke("session", "session-1")
            await eventually_async(lambda: is_refused(verifier, token))
            await eventually_async(lambda: verifier.metrics().connected)
            assert threading.active_count() - before <= 3  # those of the server

    in_a_loop(body)


def test_whoever_was_told_of_a_failure_is_told_that_it_is_over(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    begun = iter(range(1))

    def flaky(connection: Connection) -> None:
        if next(begun, None) is None:
            follow(connection)
        else:
            connection.begin()
            connection.send(b": nothing\n\n")

    server.scripts["/ledger"] = flaky
    with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
        eventually(lambda: verifier.metrics().connected)
    told = [record.getMessage() for record in caplog.records if record.name == "coatcheck.verifier"]
    assert len(told) == 2
    assert told[1].endswith("all is well again.")


def test_tasks_connect_again_after_a_failure(server: Server) -> None:
    async def body() -> None:
        left = iter(range(3))

        def flaky(connection: Connection) -> None:
            if next(left, None) is None:
                follow(connection)
            else:
                connection.begin()
                connection.send(b": nothing\n\n")

        server.scripts["/ledger"] = flaky
        async with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
            await verifier.ready()

    in_a_loop(body)


def test_tasks_tell_that_nobody_is_there() -> None:
    async def body() -> None:
        async with Verifier("http://127.0.0.1:1", audience=API, policy=SWIFT) as verifier:
            await eventually_async(lambda: verifier.metrics().last_error)
            with pytest.raises(NotReadyError) as caught:
                await verifier.ready(0.1)
            assert "connection_failed" in (caught.value.detail or "")

    in_a_loop(body)


def test_an_event_loop_may_wait_for_threads(server: Server) -> None:
    async def body() -> None:
        verifier = Verifier(server.url, audience=API, policy=SWIFT)
        await verifier.ready()
        verifier.verify(server.issuer.token())
        verifier.close()

    in_a_loop(body)


def test_an_answer_that_trickles_ends_in_tasks_too(server: Server) -> None:
    def trickle(connection: Connection) -> None:
        connection.begin(Content_Length="1000")
        for _ in range(100):
            connection.send(b"x")
            time.sleep(0.05)

    async def body() -> None:
        server.scripts["/keys"] = trickle
        policy = VerifierPolicy(first_pause=0.02, longest_pause=0.1, request_timeout=0.3)
        async with Verifier(server.url, audience=API, policy=policy) as verifier:
            await eventually_async(lambda: verifier.metrics().last_error)
            with pytest.raises(NotReadyError) as caught:
                await verifier.ready(0.1)
            assert "connection_failed" in (caught.value.detail or "")

    in_a_loop(body)


# --- what the server may do ---------------------------------------------------------------------------------


def test_it_survives_a_restart_of_the_server(server: Server, verifier: Verifier) -> None:
    verifier.start()
    server.revoke("session", "session-0")
    eventually(lambda: verifier.metrics().entries == 1)
    token, other = server.issuer.token(), server.issuer.token(sid="session-2")
    server.stop()
    assert verifier.verify(token).subject == "ada"
    assert verifier.verify(other).subject == "ada"
    server.issuer.revoke("session", "session-1")  # just before it was killed
    again = Server(port=server.port, issuer=server.issuer)
    try:
        eventually(lambda: is_refused(verifier, token))
        assert verifier.verify(other).subject == "ada"
        again.revoke("session", "session-2")
        eventually(lambda: is_refused(verifier, other))
        assert verifier.metrics().snapshots == 1  # it went on where it was
    finally:
        again.stop()


def test_a_partition_refuses_everything_after_max_staleness(server: Server) -> None:
    policy = VerifierPolicy(first_pause=0.02, longest_pause=0.1, silence=4.0)
    with Verifier(server.url, audience=API, policy=policy, max_staleness=timedelta(seconds=1)) as verifier:
        verifier.wait_until_ready()
        token = server.issuer.token()
        for _ in range(30):  # for longer than that, while the server goes on saying that all is well
            verifier.verify(token)
            time.sleep(0.05)
        server.quiet = True
        began = time.monotonic()
        with pytest.raises(StaleViewError):
            spend(verifier, token, seconds=5)
        assert 0.5 < time.monotonic() - began < 20
        server.quiet = False
        eventually(lambda: not _raises(verifier, token))


def spend(verifier: Verifier, token: str, *, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        verifier.verify(token)
        time.sleep(0.01)


def _raises(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except VerificationError:
        return True
    return False


def test_new_keys_are_fetched_when_the_ledger_tells_of_them(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    new = Key.generate("ES256")
    with server.lock:
        server.issuer.published.append(new)
        server.digest = "another"
    eventually(lambda: verifier.metrics().keys == 2)
    assert verifier.verify(server.issuer.token(key=new)).subject == "ada"


def test_a_compromised_key_is_refused_at_once_and_the_next_one_is_fetched(
    server: Server, verifier: Verifier
) -> None:
    verifier.wait_until_ready()
    old, new = server.issuer.key, Key.generate("ES256")
    token = server.issuer.token()
    verifier.verify(token)
    with server.lock:
        server.issuer.published = [new]
        server.issuer.key = new
        server.revoke("key", old.kid or "")
    eventually(lambda: is_refused(verifier, token))
    eventually(lambda: verifier.metrics().keys == 1 and not is_refused(verifier, server.issuer.token()))
    assert is_refused(verifier, server.issuer.token(key=old))


def test_a_flood_of_unknown_keys_reaches_the_server_once(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    eventually(lambda: verifier.metrics().connected)
    before = server.count("/keys")
    for number in range(100):
        stranger = Key.from_jwk({**OTHER_KEY.to_private_jwk(), "kid": f"stranger-{number}"})
        with pytest.raises(UnknownKeyError):
            verifier.verify(server.issuer.token(key=stranger))
    eventually(lambda: server.count("/keys") == before + 1)
    time.sleep(0.1)
    assert server.count("/keys") == before + 1


def test_a_token_of_a_new_key_is_good_a_moment_later(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    new = Key.generate("ES256")
    server.issuer.published.append(new)
    token = server.issuer.token(key=new)
    with pytest.raises(UnknownKeyError):
        verifier.verify(token)
    eventually(lambda: not is_refused(verifier, token))


def answer_with(body: bytes, connection: Connection) -> None:
    connection.answer(200, body)


def was_asked(server: Server, before: int) -> bool:
    return server.count("/keys") > before


def test_keys_that_cannot_be_fetched_leave_those_that_are_known(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    token = server.issuer.token()
    for body in (
        b"",
        b"{}",
        b'{"keys":[]}',
        b"[" * 1000,
        b'{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}',
    ):
        before = server.count("/keys")
        server.scripts["/keys"] = partial(answer_with, body)
        verifier._state.wanted.ring()
        eventually(partial(was_asked, server, before))
        eventually(lambda: verifier.metrics().last_error == "unusable_keys")
        assert not is_refused(verifier, token)
        assert verifier.metrics().keys == 1


def obstacle(server: Server, **options: Any) -> str:
    """Return what keeps a verifier from becoming ready."""
    policy = VerifierPolicy(
        first_pause=0.02,
        longest_pause=0.1,
        silence=0.6,
        request_timeout=0.4,
        startup_timeout=0.0,
        line_limit=100_000,
    )
    with Verifier(server.url, audience=API, policy=policy, **options) as verifier:
        eventually(lambda: verifier.metrics().last_error)
        with pytest.raises(NotReadyError) as caught:
            verifier.wait_until_ready(0.1)
        with pytest.raises(NotReadyError):
            verifier.verify(server.issuer.token())
        assert not verifier.metrics().ready
        return caught.value.detail or ""


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/keys", "/ledger"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: Server, path: str, status: int) -> None:
    server.scripts[path] = lambda connection: connection.answer(status, Location=f"{server.url}/elsewhere")
    assert f"answered {status}" in obstacle(server)
    assert server.count("/elsewhere") == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_service_key_that_is_refused_is_said_so(server: Server, status: int) -> None:
    server.scripts["/ledger"] = lambda connection: connection.answer(status)
    refused, missing = obstacle(server, key="cck_wrong"), obstacle(server)
    assert "refuses the key" in refused
    assert "wants a key" in missing
    assert "COATCHECK_VERIFIER_KEY" in refused
    assert "COATCHECK_VERIFIER_KEY" in missing


def test_a_server_that_asks_for_time_gets_it(server: Server) -> None:
    server.scripts["/ledger"] = lambda connection: connection.answer(503, Retry_After="2")
    assert "answered 503" in obstacle(server)
    assert server.count("/ledger") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": ISSUER},
        {"issuer": None},
        {"jwks_uri": "http://keys.example/"},
        {"jwks_uri": None},
        {"coatcheck_ledger_endpoint": None},
        {"coatcheck_ledger_endpoint": "https://elsewhere.example/ledger"},
        {"coatcheck_ledger_endpoint": 7},
        {"introspection_endpoint": "https://elsewhere.example/"},
    ],
    ids=str,
)
def test_metadata_that_is_not_the_issuers_is_refused(server: Server, change: dict[str, Any]) -> None:
    original = server.metadata()
    server.metadata = lambda: {**original, **change}  # type: ignore[method-assign]
    assert "discovery" in obstacle(server, key="cck_key")
    assert "/ledger" not in server.requests


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"issuer":"a","issuer":"b"}', b"[" * 9999])
def test_metadata_that_is_none_is_refused(server: Server, body: bytes) -> None:
    server.scripts["/.well-known/oauth-authorization-server"] = lambda connection: connection.answer(
        200, body
    )
    assert "discovery" in obstacle(server)


def test_an_answer_without_end_is_refused(server: Server) -> None:
    server.scripts["/keys"] = lambda connection: connection.answer(200, b" " * 300_000)
    assert "longer" in obstacle(server)


def test_a_compressed_answer_is_refused(server: Server) -> None:
    server.scripts["/keys"] = lambda connection: connection.answer(
        200, gzip.compress(b" " * 1_000_000), Content_Encoding="gzip"
    )
    assert "compressed" in obstacle(server)


def test_an_answer_that_trickles_is_refused(server: Server) -> None:
    def trickle(connection: Connection) -> None:
        connection.begin(Content_Length="1000")
        for _ in range(100):
            connection.send(b"x")
            time.sleep(0.05)

    server.scripts["/keys"] = trickle
    assert "connection_failed" in obstacle(server) or "nothing was heard" in obstacle(server)


def stream(*frames: bytes, pause: float = 0.0, **headers: str) -> Callable[[Connection], None]:
    def script(connection: Connection) -> None:
        connection.begin(**headers)
        for each in frames:
            connection.send(each)
            time.sleep(pause)

    return script


def hang(connection: Connection) -> None:
    connection.begin()
    connection.server.stopped.wait(5)


@pytest.mark.parametrize(
    "script, word",
    [
        (stream(b"x" * 200_000), "malformed_stream"),
        (stream(*[b"x"] * 60, pause=0.03), "malformed_stream"),
        (stream(Content_Type="text/html"), "malformed_stream"),
        (stream(Content_Encoding="br"), "malformed_stream"),
        (stream(gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip"), "malformed_stream"),
        (stream(b"data: x\n\n", Content_Encoding="gzip"), "malformed_stream"),
        (stream(frame("hello", "x")), "untrusted_event"),
        (stream(b"\x00\xff\n\n"), "connection_failed"),
        (stream(), "connection_failed"),
        (hang, "connection_failed"),
        (lambda connection: connection.send(b"nonsense"), "connection_failed"),
        (lambda connection: connection.answer(500), "unexpected_answer"),
    ],
    ids=[
        *("a huge line", "a slow trickle", "a page", "brotli", "a bomb", "no gzip", "a forged greeting"),
        *("octets", "nothing", "silence", "no http", "an error"),
    ],
)
def test_a_stream_that_is_none_leaves_the_verifier_unready(
    server: Server, script: Callable[[Connection], None], word: str
) -> None:
    server.scripts["/ledger"] = script
    assert word in obstacle(server)


def test_a_stream_signed_with_a_key_that_nobody_published_is_refused(server: Server) -> None:
    server.issuer.key = OTHER_KEY
    assert "untrusted_event" in obstacle(server) or server.count("/keys") > 1


def test_a_stream_signed_with_a_new_key_is_read(server: Server) -> None:
    new = Key.generate("ES256")
    with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
        verifier.wait_until_ready()
        with server.lock:
            server.issuer.key = new
            server.issuer.published.append(new)
        server.revoke("session", "session-1")
        eventually(lambda: verifier.metrics().entries == 1)
        assert verifier.metrics().keys == 2


def test_a_snapshot_cut_off_in_the_middle_is_begun_again(server: Server) -> None:
    for number in range(30):
        server.issuer.revoke("session", f"session-{number}")
    cut = threading.Event()

    def script(connection: Connection) -> None:
        if cut.is_set():
            follow(connection)
            return
        cut.set()
        connection.begin()
        frames = b"".join(server.issuer.history(connection.nonce, None))
        connection.send(frames[: len(frames) // 2])

    server.scripts["/ledger"] = script
    with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
        verifier.wait_until_ready()
        assert verifier.metrics().entries == 30
        assert verifier.metrics().snapshots == 1


def test_a_mistake_in_here_does_not_end_the_following(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from coatcheck.verifier import ledger, threaded

    monkeypatch.setattr(threaded, "_PAUSE_AFTER_A_BUG", 0.05)
    original, failures = ledger._opened, iter([1, 2])

    def buggy(*arguments: Any, **options: Any) -> Any:
        if next(failures, None):
            raise ZeroDivisionError
        return original(*arguments, **options)

    monkeypatch.setattr(ledger, "_opened", buggy)
    with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
        verifier.wait_until_ready()
    assert "unexpected" in caplog.text


def test_a_mistake_in_here_does_not_end_the_tasks_either(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from coatcheck.verifier import ledger, tasks

    monkeypatch.setattr(tasks, "_PAUSE_AFTER_A_BUG", 0.05)
    original, failures = ledger._opened, iter([1, 2])

    def buggy(*arguments: Any, **options: Any) -> Any:
        if next(failures, None):
            raise ZeroDivisionError
        return original(*arguments, **options)

    monkeypatch.setattr(ledger, "_opened", buggy)

    async def body() -> None:
        async with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
            await verifier.ready()
            server.stop()
            await eventually_async(lambda: verifier.metrics().last_error)

    in_a_loop(body)
    assert "unexpected" in caplog.text


def test_it_can_be_closed_from_its_own_hook(server: Server) -> None:
    made: list[Verifier] = []

    def hook(event: VerifierEvent) -> None:
        if event.kind == "snapshot":
            made[0].close()

    made.append(Verifier(server.url, audience=API, policy=SWIFT, on_event=hook))
    made[0].start()
    eventually(lambda: made[0]._threads is None)


# --- fork ---------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_follows_by_itself(server: Server, verifier: Verifier) -> None:
    verifier.wait_until_ready()
    eventually(lambda: verifier.metrics().connected)
    token = server.issuer.token()
    verifier.verify(token)
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(told, b"1" if verifier.verify(token).subject == "ada" else b"0")
            eventually(lambda: is_refused(verifier, token))
            os.write(told, b"2")
        finally:
            os._exit(0)
    assert os.read(heard, 1) == b"1"
    eventually(lambda: server.count("/ledger") == 2)
    server.revoke("session", "session-1")
    assert os.read(heard, 1) == b"2"
    os.waitpid(child, 0)
    os.close(heard)
    os.close(told)
    eventually(lambda: is_refused(verifier, token))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_of_a_process_that_follows_in_tasks_does_not_believe_what_was_revoked_since(
    server: Server,
) -> None:
    """A fork takes no task along that would go on: the child was ready, and would have learned nothing any more."""
    token = server.issuer.token()

    async def body() -> None:
        async with Verifier(server.url, audience=API, policy=SWIFT) as verifier:
            await verifier.ready()
            verifier.verify(token)
            heard, told = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    eventually(lambda: is_refused(verifier, token))
                    os.write(told, b"2")
                finally:
                    os._exit(0)
            os.close(told)
            server.revoke("session", "session-1")
            assert await asyncio.to_thread(os.read, heard, 1) == b"2"
            await asyncio.to_thread(os.waitpid, child, 0)
            os.close(heard)

    asyncio.run(body())
