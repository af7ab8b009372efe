"""The Redis server as the rest of this package has it: there, or away for the moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

from ..._core.clock import Clock
from ..errors import StorageMisuseError
from .addresses import check_address, shown
from .scripts import CHANGE, EXPIRE

__all__ = ["FAILURES", "AwayError", "Connections", "Server"]

_log = logging.getLogger("coatcheck.storage")
Result = TypeVar("Result")
Client = Redis

FAILURES: Final = (RedisError, OSError, TimeoutError)
"""What the driver raises if the server is not there, is slow, or refuses."""

_LISTENS: Final = 2.0  # seconds that the connection which listens waits for each answer


class AwayError(Exception):
    """Redis cannot be used at the moment: do without it. Never leaves this package."""


class Connections:
    """The connections of one event loop.

    Attributes:
        client: For commands.
        listener: For the one that waits.
        places: Held by whoever asks: as many as there are connections.
        probing: Held by whoever finds out whether the server is there.
        turn: Held by whoever was overtaken and tries again.
        change: The script.
        expire: Likewise.
    """

    def __init__(self, url: str, *, patience: float, most: int) -> None:
        # One that tells beside those that ask. Who waits for a connection waits for ``places``, in the order of coming.
        self.client: Client = _client(
            url, most=most + 2, patience=patience, answers_within=patience, retries=1
        )
        # Over a new connection it has to find its place first.
        self.listener: Client = _client(
            url, most=1, patience=patience, answers_within=patience + _LISTENS, retries=0
        )
        self.places: asyncio.Semaphore = asyncio.Semaphore(most)
        self.probing: asyncio.Lock = asyncio.Lock()
        self.turn: asyncio.Lock = asyncio.Lock()
        self.change: AsyncScript = self.client.register_script(CHANGE)
        self.expire: AsyncScript = self.client.register_script(EXPIRE)

    async def close(self) -> None:
        """Close all."""
        for client in (self.client, self.listener):
            await client.aclose(close_connection_pool=True)


def _client(url: str, *, most: int, patience: float, answers_within: float, retries: int) -> Client:
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url,
        max_connections=most,
        timeout=patience,
        socket_connect_timeout=patience,
        socket_timeout=answers_within,
        # A connection may be of before the server's restart. Who waited in vain does not wait again.
        retry=Retry(NoBackoff(), retries, supported_errors=(ConnectionLostError,)),
        client_name="coatcheck",
        protocol=2,  # enough for this, and one round trip less for each connection
    )
    return Redis(connection_pool=pool)


class Server:
    """Asks the server, and after a failure not for a while: nobody waits for one that is away.

    Args:
        url: Where it is.
        patience: How many seconds to wait for it.
        pause: For how many seconds not to ask again.
        most: How many connections there may be.
        prefix: What the names of all keys begin with.
        ticks: A clock that only goes on.

    Attributes:
        prefix: The same.
        is_up: Whether it answers; ``None`` if it was never asked.
        round_trips: How often it was asked.
        errors: How often in vain.

    Raises:
        StorageOpenError: If the address cannot be used.
    """

    def __init__(
        self, url: str, *, patience: float, pause: float, most: int, prefix: str, ticks: Clock
    ) -> None:
        check_address(url)
        self._url = url
        self._patience = patience
        self._pause = pause
        self._most = most
        self._ticks = ticks
        self._retry_at = 0.0
        self._connections: Connections | None = None
        self._has_looked = False
        self.prefix: str = prefix
        self.is_up: bool | None = None
        self.round_trips: int = 0
        self.errors: int = 0

    def connect(self) -> Connections:
        """Begin to serve the running event loop: a connection is made when one is needed."""
        self._connections = Connections(self._url, patience=self._patience, most=self._most)
        return self._connections

    def disconnect(self) -> None:
        """Serve nobody any more."""
        self._connections = None

    async def ask(self, work: Callable[[Connections], Awaitable[Result]]) -> Result:
        """Do something with the server.

        Raises:
            AwayError: If it is away, or refuses. It may have been done nevertheless.
        """
        connections = self._connections
        if connections is None:
            raise StorageMisuseError("The storage is closed.")
        async with connections.places:
            if not self.is_up:  # it may have gone while this waited
                await self._try(connections)
            try:
                return await work(connections)
            except FAILURES as error:
                self._fail(error)
                raise AwayError from error

    async def tell(self, work: Callable[[Connections], Awaitable[object]]) -> None:
        """Do something with the server that does not matter, if it is there."""
        if self._connections is not None and self.is_up:
            try:
                await work(self._connections)
            except FAILURES:
                self.errors += 1

    async def _try(self, connections: Connections) -> None:
        """Find out whether the server is there, and takes what is written."""
        if self._ticks() < self._retry_at:
            raise AwayError
        if self.is_up is False:
            # One tries, and the others do without in the meantime. Before anything is known, all wait for the first.
            self._retry_at = self._ticks() + self._pause
            await self._prove(connections)
            return
        async with connections.probing:
            if not self.is_up:
                if self._ticks() < self._retry_at:
                    raise AwayError
                await self._prove(connections)

    async def _prove(self, connections: Connections) -> None:
        probe = f"{self.prefix}:probe"
        self.round_trips += 2
        try:
            # All that is needed: one that is full, or a replica, answers when it is read.
            await connections.client.zmscore(probe, ["probe"])
            await connections.change(keys=[probe], args=["probe", "*", "1"])
            await self._look(connections.client)
        except FAILURES as error:
            self._fail(error)
            raise AwayError from error
        if self.is_up is False:
            _log.warning("Redis at %s is back: limits are counted there again", shown(self._url))
        self.is_up = True

    async def _look(self, client: Client) -> None:
        """Tell the operator, once, if the server throws away what nobody told it to."""
        if self._has_looked:
            return
        self._has_looked = True
        try:
            found: Mapping[Any, Any] = await client.config_get("maxmemory-policy")
        except ResponseError:  # a managed server may not show it
            return
        policy = str(found.get("maxmemory-policy", ""))
        if policy.startswith("allkeys"):
            _log.warning(
                "Redis at %s has maxmemory-policy %s: when its memory is full it forgets limits, and guessing may"
                " begin anew. Use noeviction.",
                shown(self._url),
                policy,
            )

    def _fail(self, error: BaseException) -> None:
        self.errors += 1
        self._retry_at = self._ticks() + self._pause
        if self.is_up is not False:
            _log.warning(
                "Redis at %s cannot be used (%s): limits are counted in the database",
                shown(self._url),
                _reason(error),
            )
        self.is_up = False


def _reason(error: BaseException) -> str:
    """Return what kind of failure it is, in no words of the server but its code."""
    code = str(error).partition(" ")[0] if isinstance(error, ResponseError) else ""
    return f"{type(error).__name__} {code}".strip() if code.isupper() else type(error).__name__
