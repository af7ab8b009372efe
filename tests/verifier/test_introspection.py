"""Session cookies: asked about once, remembered, and ended by the ledger."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from coatcheck.verifier import (
    CrossSiteError,
    IntrospectionFailedError,
    InvalidTokenError,
    NotAuthenticatedError,
    NotReadyError,
    StaleViewError,
    Verifier,
    VerifierConfigurationError,
    VerifierPolicy,
)
from coatcheck.verifier.turns import Turns
from tests.verifier.issuer import API
from tests.verifier.server import Connection, Server, eventually, serving

SECRET = "0123456789abcdef0123456789abcdef0123456789a"
HEADERS = {"Host": "app.example", "Cookie": f"x=1; __Host-coatcheck={SECRET}"}
POLICY = VerifierPolicy(first_pause=0.02, longest_pause=0.1, silence=4.0, request_timeout=2.0)

server = pytest.fixture(serving)


def session(**members: Any) -> dict[str, Any]:
    now = time.time()
    return {
        "active": True,
        "token_type": "session",
        "sub": "ada",
        "sid": "session-1",
        "scope": "read write",
        "exp": now + 86_400,
        "iat": now,
        "cache_until": now + 300,
        "auth_time": int(now) - 60,
        "amr": ["pwd"],
        "acr": "aal1",
        **members,
    }


@pytest.fixture
def verifier(server: Server) -> Iterator[Verifier]:
    server.sessions[SECRET] = session()
    with Verifier(server.url, audience=API, key="cck_key", cookies="session", policy=POLICY) as verifier:
        verifier.wait_until_ready()
        yield verifier


def test_a_cookie_is_asked_about_once(server: Server, verifier: Verifier) -> None:
    for _ in range(5):
        principal = verifier.authenticate(HEADERS)
        assert principal is not None
    assert principal is not None
    assert (principal.subject, principal.session_id, principal.via) == ("ada", "session-1", "cookie")
    assert principal.scopes == {"read", "write"}
    assert principal.claims["acr"] == "aal1"
    assert server.forms == [f"token={SECRET}".encode()]
    assert server.authorizations[-1] == "Bearer cck_key"
    assert verifier.metrics().cached == 1


def test_a_cookie_is_asked_about_in_an_event_loop_too(server: Server, verifier: Verifier) -> None:
    async def body() -> None:
        found = await asyncio.gather(*(verifier.require_async(HEADERS, scopes=("read",)) for _ in range(5)))
        assert {principal.subject for principal in found} == {"ada"}
        assert await verifier.authenticate_async({}) is None
        token = {"authorization": f"Bearer {server.issuer.token()}"}
        assert (await verifier.require_async(token)).via == "bearer"
        with pytest.raises(InvalidTokenError):
            await verifier.require_async({"authorization": "Bearer x"})

    asyncio.run(body())
    assert len(server.forms) == 1


def test_a_session_that_has_ended_is_refused_without_asking(server: Server, verifier: Verifier) -> None:
    verifier.authenticate(HEADERS)
    server.revoke("session", "session-1")
    eventually(lambda: verifier.metrics().entries == 1)
    for _ in range(3):
        assert verifier.authenticate(HEADERS) is None
    with pytest.raises(NotAuthenticatedError):
        verifier.require(HEADERS)
    assert len(server.forms) == 1
    assert verifier.metrics().refusals["revoked-session"] == 1


def test_a_session_that_was_renewed_is_asked_about_again_and_may_still_be_good(
    server: Server, verifier: Verifier
) -> None:
    """An e-mail change voids what the session has shown of the old address; its cookie stays what it was."""
    verifier.authenticate(HEADERS)
    server.revoke("session", "session-1", cutoff=time.time())
    eventually(lambda: verifier.metrics().entries == 1)
    for _ in range(2):
        assert verifier.authenticate(HEADERS) is not None
    assert len(server.forms) == 2


def test_an_answer_is_not_believed_because_it_states_a_later_instant_than_a_cut_off_that_it_did_not_see(
    server: Server, verifier: Verifier
) -> None:
    """The cut-off was taken before the server looked, and committed after."""
    seen: list[str] = []

    def late(connection: Connection) -> None:
        if not seen:
            server.revoke("user", "ada", cutoff=time.time() - 5)
            eventually(lambda: verifier.metrics().entries == 1)
        seen.append("asked")
        scope = "all" if len(seen) == 1 else "less"
        connection.answer(200, msgspec.json.encode(session(iat=time.time(), scope=scope)))

    server.scripts["/introspect"] = late
    principal = verifier.authenticate(HEADERS)
    assert principal is not None
    assert principal.scopes == {"less"}
    assert len(seen) == 2


def test_who_is_spoken_of_without_end_is_refused_rather_than_believed(
    server: Server, verifier: Verifier
) -> None:
    asked: list[int] = []

    def late(connection: Connection) -> None:
        asked.append(verifier.metrics().epoch)
        server.revoke("user", "ada", cutoff=time.time())
        eventually(lambda: verifier.metrics().epoch > asked[-1])
        connection.answer(200, msgspec.json.encode(session(iat=time.time() + 60)))

    server.scripts["/introspect"] = late
    with pytest.raises(IntrospectionFailedError):
        verifier.authenticate(HEADERS)
    assert len(asked) == 3


def test_a_cut_off_of_its_user_has_it_asked_about_again(server: Server, verifier: Verifier) -> None:
    verifier.authenticate(HEADERS)
    cutoff = time.time()
    server.sessions[SECRET] = session(iat=cutoff + 1, scope="read")
    server.revoke("user", "ada", cutoff=cutoff)
    eventually(lambda: verifier.metrics().entries == 1)
    principal = verifier.authenticate(HEADERS)
    assert principal is not None
    assert principal.scopes == {"read"}
    assert len(server.forms) == 2


def test_an_answer_that_the_ledger_has_overtaken_is_refused(server: Server, verifier: Verifier) -> None:
    """The session ends after the server has looked, and the ledger says so before the answer comes."""

    def late(connection: Connection) -> None:
        server.revoke("session", "session-1")
        eventually(lambda: verifier.metrics().entries == 1)
        connection.answer(200, msgspec.json.encode(session()))

    server.scripts["/introspect"] = late
    assert verifier.authenticate(HEADERS) is None
    assert verifier.metrics().refusals == {"revoked-session": 1}
    assert verifier.metrics().cached == 0


@pytest.mark.parametrize("name", ["exp", "cache_until"])
def test_an_answer_is_asked_for_again_when_it_says_so(server: Server, verifier: Verifier, name: str) -> None:
    server.sessions[SECRET] = session(**{name: time.time() + 0.2})
    verifier.authenticate(HEADERS)
    time.sleep(0.25)
    server.sessions[SECRET] = session()
    verifier.authenticate(HEADERS)
    assert len(server.forms) == 2


def test_an_answer_is_believed_for_an_hour_at_most(server: Server, verifier: Verifier) -> None:
    """The entry that would end it is not kept for longer."""
    server.sessions[SECRET] = session(cache_until=None)
    verifier.authenticate(HEADERS)
    assert verifier._sessions is not None
    known = verifier._sessions._cache.recall(SECRET)
    assert known is not None
    assert known.ends_at <= time.time() + 3600


@pytest.mark.parametrize(
    "answer",
    [
        {"active": False},
        session(active=False),
        session(token_type="Bearer"),
        session(token_type=""),
        session(sub=""),
        session(sid=""),
    ],
    ids=["inactive", "inactive with members", "a token", "a refresh token", "nobody", "no session"],
)
def test_what_is_no_session_is_refused(server: Server, verifier: Verifier, answer: dict[str, Any]) -> None:
    server.sessions[SECRET] = answer
    for _ in range(3):
        assert verifier.authenticate(HEADERS) is None
    assert verifier.metrics().refusals == {"inactive": 3}
    assert len(server.forms) == 1
    assert verifier.metrics().cached == 0


@pytest.mark.parametrize(
    "value", ["x", "a.b.c" * 10, "x" * 300, "%00" * 10], ids=["short", "token", "long", "odd"]
)
def test_what_cannot_be_a_secret_is_not_asked_about(server: Server, verifier: Verifier, value: str) -> None:
    assert verifier.authenticate({"Cookie": f"__Host-coatcheck={value}"}) is None
    assert not server.forms


def test_a_flood_of_cookies_is_remembered_by_nobody(server: Server, verifier: Verifier) -> None:
    assert verifier._sessions is not None
    for number in range(3000):
        verifier._sessions._refuse(f"{number:032d}")
    assert len(verifier._sessions._refused) <= 1024


@pytest.mark.parametrize(
    "script",
    [
        lambda connection: connection.answer(500),
        lambda connection: connection.answer(401),
        lambda connection: connection.answer(302, Location="/elsewhere"),
        lambda connection: connection.answer(200, b"nonsense"),
        lambda connection: connection.answer(200, b"\xff"),
        lambda connection: connection.answer(200, b'{"active":"yes"}'),
        lambda connection: connection.answer(200, b" " * 300_000),
        lambda _: None,
    ],
    ids=["error", "key refused", "redirect", "nonsense", "octets", "type", "long", "nothing"],
)
def test_a_server_that_cannot_be_asked_is_no_reason_to_believe_anybody(
    server: Server, verifier: Verifier, script: Any
) -> None:
    server.scripts["/introspect"] = script
    with pytest.raises(IntrospectionFailedError) as caught:
        verifier.authenticate(HEADERS)
    assert caught.value.status == 503
    assert verifier.metrics().refusals == {"introspection": 1}
    assert "/elsewhere" not in server.requests
    del server.scripts["/introspect"]
    assert verifier.authenticate(HEADERS) is not None


def test_a_server_without_introspection_cannot_be_asked(server: Server, verifier: Verifier) -> None:
    from msgspec.structs import replace

    metadata = verifier._state.metadata
    assert metadata is not None
    verifier._state.metadata = replace(metadata, introspection=None)
    with pytest.raises(IntrospectionFailedError):
        verifier.authenticate(HEADERS)


def test_those_who_ask_at_the_same_time_get_one_answer(server: Server, verifier: Verifier) -> None:
    go = threading.Event()
    original = server.sessions

    def slow(connection: Connection) -> None:
        import msgspec

        server.forms.append(connection.body)
        go.wait(5)
        connection.answer(200, msgspec.json.encode(original[SECRET]))

    server.scripts["/introspect"] = slow
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(verifier.authenticate(HEADERS))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: server.forms)
    go.set()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(server.forms) == 1


def test_those_who_wait_in_vain_are_told_so(server: Server, verifier: Verifier) -> None:
    go = threading.Event()

    def slow(connection: Connection) -> None:
        server.forms.append(connection.body)
        go.wait(5)
        connection.answer(500)

    server.scripts["/introspect"] = slow
    errors: list[Exception] = []

    def ask() -> None:
        try:
            verifier.authenticate(HEADERS)
        except IntrospectionFailedError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: server.forms)
    go.set()
    for thread in threads:
        thread.join()
    assert len(errors) == 3


class Slow:
    """A server that answers when it may."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.go = threading.Event()
        server.scripts["/introspect"] = self.answer

    def answer(self, connection: Connection) -> None:
        secret = connection.body.decode().partition("=")[2]
        self.server.forms.append(connection.body)
        self.go.wait(5)
        connection.answer(200, msgspec.json.encode(self.server.sessions.get(secret, {"active": False})))


def made_up(number: int) -> dict[str, str]:
    return {"Cookie": f"__Host-coatcheck={number:032d}"}


def crowded(server: Server, **tunables: Any) -> Verifier:
    server.sessions[SECRET] = session()
    policy = VerifierPolicy(
        **{"introspections": 2, "first_pause": 0.02, "silence": 4.0, "request_timeout": 2.0, **tunables}
    )
    return Verifier(server.url, audience=API, key="cck_key", cookies="session", policy=policy)


def test_made_up_cookies_make_a_good_one_wait_for_its_turn_and_do_not_shut_it_out(server: Server) -> None:
    """Anybody can send as many as they like at once, without an account."""
    slow = Slow(server)

    async def body(verifier: Verifier) -> None:
        flood = [asyncio.create_task(verifier.authenticate_async(made_up(number))) for number in range(40)]
        await asyncio.to_thread(eventually, lambda: len(server.forms) == 2)
        good = asyncio.create_task(verifier.authenticate_async(HEADERS))
        late = asyncio.create_task(verifier.authenticate_async(made_up(99)))
        await asyncio.sleep(0)
        assert len(server.forms) == 2  # no more than may be asked about at once
        slow.go.set()
        principal = await good
        assert principal is not None
        assert principal.subject == "ada"
        assert await late is None
        assert await asyncio.gather(*flood) == [None] * 40

    with crowded(server) as verifier:
        verifier.wait_until_ready()
        asyncio.run(body(verifier))
        secrets = [form.decode().partition("=")[2] for form in server.forms]
        assert secrets.index(SECRET) >= 39  # first come, first served; two at a time
        assert verifier.metrics().refusals == {"inactive": 41}


def test_a_flood_that_is_too_much_is_refused_and_not_passed_on(server: Server) -> None:
    slow = Slow(server)
    with crowded(server, introspection_queue=0) as verifier:
        verifier.wait_until_ready()

        def ask(number: int) -> None:
            with suppress(IntrospectionFailedError):
                verifier.authenticate(made_up(number))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(server.forms) == 2)
        assert verifier._sessions is not None
        turns = verifier._sessions._turns
        assert turns._free == 0
        with pytest.raises(IntrospectionFailedError):
            verifier.authenticate(HEADERS)
        slow.go.set()
        for thread in threads:
            thread.join()
        assert len(server.forms) == 2
        assert turns._free == 2
        assert not turns._queue


def test_a_place_is_nobodys_for_ever_when_whoever_waits_for_it_goes_away() -> None:
    turns = Turns(1, room=3)
    assert not list(turns.take(within=1))  # taken at once
    waiting = [turns.take(within=1) for _ in range(3)]
    bells = [next(each).bell for each in waiting]
    assert not list(turns.take(within=1))  # no room
    waiting[0].close()
    turns.give_back()
    assert [bell.rung for bell in bells] == [False, True, False]
    waiting[1].close()  # in the moment in which it was its turn
    assert [bell.rung for bell in bells] == [False, True, True]
    with pytest.raises(StopIteration) as end:
        next(waiting[2])
    assert end.value.value is True
    turns.give_back()
    turns.renew()
    assert (turns._free, len(turns._queue)) == (1, 0)


def test_whoever_waits_for_too_long_leaves_the_queue() -> None:
    turns = Turns(0, room=1)
    for _ in range(2):
        waiting = turns.take(within=0.5)
        assert next(waiting).seconds == 0.5
        with pytest.raises(StopIteration) as end:
            next(waiting)
        assert end.value.value is False


def test_one_cookie_many_times_holds_no_thread_of_the_application(server: Server) -> None:
    """While the server is slow, all else that the application does in threads would come to a halt."""
    slow = Slow(server)

    async def body(verifier: Verifier) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        same = [asyncio.create_task(verifier.authenticate_async(HEADERS)) for _ in range(60)]
        others = [asyncio.create_task(verifier.authenticate_async(made_up(number))) for number in range(60)]
        async with asyncio.timeout(2):
            await asyncio.to_thread(eventually, lambda: len(server.forms) == 2)
        ours = [each for each in threading.enumerate() if each.name.startswith("coatcheck introspection")]
        assert len(ours) <= 2
        others[0].cancel()
        others[-1].cancel()
        slow.go.set()
        assert {principal.subject for principal in await asyncio.gather(*same) if principal} == {"ada"}
        await asyncio.gather(*others, return_exceptions=True)

    with crowded(server) as verifier:
        verifier.wait_until_ready()
        asyncio.run(body(verifier))
        assert verifier._sessions is not None
        assert verifier._sessions._turns._free == 2
    assert server.forms.count(f"token={SECRET}".encode()) == 1


def test_an_old_view_believes_no_cookie(server: Server, verifier: Verifier) -> None:
    verifier.authenticate(HEADERS)
    verifier._core._limit = 1.0
    server.quiet = True
    eventually(lambda: verifier.metrics().view_age > 1.1)
    with pytest.raises(StaleViewError):
        verifier.authenticate(HEADERS)
    with pytest.raises(StaleViewError):
        verifier.authenticate({"Cookie": "__Host-coatcheck=" + "y" * 43})


def test_nothing_is_asked_before_the_ledger_was_read() -> None:
    policy = VerifierPolicy(startup_timeout=0.0)
    verifier = Verifier("http://127.0.0.1:1", audience=API, key="cck_key", cookies="session", policy=policy)
    with verifier, pytest.raises(NotReadyError):
        verifier.authenticate(HEADERS)


def test_a_span_for_staleness_is_taken(server: Server) -> None:
    with Verifier(server.url, audience=API, max_staleness=timedelta(hours=1), policy=POLICY) as verifier:
        verifier.wait_until_ready()
        verifier.verify(server.issuer.token())


# --- from another site ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://app.example"},
        {"Origin": "https://trusted.example", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=["same origin", "the user", "origin", "trusted"],
)
def test_an_unsafe_request_of_the_site_itself_is_taken(
    server: Server, verifier: Verifier, headers: dict[str, str]
) -> None:
    verifier._trusted = frozenset({"https://trusted.example"})
    assert verifier.authenticate({**HEADERS, **headers}, method="POST") is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://app.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Origin": "http://[broken", "Host": "localhost:8000"},
    ],
    ids=[
        "nothing said",
        "cross site",
        "same site",
        "another origin",
        "http",
        "null",
        "broken",
        "broken, here",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_a_page_of_another_site_cannot_act_by_the_cookie(
    server: Server, verifier: Verifier, headers: dict[str, str], method: str
) -> None:
    with pytest.raises(CrossSiteError) as caught:
        verifier.authenticate({**HEADERS, **headers}, method=method)
    assert caught.value.status == 403
    assert not server.forms
    assert verifier.metrics().refusals == {"cross-site": 1}


def test_this_machine_is_a_site_over_http_too(server: Server, verifier: Verifier) -> None:
    headers = {**HEADERS, "Host": "localhost:8000", "Origin": "http://localhost:8000"}
    assert verifier.authenticate(headers, method="POST") is not None


def test_a_token_needs_no_proof_of_where_it_comes_from(server: Server, verifier: Verifier) -> None:
    headers = {"Authorization": f"Bearer {server.issuer.token()}", "Sec-Fetch-Site": "cross-site"}
    assert verifier.authenticate(headers, method="POST") is not None


def test_an_event_loop_is_not_held_up_by_a_cookie(server: Server, verifier: Verifier) -> None:
    async def body() -> None:
        with pytest.raises(VerifierConfigurationError):
            verifier.authenticate(HEADERS)
        await verifier.authenticate_async(HEADERS)
        assert verifier.authenticate(HEADERS) is not None  # now it is known

    asyncio.run(body())
