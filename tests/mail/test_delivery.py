import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from coatcheck._core.secrets import Sealer
from coatcheck.flows.messages import EmailChanged, Message, ResetPassword
from coatcheck.flows.ports import Storage
from coatcheck.identity import Client
from coatcheck.mail.delivery import Delivery, pause_after
from coatcheck.mail.development import DevelopmentTransport, DiscardingTransport
from coatcheck.mail.errors import MailDelayedError, MailRefusedError
from coatcheck.mail.mime import Sender
from coatcheck.mail.model import Letter, Letterhead
from coatcheck.mail.outbox import Outbox
from coatcheck.mail.smtp import SMTPTransport
from coatcheck.mail.smtp_url import SMTPServer
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.mail.conftest import NOW, Mailbox

pytestmark = pytest.mark.anyio

CHANGED = EmailChanged(to="ann@example.com", at=NOW, client=Client())
RESET = ResetPassword(to="ann@example.com", link="/reset?token=very-secret", lifetime=600.0)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Scripted:
    """The outside world: takes letters, or fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.sent: list[Letter] = []
        self.attempts = 0
        self.entered = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def send(self, letter: Letter) -> None:
        self.attempts += 1
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(letter)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    made: Storage = MemoryStorage() if request.param == "memory" else SQLiteStorage(tmp_path / "mail.db")
    yield made
    await made.close()


Make = Callable[..., Delivery]


@pytest.fixture
def make(outbox: Outbox, storage: Storage, clock: Clock) -> Make:
    def delivery(transport: Any, **options: Any) -> Delivery:
        return Delivery(outbox, storage, transport, clock=clock, **options)

    return delivery


@pytest.fixture
def queue(outbox: Outbox, storage: Storage, clock: Clock) -> Callable[[Message], Any]:
    async def add(message: Message) -> None:
        await storage.records.add_mail(outbox.compose(message, now=clock.now))
        outbox.wake()

    return add


async def is_empty(storage: Storage) -> bool:
    return await storage.records.claim_mail(NOW * 2, until=NOW * 2) is None


async def test_what_is_queued_is_sent_once(make: Make, queue: Any, storage: Storage) -> None:
    for _ in range(10):
        await queue(CHANGED)
    world = Scripted()
    assert await make(world).deliver_pending() == 10
    assert len({letter.id for letter in world.sent}) == 10
    assert await make(world).deliver_pending() == 0
    assert await is_empty(storage)


async def test_two_processes_never_send_the_same_mail(make: Make, queue: Any) -> None:
    for _ in range(20):
        await queue(CHANGED)
    world = Scripted()
    counts = await asyncio.gather(make(world).deliver_pending(), make(world).deliver_pending())
    assert sum(counts) == len({letter.id for letter in world.sent}) == len(world.sent) == 20


async def test_a_failure_for_now_is_tried_again_later(make: Make, queue: Any, clock: Clock) -> None:
    await queue(CHANGED)
    world = Scripted(MailDelayedError("later."), MailDelayedError("later."))
    delivery = make(world)
    for pause in (0.0, 14.0, 1.1, 29.0):
        clock.now += pause
        assert await delivery.deliver_pending() == 0
    assert world.attempts == 2
    clock.now += 1.1
    assert await delivery.deliver_pending() == 1


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(attempts) for attempts in (1, 2, 3, 8, 9, 10, 10_000)] == [
        *(15.0, 30.0, 60.0, 1_920.0, 3_600.0, 3_600.0, 3_600.0)
    ]


async def test_a_final_refusal_is_given_up_and_logged_without_secrets(
    make: Make, queue: Any, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    await queue(RESET)
    assert await make(Scripted(MailRefusedError("the server answered 550."))).deliver_pending() == 0
    assert await is_empty(storage)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "given up after 1 attempts: the server answered 550." in record.getMessage()
    assert "very-secret" not in caplog.text
    assert "ann@" not in caplog.text


async def test_a_mail_is_given_up_after_a_day(
    make: Make, queue: Any, clock: Clock, *, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    await queue(CHANGED)
    world = Scripted(*[MailDelayedError("later.")] * 100)
    delivery = make(world)
    while "given up" not in caplog.text:
        await delivery.deliver_pending()
        clock.now += 60.0
        assert clock.now < NOW + 2 * 86_400
    assert clock.now == pytest.approx(NOW + 86_400, abs=2 * 3_600)
    assert 25 < world.attempts < 40
    assert await is_empty(storage)


async def test_a_link_that_has_expired_is_not_sent(
    make: Make, queue: Any, clock: Clock, storage: Storage
) -> None:
    await queue(RESET)
    clock.now += 600.0
    world = Scripted()
    assert await make(world).deliver_pending() == 0
    assert world.attempts == 0
    assert await is_empty(storage)


async def test_a_fault_of_ours_delays_that_mail_and_no_other(
    make: Make, queue: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await queue(RESET)
    assert await make(Scripted(ValueError("token=very-secret"))).deliver_pending() == 4
    assert "ValueError in send, line" in caplog.text
    assert "very-secret" not in caplog.text


async def test_a_mail_under_another_secret_is_given_up(
    make: Make, letterhead: Letterhead, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    other = Outbox(Sealer(b"x" * 32), letterhead)
    await storage.records.add_mail(other.compose(CHANGED, now=NOW))
    assert await make(Scripted()).deliver_pending() == 0
    assert "another secret" in caplog.text
    assert await is_empty(storage)


async def test_a_server_that_never_ends_is_left_at_the_deadline(
    make: Make, queue: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("coatcheck.mail.delivery._DEADLINE", 0.01)
    await queue(CHANGED)
    world = Scripted()
    world.gate = asyncio.Event()
    assert await make(world).deliver_pending() == 0
    assert "the server took too long" in caplog.text


async def test_the_task_sends_as_soon_as_it_is_woken_and_stops_gracefully(make: Make, queue: Any) -> None:
    world = Scripted()
    delivery = make(world, poll_interval=3_600.0)
    task = asyncio.create_task(delivery.run())
    await queue(CHANGED)
    async with asyncio.timeout(5):
        await world.entered.wait()
    world.gate = asyncio.Event()
    world.entered.clear()
    await queue(CHANGED)
    async with asyncio.timeout(5):
        await world.entered.wait()
        delivery.stop()
        await asyncio.sleep(0)
        assert not task.done()  # one is being sent
        world.gate.set()
        await task
    assert len(world.sent) == 2


async def test_the_task_looks_for_mail_that_others_queue(
    make: Make, outbox: Outbox, storage: Storage
) -> None:
    world = Scripted()
    delivery = make(world, poll_interval=0.01)
    task = asyncio.create_task(delivery.run())
    await asyncio.sleep(0)
    await storage.records.add_mail(outbox.compose(CHANGED, now=NOW))
    async with asyncio.timeout(5):
        await world.entered.wait()
        delivery.stop()
        await task
    assert len(world.sent) == 1


async def test_the_task_outlives_a_storage_that_fails(
    outbox: Outbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    class Failing:
        @property
        def records(self) -> Any:
            if caplog.records:
                asked.set()
            raise OSError("disk full")

    delivery = Delivery(outbox, cast("Storage", Failing()), Scripted(), clock=clock, poll_interval=0.01)
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(5):
        await asked.wait()
        delivery.stop()
        await task
    assert "OSError" in caplog.text


async def test_through_a_real_server_a_greylisted_mail_arrives_later(
    make: Make, queue: Any, clock: Clock, *, mailbox: Mailbox, sender: Sender
) -> None:
    mailbox.answers.append("451 4.7.1 come back later")
    await queue(RESET)
    server = SMTPServer(host="127.0.0.1", port=mailbox.port, implicit_tls=False)
    delivery = make(SMTPTransport(server, sender))
    assert await delivery.deliver_pending() == 0
    clock.now += 16.0
    assert await delivery.deliver_pending() == 1
    assert [message["To"] for message in mailbox.messages] == ["ann@example.com"]


async def test_development_prints_and_keeps_the_last_fifty(make: Make, queue: Any) -> None:
    printed: list[str] = []
    transport = DevelopmentTransport(printed.append)
    for _ in range(60):
        await queue(RESET)
    assert await make(transport).deliver_pending() == 60
    assert len(transport.mails) == 50
    mail = transport.mails[0]
    assert mail.links == ("https://example.com/auth/reset?token=very-secret",)
    assert "\nhttps://example.com/auth/reset?token=very-secret\n" in printed[0]
    assert "Mail to ann@example.com: Set a new password for Example" in printed[0]


async def test_development_keeps_the_newest_first_and_the_terminal_safe(outbox: Outbox) -> None:
    printed: list[str] = []
    transport = DevelopmentTransport(printed.append)
    for to in ("one@example.com", "two\x1b[2J@example.com"):
        await transport.send(outbox.write(ResetPassword(to=to, link="/r", lifetime=60.0), now=NOW))
    assert [mail.to for mail in transport.mails] == ["two\x1b[2J@example.com", "one@example.com"]
    assert "\x1b" not in "".join(printed)


async def test_development_prints_to_standard_output(
    outbox: Outbox, capsys: pytest.CaptureFixture[str]
) -> None:
    await DevelopmentTransport().send(outbox.write(RESET, now=NOW))
    assert "very-secret" in capsys.readouterr().out


async def test_mail_that_is_off_is_forgotten(make: Make, queue: Any, storage: Storage) -> None:
    await queue(CHANGED)
    assert await make(DiscardingTransport()).deliver_pending() == 1
    assert await is_empty(storage)
