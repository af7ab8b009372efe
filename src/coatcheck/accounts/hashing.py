"""Hashing passwords in a few threads, so that the event loop never waits and memory stays bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TypeVar

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret

from .._core.entropy import random_bytes
from .errors import OverloadedError, UnknownHashError
from .hashes import verify_password
from .policy import Argon2Parameters

__all__ = ["HashingPool"]

_Result = TypeVar("_Result")

_SALT_OCTETS = 16
_DIGEST_OCTETS = 32
_FIRST_GUESS = 0.1  # seconds for one hash, until one has been measured
_WEIGHT = 0.2  # of the latest measurement in the average


class HashingPool:
    """Hashes with argon2id and verifies hashes of every known kind (a ``PasswordHasher``).

    At most ``workers`` hashes are computed at once and at most ``queue`` more wait; whoever comes then is turned away
    at once. The memory for our own hashes is therefore at most ``workers`` times ``memory_kib``. An imported hash may
    need more, up to ``coatcheck.accounts.hashes.bounds``, until its owner has signed in.

    The password of an unknown user costs one argon2id hash of today's parameters, as a wrong one does. A hash that
    was imported, or made with other parameters, costs what it costs, and so tells by time that somebody has not
    signed in since.

    It may be used from several event loops and threads, also one after another.
    """

    def __init__(self, parameters: Argon2Parameters, *, workers: int, queue: int) -> None:
        """Make a pool. Its threads start when they are needed.

        Args:
            parameters: What a hash costs.
            workers: How many are computed at once: up to the number of processors.
            queue: How many may wait.
        """
        if workers < 1 or queue < 0:
            raise ValueError("A pool has at least one worker, and no negative queue.")
        self._parameters = parameters
        self._workers = workers
        self._places = workers + queue
        self._taken = 0
        self._average: float | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="coatcheck-hashing")
        self._prefix = (
            f"$argon2id$v=19$m={parameters.memory_kib},t={parameters.time_cost},p={parameters.parallelism}$"
        )
        # No password has the digest of all zeros: finding one is as hard as inverting argon2.
        self._nobody = f"{self._prefix}{'A' * 22}${'A' * 43}"
        self._length = len(self._nobody)

    @property
    def load(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return self._taken

    async def hash(self, password: str) -> str:
        """Return an argon2id hash of a password, with a new salt, in the PHC string format.

        Raises:
            OverloadedError: If too many wait, or there is no memory.
        """
        return await self._run(lambda: self._hash(password))

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Tell whether a password belongs to a hash.

        ``None`` and a hash that cannot be read cost what a wrong password costs, and are ``False``: what cannot be
        read is refused when it is imported, and here it is nothing that a visitor should hear of.

        Raises:
            OverloadedError: If too many wait, or there is no memory.
        """
        return await self._run(lambda: self._verify(password, encoded))

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether a hash is of another kind than those that are made today, or of other parameters."""
        return not encoded.startswith(self._prefix) or len(encoded) != self._length

    def close(self) -> None:
        """Stop the threads. What is computed is finished; whoever waits is cancelled."""
        self._threads.shutdown(cancel_futures=True)

    def _hash(self, password: str) -> str:
        return hash_secret(
            password.encode("utf-8", "surrogatepass"),
            random_bytes(_SALT_OCTETS),
            time_cost=self._parameters.time_cost,
            memory_cost=self._parameters.memory_kib,
            parallelism=self._parameters.parallelism,
            hash_len=_DIGEST_OCTETS,
            type=Type.ID,
        ).decode("ascii")

    def _verify(self, password: str, encoded: str | None) -> bool:
        if encoded is not None:
            try:
                return verify_password(password, encoded)
            except UnknownHashError:
                pass
        return verify_password(password, self._nobody)

    async def _run(self, compute: Callable[[], _Result]) -> _Result:
        self._take_place()
        try:
            future = self._threads.submit(self._measured, compute)
        except RuntimeError:  # it was closed
            self._leave_place()
            raise
        # Called also when the caller is cancelled before its turn, whose place is free at once then.
        future.add_done_callback(lambda _: self._leave_place())
        return await asyncio.wrap_future(future)

    def _measured(self, compute: Callable[[], _Result]) -> _Result:
        start = perf_counter()
        try:
            result = compute()
        except (HashingError, MemoryError):
            raise OverloadedError(retry_after=self._wait()) from None
        seconds = perf_counter() - start
        with self._lock:
            self._average = seconds + (1 - _WEIGHT) * ((self._average or seconds) - seconds)
        return result

    def _take_place(self) -> None:
        with self._lock:
            if self._taken < self._places:
                self._taken += 1
                return
        raise OverloadedError(retry_after=self._wait())

    def _leave_place(self) -> None:
        with self._lock:
            self._taken -= 1

    def _wait(self) -> float:
        """Return in how many seconds all that waits now will have been computed."""
        return (self._average or _FIRST_GUESS) * max(1.0, self._taken / self._workers)
