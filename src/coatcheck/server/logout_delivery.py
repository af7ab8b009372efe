"""Telling clients that sessions ended (OpenID Connect Back-Channel Logout 1.0 section 2.5).

Each notice has a task of its own, a few at once for one client and not many at once for all, so that a client which is
slow delays no other. One that cannot be reached is left alone for a while, longer each time, and its notices wait. A
notice is sent until its client says that it has it: after a crash, twice rather than never.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import httpx
import msgspec

from ..errors import CoatcheckError
from ..flows.provider.back_channel import BackChannel, OutgoingLogout
from ..flows.signal_endpoints import Address, Endpoint, parse_endpoint
from ..oauth.model import LogoutNotice
from .outbound import Resolver, checked_addresses, make_client, pin, resolve

__all__ = ["LogoutDelivery", "LogoutVerdict", "judge_logout"]

_log = logging.getLogger("coatcheck.logout")

_DEADLINE: Final = 5.0  # to find the host, and again to be answered; both together are shorter than the lease
_MOST_AT_ONCE: Final = 32
_MOST_PER_CLIENT: Final = 2
_MOST_REFUSALS: Final = 5
_LOOK: Final = 1.0  # for what other processes have queued
_BETWEEN_BATCHES: Final = 0.01  # so that others get their turn
_EXPIRE_EVERY: Final = 60.0
_LONGEST_REST: Final = 300.0
_SECONDS: Final = re.compile(r"[0-9]{1,6}", re.ASCII)

_DELIVERED: Final = frozenset({200, 204})  # section 2.8; some frameworks make the one of the other
_REFUSED: Final = 400


class LogoutVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer to a logout token means.

    Attributes:
        delivered: Whether the client has it.
        refused: Whether it says that the token is not good, or that it could not sign the user out.
        retry_after: For how many seconds it asked to be left alone.
        words: The same for the log.
    """

    delivered: bool = False
    refused: bool = False
    retry_after: float = 0.0
    words: str = ""


def judge_logout(status: int, headers: httpx.Headers) -> LogoutVerdict:
    """Return what an answer means (section 2.8). Its body is not read: it may say anything.

    Only 200 and 204 say that the client has it. A redirect is followed nowhere.
    """
    if status in _DELIVERED:
        return LogoutVerdict(delivered=True)
    after = headers.get("retry-after", "")
    return LogoutVerdict(
        refused=status == _REFUSED,
        retry_after=float(after) if _SECONDS.fullmatch(after) else 0.0,
        words=f"it answered {status}",
    )


class LogoutDelivery:
    """Sends what is queued. One in each process; ``run`` is its task."""

    def __init__(
        self,
        back_channel: BackChannel,
        *,
        development: bool,
        resolver: Resolver = resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Take what hands notices out.

        Args:
            back_channel: It.
            development: Whether clients on this machine may be told, and without https.
            resolver: Finds a host's addresses.
            trust: The certificates that are trusted; by default those of ``httpx``, or of ``SSL_CERT_FILE``.
        """
        self._back_channel = back_channel
        self._development = development
        self._resolve = resolver
        self._trust = trust
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._failures: Counter[str] = Counter()  # one after the other, of each client that fails
        self._resting: dict[str, float] = {}  # until when, by the clock of the loop

    async def run(self) -> None:
        """Send until cancelled. Whatever goes wrong with a client, or the storage, this goes on."""
        loop = asyncio.get_running_loop()
        expire_at, is_rung = loop.time() + _EXPIRE_EVERY, True
        try:
            while True:
                pause = _LOOK
                try:
                    if loop.time() >= expire_at:
                        expire_at = loop.time() + _EXPIRE_EVERY
                        await self._expire()
                    pause = await self._round(is_rung=is_rung)
                except (
                    CoatcheckError
                ) as error:  # a busy storage, most likely: they will be sent a moment later
                    _log.warning("telling clients was put off: %s [%s]", error.message, error.code)
                is_rung = await self._back_channel.wait(pause)
        finally:
            await self._stop()

    async def _round(self, *, is_rung: bool) -> float:
        """Send what is due, as far as there is room; return after how many seconds to look again at the latest."""
        is_rung = (swept := await self._back_channel.queue_ended()) > 0 or is_rung
        next_at = await self._back_channel.next_at()
        # What rang may not have been committed when this looked: to claim is to come after it.
        if is_rung or (next_at is not None and not self._back_channel.seconds_until(next_at)):
            await self._start_due()
            next_at = await self._back_channel.next_at()
        if swept:
            return _BETWEEN_BATCHES
        if next_at is None:
            return _LOOK
        # What is due and was not taken has to wait for somebody who rings when they are done, or rests.
        return min(self._back_channel.seconds_until(next_at) or self._shortest_rest(), _LOOK)

    async def _start_due(self) -> None:
        while len(self._tasks) < _MOST_AT_ONCE:
            notice = await self._back_channel.claim(but=self._occupied())
            if notice is None:
                return
            task = asyncio.create_task(self._deliver(notice), name="coatcheck logout")
            self._tasks[task] = notice.client_id
            task.add_done_callback(self._forget)

    def _occupied(self) -> set[str]:
        """Return the clients who have enough to do, or rest."""
        now = asyncio.get_running_loop().time()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        busy = Counter(self._tasks.values())
        # Of one that failed, a single notice tells whether it is back.
        most = {name: 1 if self._failures[name] else _MOST_PER_CLIENT for name in busy}
        return {name for name, count in busy.items() if count >= most[name]} | set(self._resting)

    def _shortest_rest(self) -> float:
        now = asyncio.get_running_loop().time()
        return max(0.01, min((until - now for until in self._resting.values()), default=_LOOK))

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._back_channel.wake()

    async def _stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _expire(self) -> None:
        while count := await self._back_channel.expire():
            _log.warning("%d clients could not be told of the end of sessions, and are given up", count)

    async def _deliver(self, notice: LogoutNotice) -> None:
        try:
            outgoing = await self._back_channel.prepare(notice)
            if outgoing is None:
                return
            verdict = await self._send(outgoing)
        except asyncio.CancelledError:
            await self._back_channel.release(notice)
            raise
        except Exception as error:  # noqa: BLE001 - other clients, and the next attempt, must not depend on it
            verdict = LogoutVerdict(words=_in_words(error))
        try:
            await self._settle(notice, verdict)
        except CoatcheckError as error:  # it will be claimed again when this process's claim has run out
            _log.warning("the end of session %s was not noted as told: %s", notice.sid, error.message)

    async def _settle(self, notice: LogoutNotice, verdict: LogoutVerdict) -> None:
        if verdict.delivered or verdict.refused:  # it is there, whatever it thinks of it
            self._failures.pop(notice.client_id, None)
        else:
            self._rest(notice.client_id)
        if verdict.delivered:
            await self._back_channel.settle(notice)
            return
        pause: float | None = None
        if verdict.refused and notice.attempts >= _MOST_REFUSALS:
            await self._back_channel.settle(notice)
        else:
            pause = await self._back_channel.postpone(notice, at_least=verdict.retry_after)
        _log.warning(
            "client %s was not told of the end of session %s: %s; %s",
            notice.client_id,
            notice.sid,
            verdict.words,
            "it is given up" if pause is None else f"again in {pause:.1f} s",
        )

    def _rest(self, client_id: str) -> None:
        """Leave a client alone for a while: what else is to be told to it would most likely fail too."""
        self._failures[client_id] += 1
        first = self._back_channel.first_pause
        rest = min(first * 2 ** min(self._failures[client_id] - 1, 30), _LONGEST_REST)
        self._resting[client_id] = asyncio.get_running_loop().time() + rest

    async def _send(self, outgoing: OutgoingLogout) -> LogoutVerdict:
        """Send one logout token to the first address of its client's host that can be connected to."""
        endpoint = parse_endpoint(outgoing.uri, development=self._development)
        async with asyncio.timeout(_DEADLINE):
            addresses = await checked_addresses(
                endpoint, resolver=self._resolve, development=self._development
            )
        if self._trust is None:
            self._trust = httpx.create_ssl_context()
        async with asyncio.timeout(_DEADLINE), make_client(self._trust, deadline=_DEADLINE) as client:
            return await _post_to_any(client, outgoing, endpoint, addresses=addresses)


async def _post_to_any(
    client: httpx.AsyncClient, outgoing: OutgoingLogout, endpoint: Endpoint, *, addresses: Sequence[Address]
) -> LogoutVerdict:
    *others, last = addresses
    for address in others:
        with suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await _post(client, outgoing, endpoint, address=address)
    return await _post(client, outgoing, endpoint, address=last)


async def _post(
    client: httpx.AsyncClient, outgoing: OutgoingLogout, endpoint: Endpoint, *, address: Address
) -> LogoutVerdict:
    """Send one logout token to one address, as a form (section 2.5).

    The connection is made to the address that was looked at; the certificate is that of the name.
    """
    pinned = pin(endpoint, address, {"Accept": "*/*"})
    async with client.stream(
        "POST",
        pinned.url,
        data={"logout_token": outgoing.token},
        headers=pinned.headers,
        extensions=pinned.extensions,
    ) as response:
        return judge_logout(response.status_code, response.headers)


def _in_words(error: Exception) -> str:
    """Return what went wrong. Words that are not ours may quote what nobody should read in a log."""
    return error.message if isinstance(error, CoatcheckError) else type(error).__name__
