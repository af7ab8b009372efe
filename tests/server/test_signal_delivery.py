"""Pushing events (RFC 8935): to a receiver that is a real server, whatever it answers."""

import asyncio
import datetime as dt
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coatcheck.flows.ending import Reason, revoke
from coatcheck.flows.model import Service, Stream
from coatcheck.flows.signal_endpoints import Address, is_public, may_connect, parse_endpoint
from coatcheck.flows.signal_policy import SignalPolicy
from coatcheck.flows.signal_pushing import pause_after
from coatcheck.flows.signal_sending import Refusal
from coatcheck.flows.signal_streams import DeliveryWish, StreamWish
from coatcheck.server import signal_delivery
from coatcheck.server.outbound import resolve
from coatcheck.server.signal_delivery import SignalDelivery, Verdict, judge
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import ManualClock, Tunables, World
from tests.server.signal_receivers import Answer, Receiver, receiving, refusal

QUICK = SignalPolicy(first_pause=timedelta(milliseconds=20), longest_pause=timedelta(milliseconds=100))


class SystemClock(ManualClock):
    def __call__(self) -> float:
        return time.time()


class RealWorld(World):
    """With the system's clock."""

    def __init__(self, path: Path, policy: SignalPolicy = QUICK) -> None:
        storage = SQLiteStorage(path / "coatcheck.db")
        super().__init__(storage, clock=SystemClock(), tunables=Tunables(signals=policy))

    async def stream(
        self, port: int, name: str = "one", *, path: str = "/events?a=b", authorization: str | None = None
    ) -> tuple[Service, Stream]:
        service, _ = await self.flows.services.add(name)
        delivery = DeliveryWish(
            method="push", endpoint=f"http://127.0.0.1:{port}{path}", authorization=authorization
        )
        wish = StreamWish(delivery=delivery)
        return service, await self.flows.signal_streams.create(service, wish, development=True)

    async def end(self, *names: str) -> None:
        for name in names:
            async with self.storage.transaction() as records:
                await revoke(
                    self.context, records, [("session", name)], reason=Reason.SIGNED_OUT, actor="server"
                )

    def pusher(self, *, development: bool = True, **options: Any) -> SignalDelivery:
        bell = self.context.signals.bell
        return SignalDelivery(
            self.flows.signal_pushing, self.storage, bell, development=development, **options
        )


@asynccontextmanager
async def delivering(world: RealWorld, **options: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(world.pusher(**options).run())
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


async def is_empty(world: RealWorld, stream: Stream) -> bool:
    now = await world.storage.records.find_stream(stream.id)
    waiting = await world.storage.records.count_signals(stream.id, limit=1)
    return not waiting and now is not None and now.due_at is None


async def received(receiver: Receiver, count: int) -> None:
    await asyncio.to_thread(receiver.wait, count)


async def pushed(world: RealWorld) -> None:
    with receiving() as (receiver, port):
        _, stream = await world.stream(port, authorization="Bearer theirs")
        async with delivering(world):
            await world.end("a", "b", "c")
            await until(lambda: is_empty(world, stream))
    assert receiver.seen == ["a", "b", "c"]
    headers, body = receiver.requests[0]
    assert headers[":path"] == "/events?a=b"
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == "Bearer theirs"
    assert headers["host"] == f"127.0.0.1:{port}"
    assert body.count(".") == 2
    assert receiver.claims[0]["aud"] == stream.audience


def test_rfc_8935_section_2_1_each_event_is_a_post_of_one_set_with_the_receivers_own_authorization(
    tmp_path: Path,
) -> None:
    run(tmp_path, pushed)


def run(path: Path, body: Callable[[RealWorld], Awaitable[None]], policy: SignalPolicy = QUICK) -> None:
    async def drive() -> None:
        world = RealWorld(path, policy)
        try:
            await body(world)
        finally:
            await world.close()

    asyncio.run(drive())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200),
        Answer(status=204),
        Answer(status=301, headers={"Location": "/elsewhere"}),
        Answer(status=307, headers={"Location": "http://127.0.0.1:1/"}),
        Answer(status=400),
        Answer(status=400, body=b"<html>"),
        Answer(status=400, body=b"\xff" * 100_000),
        refusal("invalid_key"),
        refusal("authentication_failed"),
        refusal("access_denied"),
        Answer(status=401),
        Answer(status=404),
        Answer(status=429),
        Answer(status=500),
        Answer(status=503, headers={"Retry-After": "soon"}),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:30]!r}",
)
def test_rfc_8935_section_2_what_is_no_acknowledgement_is_tried_again_and_what_follows_waits(
    tmp_path: Path, answer: Answer
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.answers = [answer, answer]
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a", "b")
                await until(lambda: is_empty(world, stream))
        assert receiver.seen == ["a", "a", "a", "b"]
        assert len({each["jti"] for each in receiver.claims}) == 2
        assert {headers[":path"] for headers, _ in receiver.requests} == {"/events?a=b"}

    run(tmp_path, body)


@pytest.mark.parametrize(
    "err", ["invalid_request", "invalid_issuer", "invalid_audience", "invalid_state", "x"]
)
def test_rfc_8935_section_2_3_what_the_receiver_will_never_take_is_logged_and_not_sent_again(
    tmp_path: Path, err: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.answers = [refusal(err, "quoted secret")]
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a", "b")
                await until(lambda: is_empty(world, stream))
        assert receiver.seen == ["a", "b"]
        assert f"refused event {receiver.claims[0]['jti']} and will not get it again: {err}" in caplog.text
        assert "quoted secret" not in caplog.text

    run(tmp_path, body)


def test_a_receiver_that_is_down_for_a_while_gets_everything_in_order_when_it_is_back(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            _, stream = await world.stream(port)
        async with delivering(world):
            await world.end("a", "b", "c")

            async def has_failed() -> bool:
                now = await world.storage.records.find_stream(stream.id)
                return now is not None and now.attempts >= 3

            await until(has_failed)
            await world.end("d")
            with receiving(port=port, receiver=receiver):
                await until(lambda: is_empty(world, stream))
        assert receiver.seen == ["a", "b", "c", "d"]

    run(tmp_path, body)


def test_one_slow_receiver_delays_nobody(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (slow, slow_port), receiving() as (quick, quick_port):
            slow.lasting = Answer(hold=hold)
            _, first = await world.stream(slow_port, "slow")
            _, second = await world.stream(quick_port, "quick")
            async with delivering(world):
                await world.end("a")
                await received(slow, 1)
                await world.end("b", "c")
                await until(lambda: is_empty(world, second))
                assert quick.seen == ["a", "b", "c"]
                assert slow.seen == ["a"]
                hold.set()
                await until(lambda: is_empty(world, first))
        assert slow.seen == ["a", "b", "c"]

    run(tmp_path, body)


def test_a_receiver_that_does_not_answer_is_given_up_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_delivery, "_DEADLINE", 0.2)

    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (receiver, port):
            receiver.answers = [Answer(hold=hold)]
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a")
                await until(lambda: is_empty(world, stream))
            hold.set()
        assert receiver.seen == ["a", "a"]

    run(tmp_path, body)


def test_a_receiver_that_asks_to_be_left_alone_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy = SignalPolicy(first_pause=timedelta(milliseconds=20), longest_pause=timedelta(seconds=30))

    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            receiver.lasting = Answer(status=503, headers={"Retry-After": "20"})
            await world.stream(port)
            async with delivering(world):
                await world.end("a")
                await until(lambda: told("it answered 503; again in 20.0 s"))
            assert receiver.seen == ["a"]

    async def told(words: str) -> bool:
        return words in caplog.text

    run(tmp_path, body, policy)


def test_a_stop_gives_the_stream_back_at_once(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (receiver, port):
            receiver.answers = [Answer(hold=hold)]
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a")
                await received(receiver, 1)
            hold.set()
            async with delivering(world):
                await until(lambda: is_empty(world, stream))
        assert receiver.seen == ["a", "a"]

    run(tmp_path, body)


def test_what_hangs_for_longer_than_its_lease_loses_the_stream(tmp_path: Path) -> None:
    policy = SignalPolicy(lease=timedelta(milliseconds=200))

    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        with receiving() as (receiver, port):
            receiver.answers = [Answer(hold=hold)]
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a", "b")
                await until(lambda: is_empty(world, stream))
            hold.set()
        assert receiver.seen == ["a", "a", "b"]

    run(tmp_path, body, policy)


def test_what_a_receiver_changes_meanwhile_holds_for_the_next_event(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        hold = threading.Event()
        streams = world.flows.signal_streams
        with receiving() as (receiver, port), receiving() as (other, other_port):
            receiver.answers = [Answer(hold=hold)]
            service, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a", "b")
                await received(receiver, 1)
                await streams.set_status(service, stream.id, "paused")
                hold.set()
                await until(lambda: gone(world, stream))
                endpoint = f"http://127.0.0.1:{other_port}/"
                wish = StreamWish(delivery=DeliveryWish(method="push", endpoint=endpoint))
                await streams.update(service, stream.id, wish, development=True)
                await asyncio.sleep(0.05)
                assert other.seen == []
                await streams.set_status(service, stream.id, "enabled")
                await until(lambda: is_empty(world, stream))
        assert (receiver.seen, other.seen) == (["a"], ["b"])

    async def gone(world: RealWorld, stream: Stream) -> bool:
        return await world.storage.records.count_signals(stream.id, limit=9) == 1

    run(tmp_path, body)


def test_another_process_pushes_what_this_one_queued(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        other = RealWorld(tmp_path)
        with receiving() as (receiver, port):
            _, stream = await world.stream(port)
            async with delivering(other):
                await asyncio.sleep(0.3)  # it waits by now
                await world.end("a")
                await until(lambda: is_empty(world, stream))
            assert receiver.seen == ["a"]
        await other.close()

    run(tmp_path, body)


def test_two_processes_push_each_event_once_and_in_order(tmp_path: Path) -> None:
    async def body(world: RealWorld) -> None:
        other = RealWorld(tmp_path)
        names = [str(number) for number in range(30)]
        with receiving() as (receiver, port):
            _, stream = await world.stream(port)
            async with delivering(world), delivering(other):
                for place, name in enumerate(names):
                    await (world if place % 2 else other).end(name)
                await until(lambda: is_empty(world, stream))
        assert receiver.seen == names
        await other.close()

    run(tmp_path, body)


def test_an_authorization_under_another_secret_is_an_error_in_the_log_and_the_event_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            _, stream = await world.stream(port, authorization="Bearer theirs")
            spoilt = await world.storage.records.find_stream(stream.id)
            assert spoilt is not None
            import msgspec

            await world.storage.records.replace_stream(
                msgspec.structs.replace(spoilt, sealed_authorization=b"x" * 40)
            )
            async with delivering(world):
                await world.end("a")
                await until(told)
            assert receiver.seen == []
            assert not await is_empty(world, stream)

    async def told() -> bool:
        return "sealed under another secret" in caplog.text

    run(tmp_path, body)


def test_a_storage_that_fails_for_a_moment_does_not_end_the_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from coatcheck.storage.errors import StorageBusyError

    monkeypatch.setattr(signal_delivery, "_LOOK_FOR_STREAMS", 0.01)
    monkeypatch.setattr(signal_delivery, "_EXPIRE_EVERY", 0.0)

    async def body(world: RealWorld) -> None:
        failures = [StorageBusyError(retry_after=1.0)] * 2
        real = world.flows.signal_pushing.expire

        async def expire() -> int:
            if failures:
                raise failures.pop()
            return await real()

        monkeypatch.setattr(world.flows.signal_pushing, "expire", expire)
        with receiving() as (receiver, port):
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a")
                await until(lambda: is_empty(world, stream))
            assert receiver.seen == ["a"]
        assert "pushing was put off" in caplog.text

    run(tmp_path, body)


# --- server-side request forgery --------------------------------------------------------------------------


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = directory / f"{name}.pem", directory / f"{name}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, private


def resolver(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[Address]]]:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        if not addresses:
            raise socket.gaierror
        return [ipaddress.ip_address(each) for each in addresses]

    return resolve


async def https_stream(world: RealWorld, port: int, host: str = "receiver.example") -> Stream:
    service, _ = await world.flows.services.add("one")
    wish = StreamWish(delivery=DeliveryWish(method="push", endpoint=f"https://{host}:{port}/events"))
    return await world.flows.signal_streams.create(service, wish)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["192.0.2.1", "127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fd00::1"],
        [],
    ],
    ids="+".join,
)
def test_server_side_request_forgery_a_name_that_leads_inside_is_not_connected_to(
    tmp_path: Path, addresses: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            stream = await https_stream(world, port)
            async with delivering(world, development=False, resolver=resolver(*addresses)):
                await world.end("a")
                await until(told)
            assert receiver.requests == []
            assert not await is_empty(world, stream)

    async def told() -> bool:
        return ("inside of a network" if addresses else "gaierror") in caplog.text

    run(tmp_path, body)


def test_a_stream_of_development_is_not_pushed_to_this_machine_in_production(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port):
            await world.stream(port)
            async with delivering(world, development=False):
                await world.end("a")
                await until(told)
            assert receiver.requests == []

    async def told() -> bool:
        return "https only" in caplog.text

    run(tmp_path, body)


@pytest.mark.parametrize(
    "named, trusted", [("receiver.example", True), ("receiver.example", False), ("other.example", True)]
)
def test_rfc_8935_section_5_3_the_certificate_must_be_of_the_name_though_the_connection_is_to_the_address(
    tmp_path: Path,
    named: str,
    *,
    trusted: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain, private = certificate(tmp_path, named)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(chain, private)
    ours = ssl.create_default_context(cafile=chain) if trusted else None
    good = trusted and named == "receiver.example"

    async def body(world: RealWorld) -> None:
        with receiving(tls=theirs) as (receiver, port):
            stream = await https_stream(world, port)
            # Development may connect to this machine; two addresses, and nobody listens at the first.
            where = resolver("127.0.0.2", "127.0.0.1")
            async with delivering(world, development=True, resolver=where, trust=ours):
                await world.end("a")
                await until(lambda: is_empty(world, stream) if good else told())
            assert receiver.seen == (["a"] if good else [])
            if good:
                assert receiver.requests[0][0]["host"] == f"receiver.example:{port}"

    async def told() -> bool:
        return "was not delivered: ConnectError" in caplog.text

    run(tmp_path, body)


def test_a_proxy_that_the_environment_names_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would connect to whatever it likes.
    async def body(world: RealWorld) -> None:
        with receiving() as (receiver, port), receiving() as (proxy, proxy_port):
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy_port}")
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy_port}")
            _, stream = await world.stream(port)
            async with delivering(world):
                await world.end("a")
                await until(lambda: is_empty(world, stream))
            assert (receiver.seen, proxy.requests) == (["a"], [])

    run(tmp_path, body)


@pytest.mark.parametrize(
    "address, public",
    [
        ("192.0.1.1", True),
        ("8.8.8.8", True),
        ("2a00:1450::1", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:192.168.0.1", False),
        ("64:ff9b::c0a8:1", False),
        ("2002:c0a8:1::1", False),
        ("2001:db8::1", False),
    ],
)
def test_an_address_is_of_the_internet_or_not(address: str, *, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_http_leads_to_this_machine_only_even_in_development() -> None:
    endpoint = parse_endpoint("http://receiver.example/", development=True)
    assert may_connect(endpoint, ipaddress.ip_address("127.0.0.1"), development=True)
    assert not may_connect(endpoint, ipaddress.ip_address("8.8.8.8"), development=True)


def test_names_are_resolved_by_the_system() -> None:
    assert ipaddress.ip_address("127.0.0.1") in asyncio.run(resolve("localhost", 80))


# --- small parts ------------------------------------------------------------------------------------------


def test_only_202_is_an_acknowledgement_and_only_an_error_code_with_400_a_refusal() -> None:
    headers = httpx.Headers({"retry-after": "7"})
    assert judge(202, headers, b"ignored") == Verdict(delivered=True)
    refused = judge(400, headers, b'{"err": "invalid_request"}')
    assert refused.refusal == Refusal(err="invalid_request")
    later = judge(500, headers, b'{"err": "invalid_request"}')
    assert (later.refusal, later.retry_after, later.words) == (None, 7.0, "it answered 500")
    assert judge(400, headers, b'{"err": "invalid_key"}').words == "it answered 400 invalid_key"


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
def test_pauses_double_up_to_a_limit_and_differ(luck: float) -> None:
    policy = SignalPolicy()
    pauses = [
        pause_after(attempts, policy, luck=luck) / (1 - luck / 2) for attempts in (1, 2, 3, 9, 10, 10**6)
    ]
    assert pauses == [1.0, 2.0, 4.0, 256.0, 300.0, 300.0]


def test_nothing_that_is_sent_is_shown_in_what_a_debugger_or_a_log_shows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(world: RealWorld) -> None:
        with caplog.at_level(logging.DEBUG, "coatcheck"), receiving() as (_, port):
            _, stream = await world.stream(port, authorization="Bearer theirs")
            await world.end("a")
            claimed = await world.flows.signal_pushing.claim()
            assert claimed is not None
            outgoing = await world.flows.signal_pushing.next(claimed)
            assert "theirs" not in repr(outgoing)
            assert outgoing is not None
            assert outgoing.token not in repr(outgoing)
            assert "theirs" not in repr(DeliveryWish(method="push", authorization="Bearer theirs"))
            await world.flows.signal_pushing.release(claimed)
            async with delivering(world):
                await until(lambda: is_empty(world, stream))
        assert "theirs" not in caplog.text

    run(tmp_path, body)
