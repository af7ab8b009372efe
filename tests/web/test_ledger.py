"""The feed as a route: who may read it, what is refused, and how a stream begins and ends."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.types import Message

from coatcheck.flows.errors import FeedUnavailableError
from coatcheck.storage.errors import StorageBusyError
from tests.web.sites import SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio
NONCE = "n" * 22
DEVELOPMENT: dict[str, Any] = {
    "mode": "development",
    "base_url": "http://localhost:8000",
    "secret": None,
    "smtp_url": None,
    "mail_from": None,
}


class Stream:
    """A client of the route, as a server would present it."""

    def __init__(self, site: Site, headers: dict[str, str], *, nonce: str = NONCE) -> None:
        self.scope = {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "http_version": "1.1",
            "path": "/auth/ledger",
            "query_string": f"nonce={nonce}".encode(),
            "root_path": "",
            "headers": [(b"host", b"testserver"), *((k.encode(), v.encode()) for k, v in headers.items())],
            "client": ("127.0.0.1", 5000),
        }
        self.site = site
        self.is_gone = asyncio.Event()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.is_full = False
        self._asked = False

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_full:
            await asyncio.Event().wait()
        await self.sent.put(message)

    async def run(self) -> None:
        await self.site.server.app(self.scope, self.receive, self.send)

    async def next(self) -> Message:
        async with asyncio.timeout(5):
            return await self.sent.get()


@asynccontextmanager
async def streaming(site: Site, headers: dict[str, str]) -> AsyncIterator[tuple[Stream, asyncio.Task[None]]]:
    stream = Stream(site, headers)
    task = asyncio.create_task(stream.run())
    try:
        yield stream, task
    finally:
        stream.is_gone.set()
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def key(site: Site) -> str:
    _, key = await site.server.flows.services.add("api")
    return key


async def test_the_stream_is_for_services_and_begins_at_once(site: Site, key: str) -> None:
    async with streaming(site, bearer(key)) as (stream, _):
        start = await stream.next()
        assert start["status"] == 200
        headers = dict(start["headers"])
        assert headers[b"content-type"] == b"text/event-stream"
        assert headers[b"cache-control"] == b"no-store"
        assert headers[b"x-accel-buffering"] == b"no"
        assert b"Accept-Encoding" in headers[b"vary"]
        assert b"content-encoding" not in headers
        assert b"content-length" not in headers
        assert (await stream.next())["body"].startswith(b"event: hello\n")


async def test_without_a_key_there_is_a_bare_challenge(site: Site) -> None:
    async with site.program() as program:
        response = await program.get("/auth/ledger", params={"nonce": NONCE})
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
        assert response.json()["code"] == "service_key_needed"
        basic = await program.get("/auth/ledger", headers={"authorization": "Basic eDp5"})
        assert basic.headers["www-authenticate"] == 'Bearer realm="coatcheck"'


async def test_a_key_of_nobody_is_an_invalid_token(site: Site, key: str) -> None:
    await site.server.flows.services.remove("api")
    async with site.program() as program:
        for sent in (key, "cck_made-up", "x" * 5000):
            response = await program.get("/auth/ledger", params={"nonce": NONCE}, headers=bearer(sent))
            assert response.status_code == 401
            assert 'error="invalid_token"' in response.headers["www-authenticate"]
            assert response.json()["code"] == "unknown_service_key"


async def test_neither_a_session_nor_an_access_token_reads_the_ledger(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.signed_in_browser() as browser:
        assert browser.cookies[SESSION]
        assert (await browser.get("/auth/ledger", params={"nonce": NONCE})).status_code == 401
    async with site.program() as program:
        headers = bearer(tokens["access_token"])
        response = await program.get("/auth/ledger", params={"nonce": NONCE}, headers=headers)
    assert response.status_code == 401


async def test_a_key_in_the_query_or_twice_is_none(site: Site, key: str) -> None:
    async with site.program() as program:
        response = await program.get("/auth/ledger", params={"nonce": NONCE, "access_token": key})
        assert response.status_code == 401
        twice = [("authorization", f"Bearer {key}"), ("authorization", f"Bearer {key}")]
        response = await program.get("/auth/ledger", params={"nonce": NONCE}, headers=twice)
        assert response.status_code == 400
        assert 'error="invalid_request"' in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "nonce=",
        "nonce=short",
        f"nonce={'n' * 65}",
        "nonce=n+n%22n%0An%3Cnnnnnnnnnnnnnn",
        f"nonce={NONCE}&nonce={NONCE}",
    ],
    ids=["none", "empty", "short", "long", "other characters", "twice"],
)
async def test_the_nonce_must_be_one(site: Site, key: str, query: str) -> None:
    async with site.program() as program:
        response = await program.get(f"/auth/ledger?{query}", headers=bearer(key))
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "malformed_request"


@pytest.mark.parametrize(
    "ids",
    [[""], ["1"], ["x.mark"], ["-1.mark"], ["1." + "m" * 33], ["9" * 19 + ".mark"], ["1.mark", "1.mark"]],
    ids=["empty", "no mark", "no number", "negative", "long mark", "huge number", "twice"],
)
async def test_a_malformed_position_is_refused(site: Site, key: str, ids: list[str]) -> None:
    async with site.program() as program:
        headers = [("authorization", f"Bearer {key}"), *(("last-event-id", each) for each in ids)]
        response = await program.get("/auth/ledger", params={"nonce": NONCE}, headers=headers)
    assert response.status_code == 400
    assert "Last-Event-ID" in response.json()["detail"]


async def test_a_position_of_this_ledger_is_gone_on_from(site: Site, key: str) -> None:
    async with streaming(site, bearer(key) | {"last-event-id": "0."}) as (stream, _):
        await stream.next()
        assert (await stream.next())["body"].startswith(b"event: hello\nid: 0.\n")


async def test_head_tells_and_takes_no_reader(site: Site, key: str) -> None:
    async with site.program() as program:
        response = await program.head("/auth/ledger", params={"nonce": NONCE}, headers=bearer(key))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/event-stream"
    assert site.server.flows.feed.readers == 0


@pytest.mark.parametrize(
    "accept, packs",
    [
        ("gzip", True),
        ("br, x-gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br, identity", False),
        ("", False),
    ],
)
async def test_gzip_is_for_who_takes_it(site: Site, key: str, accept: str, *, packs: bool) -> None:
    async with streaming(site, bearer(key) | {"accept-encoding": accept}) as (stream, _):
        start = await stream.next()
        assert (dict(start["headers"]).get(b"content-encoding") == b"gzip") == packs
        body = (await stream.next())["body"]
        site.server.flows.feed.close()
        while (message := await stream.next())["more_body"]:
            body += message["body"]
        text = gzip.decompress(body) if packs else body
        assert text.startswith(b"event: hello\n")
        assert text.endswith(b"\n\n")


async def test_too_many_readers_are_told_to_come_back(site: Site, key: str) -> None:
    feed = site.server.flows.feed
    feed.policy = replace(feed.policy, readers=1)
    async with streaming(site, bearer(key)) as (stream, _):
        await stream.next()
        async with site.program() as program:
            response = await program.get("/auth/ledger", params={"nonce": NONCE}, headers=bearer(key))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["code"] == FeedUnavailableError.code


async def test_development_needs_no_key_but_a_key_must_be_good(tmp_path: Any) -> None:
    async with open_site(**DEVELOPMENT, database=str(tmp_path / "coatcheck.db")) as site:
        host = {"host": "localhost"}
        async with site.program() as program:
            response = await program.get("/auth/ledger", headers=host)
            assert response.status_code == 400  # it is the nonce that is missing
            response = await program.get(
                "/auth/ledger", params={"nonce": NONCE}, headers=host | bearer("cck_x")
            )
            assert response.status_code == 401


async def test_who_goes_leaves_nothing_behind(site: Site, key: str) -> None:
    feed = site.server.flows.feed
    before = len(asyncio.all_tasks())
    for accept in ("gzip", "identity"):
        async with streaming(site, bearer(key) | {"accept-encoding": accept}) as (stream, task):
            await stream.next()
            await stream.next()
            assert feed.readers == 1
            stream.is_gone.set()
            await task
        assert feed.readers == 0
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


async def test_who_goes_in_the_middle_of_being_written_to_leaves_nothing_behind(site: Site, key: str) -> None:
    async with streaming(site, bearer(key)) as (stream, task):
        await stream.next()
        stream.is_full = True
        await asyncio.sleep(0.01)
        stream.is_gone.set()
        await task
    assert site.server.flows.feed.readers == 0


async def test_who_is_cut_off_gets_no_proper_end(site: Site, key: str) -> None:
    feed = site.server.flows.feed
    async with streaming(site, bearer(key)) as (stream, task):
        await stream.next()
        stream.is_full = True
        await asyncio.sleep(0.01)
        (reader,) = feed._readers
        reader.cut(why="for the test")
        async with asyncio.timeout(5):
            await task
    while not stream.sent.empty():
        assert stream.sent.get_nowait()["more_body"]
    assert feed.readers == 0


async def test_a_server_that_gives_up_waiting_leaves_nothing_behind(site: Site, key: str) -> None:
    async with streaming(site, bearer(key)) as (stream, task):
        await stream.next()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert site.server.flows.feed.readers == 0


@pytest.mark.parametrize(
    "error", [StorageBusyError(retry_after=1), RuntimeError("a bug")], ids=["busy", "bug"]
)
async def test_a_failure_in_the_middle_breaks_the_stream_off(
    site: Site,
    key: str,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> bool:
        raise error

    monkeypatch.setattr(site.server.flows.feed, "_catch_up", fail)
    async with streaming(site, bearer(key)) as (stream, task):
        assert (await stream.next())["status"] == 200
        if isinstance(error, RuntimeError):
            with pytest.raises(RuntimeError):
                await task
        else:
            await task
            assert "broke off" in caplog.text
        assert stream.sent.empty()
    assert site.server.flows.feed.readers == 0
