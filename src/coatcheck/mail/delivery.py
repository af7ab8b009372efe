"""Delivery: what is queued is sent, tried again if need be, and given up in the end.

Several processes may deliver from one queue: whoever claims a mail has it for some minutes. A process that is killed
between the server's word and its own note delivers that mail twice; never is one lost.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from .._core.clock import Clock, system_clock
from ..flows.model import QueuedMail
from ..flows.ports import Storage
from .errors import MailDelayedError, MailRefusedError
from .model import Transport
from .outbox import Outbox

__all__ = ["Delivery", "pause_after"]

_log = logging.getLogger("coatcheck.mail")

_AT_ONCE = 4
_DEADLINE = 120.0  # a server that sends an octet now and then must not hold a mail for ever
_CLAIM = 300.0  # longer than the deadline, so that nobody else takes a mail that is being sent
_FIRST_PAUSE = 15.0
_LONGEST_PAUSE = 3_600.0
_GIVE_UP = 86_400.0


def pause_after(attempts: int) -> float:
    """Return how long to wait after so many vain attempts, in seconds: 15, 30, 60 … up to an hour."""
    return float(min(_FIRST_PAUSE * 2 ** min(attempts - 1, 16), _LONGEST_PAUSE))


class Delivery:
    """Delivers what is queued. One in each process; ``run`` is its task.

    Attributes:
        tally: How many mails were ``delivered``, attempts ``delayed``, mails given up as ``failed``, here so far.
    """

    def __init__(
        self,
        outbox: Outbox,
        storage: Storage,
        transport: Transport,
        *,
        clock: Clock = system_clock,
        poll_interval: float = 10.0,
    ) -> None:
        """Take the outbox that opens mails, where they are queued, and how to send them.

        Args:
            outbox: Opens them, and says when there are new ones.
            storage: Has the queue.
            transport: Sends them.
            clock: Tells the time.
            poll_interval: After how many seconds to look for what other processes have queued, or has come due.
        """
        self._outbox = outbox
        self._storage = storage
        self._transport = transport
        self._clock = clock
        self._poll_interval = poll_interval
        self._stopping = False
        self.tally: dict[str, int] = {"delivered": 0, "delayed": 0, "failed": 0}

    async def run(self) -> None:
        """Deliver until ``stop``. Whatever goes wrong with a mail, or the storage, this goes on."""
        while not self._stopping:
            self._outbox.waiting.clear()
            try:
                await self.deliver_pending()
            except Exception as error:  # noqa: BLE001 - the mails of tomorrow must not depend on it
                _log.error("Mail: the queue could not be worked off: %s.", _in_words(error))
            if not self._stopping:
                await self._wait()

    def stop(self) -> None:
        """Let ``run`` return as soon as what is being sent is sent."""
        self._stopping = True
        self._outbox.wake()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._poll_interval):
                await self._outbox.waiting.wait()
        except TimeoutError:
            return  # time to look, asked or not

    async def deliver_pending(self) -> int:
        """Deliver all that is due; return how many mails were delivered."""
        counts = await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))
        return sum(counts)

    async def _work(self) -> int:
        delivered = 0
        while not self._stopping:
            now = self._clock()
            mail = await self._storage.records.claim_mail(now, until=now + _CLAIM)
            if mail is None:
                break
            delivered += await self._deliver(mail)
        return delivered

    async def _deliver(self, mail: QueuedMail) -> bool:
        try:
            await self._send(mail)
        except MailRefusedError as error:
            await self._give_up(mail, error.message)
        except MailDelayedError as error:
            await self._delay(mail, error.message)
        except TimeoutError:
            await self._delay(mail, "the server took too long.")
        except Exception as error:  # noqa: BLE001 - a fault of ours: the other mails go out all the same
            await self._delay(mail, f"{_in_words(error)}.")
        else:
            await self._storage.records.delete_mail(mail.id)
            self.tally["delivered"] += 1
            return True
        return False

    async def _send(self, mail: QueuedMail) -> None:
        letter = self._outbox.open(mail)
        if letter.useless_after is not None and self._clock() >= letter.useless_after:
            raise MailRefusedError("its link has expired.")
        async with asyncio.timeout(_DEADLINE):
            await self._transport.send(letter)

    async def _delay(self, mail: QueuedMail, reason: str) -> None:
        pause = pause_after(mail.attempts)
        due_at = self._clock() + pause
        if due_at - mail.created_at > _GIVE_UP:
            await self._give_up(mail, reason)
            return
        # What a server says may quote the letter, and with it a link that works: only our own words are logged.
        self.tally["delayed"] += 1
        _log.warning("Mail %s: attempt %d failed: %s", mail.id, mail.attempts, reason)
        async with self._storage.transaction(mail.id) as records:
            await records.delete_mail(mail.id)
            await records.add_mail(msgspec.structs.replace(mail, due_at=due_at))

    async def _give_up(self, mail: QueuedMail, reason: str) -> None:
        self.tally["failed"] += 1
        _log.error("Mail %s: given up after %d attempts: %s", mail.id, mail.attempts, reason)
        await self._storage.records.delete_mail(mail.id)


def _in_words(error: Exception) -> str:
    """Return the kind of an unexpected error and where it was raised; its own words may hold a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"
    return f"{type(error).__name__}{where}"
