"""Redis, under keys of our own that end by themselves, through redis-py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis

from ...storage.redis.addresses import shown
from ..errors import LeftoverError, StoreError
from .base import Kind, Line, new_name

__all__ = ["RedisStore"]

_SECONDS: Final = 5.0
_LONGEST: Final = 900
"""Seconds after which what we have put there ends by itself, even if this process was killed."""

_BATCH: Final = 500


class RedisStore:
    """Sessions in a Redis that somebody else uses for other things."""

    def __init__(self, url: str) -> None:
        """Look whether it answers.

        Raises:
            StoreError: If it does not.
        """
        self.kind: Kind = "redis"
        self.name: str = "Redis"
        self.place: str = shown(url)
        self._url = url
        self._prefix = new_name().encode() + b":"
        self._keys: set[bytes] = set()
        with self.failures():
            client = self._open()
            try:
                self.version: str = str(client.info("server").get("redis_version", ""))
            finally:
                client.close()

    def __repr__(self) -> str:
        return f"<RedisStore {self.place}>"

    def fill(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put something there.

        Raises:
            StoreError: If it does not let us.
        """
        with self.failures():
            client = self._open()
            try:
                pipeline = client.pipeline(transaction=False)
                for key, value in rows:
                    self._keys.add(key)
                    pipeline.set(self._prefix + key, value, ex=_LONGEST)
                    if len(pipeline) >= _BATCH:
                        pipeline.execute()
                pipeline.execute()
            finally:
                client.close()

    def connect(self) -> Line:
        """Open one more connection.

        Raises:
            StoreError: If that fails.
        """
        with self.failures():
            return _RedisLine(self._open(), self._prefix, self._keys)

    def clear(self) -> None:
        """Delete what was put there, key by key: nobody else's are looked at.

        Raises:
            LeftoverError: If that fails.
        """
        if not self._keys:
            return
        try:
            client = self._open()
            try:
                keys = [self._prefix + key for key in self._keys]
                for start in range(0, len(keys), _BATCH):
                    client.delete(*keys[start : start + _BATCH])
            finally:
                client.close()
        except redis.RedisError as error:
            raise LeftoverError(
                f"The keys that begin with {self._prefix.decode()} could not be removed from {self.place}: they end by "
                f"themselves after {_LONGEST // 60} minutes.",
                detail=type(error).__name__,
            ) from None
        self._keys.clear()

    def _open(self) -> Any:
        return redis.Redis.from_url(
            self._url,
            socket_connect_timeout=_SECONDS,
            socket_timeout=_SECONDS,
            single_connection_client=True,
            client_name="coatcheck-compare",
        )

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Let no error of the driver out of a block.

        Raises:
            StoreError: In its place.
        """
        try:
            yield
        except (redis.RedisError, ValueError) as error:
            # What the driver says may repeat the address, which may hold a password.
            raise StoreError(f"Redis at {self.place} cannot be used: {_reason(error)}.") from None


class _RedisLine:
    def __init__(self, client: Any, prefix: bytes, keys: set[bytes]) -> None:
        self._client = client
        self._prefix = prefix
        self._keys = keys

    def find(self, key: bytes) -> bytes | None:
        found: bytes | None = self._client.get(self._prefix + key)
        return found

    def put(self, key: bytes, value: bytes) -> None:
        self._keys.add(key)
        self._client.set(self._prefix + key, value, ex=_LONGEST)

    def remove(self, key: bytes) -> None:
        self._client.delete(self._prefix + key)

    def close(self) -> None:
        self._client.close()


def _reason(error: Exception) -> str:
    if isinstance(error, redis.AuthenticationError):
        return "it does not accept the name or the password"
    if isinstance(error, redis.TimeoutError):
        return "it does not answer in time"
    if isinstance(error, redis.ConnectionError):
        return "it cannot be reached"
    if isinstance(error, ValueError):
        return "the address is none"
    return f"it refuses a command ({type(error).__name__})"
