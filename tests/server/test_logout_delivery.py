"""Telling clients that sessions ended (Back-Channel Logout 1.0): real servers, whatever they answer."""

import asyncio
import dataclasses
import ipaddress
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec
import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.flows.ending import Reason, end_sessions
from coatcheck.flows.provider.policy import ProviderPolicy
from coatcheck.flows.service import Flows
from coatcheck.flows.signal_endpoints import Address
from coatcheck.identity import Client
from coatcheck.oauth.model import OAuthClient
from coatcheck.server import logout_delivery
from coatcheck.server.logout_delivery import LogoutDelivery, LogoutVerdict, judge_logout
from coatcheck.sessions.model import Session
from coatcheck.storage.errors import StorageBusyError
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.granting import said
from tests.flows.world import ManualClock, Tunables, World
from tests.server.signal_receivers import Answer, Receiver, receiving

QUICK = ProviderPolicy(
    logout_first_pause=timedelta(milliseconds=20), logout_longest_pause=timedelta(milliseconds=100)
)
DONE = Answer(status=200)


class SystemClock(ManualClock):
    def __call__(self) -> float:
        return time.time()


class RealWorld(World):
    """With the system's clock, and impatient."""

    def __init__(self, path: Path, policy: ProviderPolicy) -> None:
        self.provider_policy = policy
        super().__init__(SQLiteStorage(path / "coatcheck.db"), clock=SystemClock())

    def tune(self, tunables: Tunables) -> None:
        super().tune(tunables)
        self.context = dataclasses.replace(self.context, provider=self.provider_policy)
        self.flows = Flows(self.context)

    async def client(self, port: int, name: str = "app", **changes: Any) -> OAuthClient:
        client = OAuthClient(
            id=name,
            name=name,
            created_at=self.clock(),
            backchannel_logout_uri=f"http://127.0.0.1:{port}/logout?a=b",
            id_token_signed_response_alg="ES256",
            **changes,
        )
        await self.storage.records.add_client(client)
        return client

    async def sessions(self, client: str, count: int = 1) -> list[str]:
        """Return sessions of a client, by one user."""
        user_id = f"user-of-{client}"
        if await self.storage.records.find_user(user_id) is None:
            signed_up = await self.signed_up(f"{client}@example.com")
            user_id = signed_up.user.id
        now = self.clock()
        names = [new_identifier() for _ in range(count)]
        for name in names:
            await self.storage.records.add_session(
                Session(
                    id=name,
                    user_id=user_id,
                    digest=None,
                    profile="relaxed",
                    created_at=now,
                    authenticated_at=now,
                    methods=("pwd",),
                    last_seen_at=now,
                    idle_timeout=3600,
                    expires_at=now + 3600,
                    client=Client(),
                    client_id=client,
                )
            )
        return names

    async def end(self, names: Sequence[str]) -> None:
        async with self.storage.transaction() as records:
            await end_sessions(self.context, records, names, reason=Reason.SIGNED_OUT, actor="server")

    def teller(self, *, development: bool = True, **options: Any) -> LogoutDelivery:
        return LogoutDelivery(self.flows.provider.back_channel, development=development, **options)

    async def is_done(self) -> bool:
        return await self.storage.records.next_logout_at() is None


@asynccontextmanager
async def delivering(world: RealWorld, **options: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(world.teller(**options).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - it waits for a database, or a log
            await asyncio.sleep(0.005)


def run(path: Path, body: Callable[[RealWorld], Awaitable[None]], policy: ProviderPolicy = QUICK) -> None:
    async def drive() -> None:
        world = RealWorld(path, policy)
        try:
            await body(world)
        finally:
            await world.close()

    asyncio.run(drive())


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return what the logout tokens say."""
    return [said(parse_qs(body, strict_parsing=True)["logout_token"][0]) for _, body in receiver.requests]


def sids(receiver: Receiver) -> list[str]:
    return [each["sid"] for each in told(receiver)]


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logout_delivery, "_LOOK", 0.05)


def test_back_channel_logout_2_5_a_client_is_told_by_a_form_with_one_logout_token(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            names = await world.sessions("app", 3)
            async with delivering(world):
                await world.end(names)
                await until(world.is_done)
        assert sorted(sids(receiver)) == sorted(names)
        headers, form = receiver.requests[0]
        assert headers[":path"] == "/logout?a=b"
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        assert headers["host"] == f"127.0.0.1:{port}"
        assert "cookie" not in headers
        assert list(parse_qs(form)) == ["logout_token"]

    run(tmp_path, body)


@pytest.mark.parametrize("status", [200, 204])
def test_back_channel_logout_2_8_these_answers_say_that_the_client_knows(status: int) -> None:
    assert judge_logout(status, httpx.Headers()) == LogoutVerdict(delivered=True)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=201),
        Answer(status=202),
        Answer(status=301, headers={"Location": "/elsewhere"}),
        Answer(status=307, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(status=400, body=b'{"error":"invalid_request"}'),
        Answer(status=401),
        Answer(status=404),
        Answer(status=429, headers={"Retry-After": "soon"}),
        Answer(status=500, body=b"\xff" * 100_000),
        Answer(status=503, headers={"Retry-After": "0"}),
        Answer(status=504),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:20]!r}",
)
def test_whatever_else_a_client_answers_it_is_told_again_the_same(tmp_path: Path, answer: Answer) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.answers, receiver.lasting = [answer, answer], DONE
            await world.client(port)
            async with delivering(world):
                await world.end(await world.sessions("app"))
                await until(world.is_done)
        assert len(receiver.requests) == 3
        assert len({each["jti"] for each in told(receiver)}) == 1
        assert {headers[":path"] for headers, _ in receiver.requests} == {"/logout?a=b"}

    run(tmp_path, body)


def test_a_client_that_refuses_a_token_five_times_is_not_asked_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = Answer(status=400, body=b"quoted secret")
            await world.client(port)
            async with delivering(world):
                await world.end(await world.sessions("app"))
                await until(world.is_done)
        assert len(receiver.requests) == 5

    run(tmp_path, body)
    assert "it answered 400; it is given up" in caplog.text
    assert "quoted secret" not in caplog.text


def test_a_client_that_is_down_for_a_while_is_told_of_everything_when_it_is_back(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
        await world.client(port)
        names = await world.sessions("app", 6)
        async with delivering(world):
            await world.end(names[:5])

            async def has_failed() -> bool:
                claimed = await world.storage.records.claim_logout_notice(0, until=0)
                return claimed is None and any(delivery_failures(caplog_records))

            caplog_records: list[logging.LogRecord] = []
            handler = Keeping(caplog_records)
            logging.getLogger("coatcheck.logout").addHandler(handler)
            try:
                await until(has_failed)
            finally:
                logging.getLogger("coatcheck.logout").removeHandler(handler)
            await world.end(names[5:])
            with receiving(port=port, receiver=receiver):
                await until(world.is_done)
        assert sorted(sids(receiver)) == sorted(names)

    run(tmp_path, body)


class Keeping(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def delivery_failures(records: list[logging.LogRecord]) -> list[str]:
    return [each.getMessage() for each in records if "was not told" in each.getMessage()]


def test_one_slow_client_with_many_sessions_delays_nobody(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (slow, slow_port), receiving() as (quick, quick_port):
            slow.lasting, quick.lasting = Answer(status=200, hold=hold), DONE
            await world.client(slow_port, "slow")
            await world.client(quick_port, "quick")
            of_slow, of_quick = await world.sessions("slow", 40), await world.sessions("quick", 4)
            async with delivering(world):
                await world.end(of_slow)
                await world.end(of_quick)
                await asyncio.to_thread(quick.wait, 4)
                assert len(slow.requests) <= 2
                hold.set()
                await until(world.is_done)
        assert sorted(sids(slow)) == sorted(of_slow)
        assert sorted(sids(quick)) == sorted(of_quick)

    run(tmp_path, body)


def test_a_client_that_does_not_answer_is_left_and_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logout_delivery, "_DEADLINE", 0.2)

    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (receiver, port):
            receiver.answers, receiver.lasting = [Answer(status=200, hold=hold)], DONE
            await world.client(port)
            async with delivering(world):
                await world.end(await world.sessions("app"))
                await until(world.is_done)
            hold.set()
        assert len(receiver.requests) == 2

    run(tmp_path, body)


def test_a_client_that_asks_to_be_left_alone_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy = ProviderPolicy(
        logout_first_pause=timedelta(milliseconds=20), logout_longest_pause=timedelta(seconds=30)
    )

    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = Answer(status=503, headers={"Retry-After": "20"})
            await world.client(port)
            async with delivering(world):
                await world.end(await world.sessions("app"))

                async def is_put_off() -> bool:
                    return "it answered 503; again in 20.0 s" in caplog.text

                await until(is_put_off)
            assert len(receiver.requests) == 1

    run(tmp_path, body, policy)


def test_a_client_that_cannot_be_told_is_given_up_after_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy = ProviderPolicy(
        logout_first_pause=timedelta(milliseconds=20), logout_keep=timedelta(milliseconds=100)
    )

    async def body(world: RealWorld) -> None:
        with receiving() as (_, port):
            pass
        await world.client(port)
        async with delivering(world):
            await world.end(await world.sessions("app"))
            await until(world.is_done)

    run(tmp_path, body, policy)
    assert "it is given up" in caplog.text


def test_what_waited_for_too_long_is_given_up_without_being_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logout_delivery, "_EXPIRE_EVERY", 0.0)
    policy = ProviderPolicy(logout_keep=timedelta(0))

    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            await world.client(port)
            await world.end(await world.sessions("app", 3))
            async with delivering(world):
                await until(world.is_done)
            assert receiver.requests == []

    run(tmp_path, body, policy)
    assert "3 clients could not be told" in caplog.text


def test_a_stop_gives_a_notice_back_at_once(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (receiver, port):
            receiver.answers, receiver.lasting = [Answer(status=200, hold=hold)], DONE
            await world.client(port)
            async with delivering(world):
                await world.end(await world.sessions("app"))
                await asyncio.to_thread(receiver.wait, 1)
            hold.set()
            async with delivering(world):
                await until(world.is_done)
        assert len(receiver.requests) == 2

    run(tmp_path, body)


def test_what_another_process_queues_is_sent_too(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            names = await world.sessions("app")
            other = RealWorld(tmp_path, QUICK)
            try:
                async with delivering(world):
                    await other.end(names)
                    await asyncio.to_thread(receiver.wait, 1)
            finally:
                await other.close()
        assert sids(receiver) == names

    run(tmp_path, body)


def test_of_two_processes_one_sends_each_notice(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            names = await world.sessions("app", 20)
            other = RealWorld(tmp_path, QUICK)
            try:
                async with delivering(world), delivering(other):
                    await world.end(names)
                    await until(world.is_done)
            finally:
                await other.close()
        assert sorted(sids(receiver)) == sorted(names)

    run(tmp_path, body)


def test_the_end_of_everything_is_told_to_all_clients(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            names = await world.sessions("app", 120)
            async with delivering(world):
                await world.flows.revoking.everything(actor="administrator")
                await asyncio.to_thread(receiver.wait, 120)
                await until(world.is_done)
        assert sorted(sids(receiver)) == sorted(names)

    run(tmp_path, body)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "127.0.0.1", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"],
)
def test_attack_ssrf_a_client_whose_host_is_inside_of_the_network_is_never_connected_to(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def resolver(_: str, __: int) -> Sequence[Address]:
        return [ipaddress.ip_address("93.184.216.34"), ipaddress.ip_address(address)]

    async def body(world: RealWorld) -> None:
        client = await world.client(1)
        await world.storage.records.replace_client(
            OAuthClient(
                id=client.id,
                name="app",
                created_at=0,
                backchannel_logout_uri="https://rp.example/logout",
                id_token_signed_response_alg="ES256",
            )
        )
        async with delivering(world, development=False, resolver=resolver):
            await world.end(await world.sessions("app"))

            async def is_refused() -> bool:
                return "has an address inside of a network" in caplog.text

            await until(is_refused)
        assert await world.storage.records.next_logout_at() is not None

    run(tmp_path, body)


def test_attack_ssrf_plain_http_is_for_development_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            await world.client(port)
            async with delivering(world, development=False):
                await world.end(await world.sessions("app"))

                async def is_refused() -> bool:
                    return "over https only" in caplog.text

                await until(is_refused)
        assert receiver.requests == []

    run(tmp_path, body)


def test_the_next_address_is_tried_where_one_cannot_be_connected_to(tmp_path: Path) -> None:
    async def resolver(_: str, __: int) -> Sequence[Address]:
        return [ipaddress.ip_address("127.0.0.2"), ipaddress.ip_address("127.0.0.1")]

    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            async with delivering(world, resolver=resolver):
                await world.end(await world.sessions("app"))
                await until(world.is_done)
        assert len(receiver.requests) == 1

    run(tmp_path, body)


def test_a_client_that_changed_its_mind_meanwhile_is_told_nothing(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            client = await world.client(port)
            await world.end(await world.sessions("app"))
            changed = msgspec.structs.replace(client, backchannel_logout_uri=None)
            await world.storage.records.replace_client(changed)
            async with delivering(world):
                await until(world.is_done)
            assert receiver.requests == []

    run(tmp_path, body)


def test_what_could_not_be_noted_as_told_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def busy(*_: object) -> None:
        raise StorageBusyError(retry_after=1.0)

    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            with monkeypatch.context() as patch:
                patch.setattr(world.flows.provider.back_channel, "settle", busy)
                async with delivering(world):
                    await world.end(await world.sessions("app"))

                    async def is_told() -> bool:
                        return "was not noted as told" in caplog.text

                    await until(is_told)
            assert not await world.is_done()

    run(tmp_path, body)


def test_a_storage_that_is_busy_or_broken_only_delays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = DONE
            await world.client(port)
            back_channel = world.flows.provider.back_channel
            with monkeypatch.context() as patch:
                patch.setattr(back_channel, "next_at", broken)
                patch.setattr(back_channel, "settle", broken)
                async with delivering(world):
                    await world.end(await world.sessions("app"))

                    async def is_put_off() -> bool:
                        return "telling clients was put off" in caplog.text

                    await until(is_put_off)
            async with delivering(world):
                await asyncio.to_thread(receiver.wait, 1)
                await until(world.is_done)

    async def broken(*_: object) -> None:
        raise StorageBusyError(retry_after=1.0)

    run(tmp_path, body)
