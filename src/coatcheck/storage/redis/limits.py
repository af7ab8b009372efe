"""The limits on attempts, in one sorted set: the key of a limit with its time as the score.

A sorted set keeps floats exactly, is deleted from in the order of time, has no expiry (so that a server which runs out
of memory does not choose limits to forget unless it is told to forget everything), and is one key: a change of several
limits is one step on every server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from redis.commands.core import AsyncScript

from ..errors import StorageBusyError
from .server import Connections, Server

__all__ = ["Changes", "Decision", "Limits"]

Decision = Callable[[Mapping[str, float]], Mapping[str, float]]
Changes = Mapping[str, float | None]
"""What limits are set to; ``None`` for those that are forgotten."""

_MOST_ROUNDS: Final = 200  # each is lost to another process that got its change through
_ANY, _KEEP = "*", "="
_Item = tuple[str, str, str]


class Limits:
    """The times of limits. Every method raises ``AwayError`` if Redis is away."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = f"{server.prefix}:limits"

    async def read(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one."""
        if not keys:
            return {}
        return await self._server.ask(lambda connections: self._read(connections, keys))

    async def change(self, keys: Sequence[str], decide: Decision) -> None:
        """Read, decide and write in one step: if anything was changed in between, it is decided anew.

        Raises:
            StorageBusyError: If others were always quicker.
        """
        await self._server.ask(lambda connections: self._change(connections, keys, decide))

    async def apply(self, changes: Changes) -> Changes:
        """Make changes whatever is there, all at once; return what was there before."""
        items = [(key, _ANY, _text(time)) for key, time in changes.items()]
        return (await self._server.ask(lambda connections: self._run(connections.change, items)))[1]

    async def take_back(self, changes: Changes, before: Changes) -> None:
        """Undo what ``apply`` did, unless somebody else has changed it since."""
        items = [(key, _text(time), _text(before[key])) for key, time in changes.items()]

        async def undo(connections: Connections) -> None:
            for item in items:
                await self._run(connections.change, [item])

        await self._server.ask(undo)

    async def list_expired(self, now: float, *, limit: int) -> list[tuple[str, float]]:
        """Return up to ``limit`` keys whose time has passed, the oldest first, with their times."""

        async def find(connections: Connections) -> list[tuple[bytes, float]]:
            self._server.round_trips += 1
            found: Any = await connections.client.zrangebyscore(
                self._name, "-inf", repr(now), start=0, num=limit, withscores=True
            )
            return list(found)

        return [(key.decode(), time) for key, time in await self._server.ask(find)]

    async def delete_expired(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed, the oldest first; return how many."""

        async def delete(connections: Connections) -> int:
            self._server.round_trips += 1
            return int(await connections.expire(keys=[self._name], args=[repr(now), limit]))

        return await self._server.ask(delete)

    async def _read(self, connections: Connections, keys: Sequence[str]) -> dict[str, float]:
        self._server.round_trips += 1
        found: list[float | None] = await connections.client.zmscore(self._name, list(keys))
        return {key: time for key, time in zip(keys, found, strict=True) if time is not None}

    async def _change(self, connections: Connections, keys: Sequence[str], decide: Decision) -> None:
        times = await self._read(connections, keys) if keys else {}
        found = await self._attempt(connections, keys, times, decide=decide)
        if found is None:
            return
        # Those of this process go one after the other from here: else each would be overtaken by all the others.
        async with connections.turn:
            for _ in range(_MOST_ROUNDS):
                found = await self._attempt(connections, keys, found, decide=decide)
                if found is None:
                    return
        raise StorageBusyError(retry_after=1.0, detail="others changed the same limits all the time")

    async def _attempt(
        self, connections: Connections, keys: Sequence[str], times: Mapping[str, float], *, decide: Decision
    ) -> dict[str, float] | None:
        """Decide and write, if the times are still these. Else return what they are."""
        wanted = decide(times)
        if not wanted:
            return None
        items = [(key, _text(times.get(key)), _text(wanted[key]) if key in wanted else _KEEP) for key in keys]
        items += [(key, _ANY, _text(time)) for key, time in wanted.items() if key not in keys]
        is_done, found = await self._run(connections.change, items)
        return None if is_done else {key: time for key in keys if (time := found[key]) is not None}

    async def _run(self, script: AsyncScript, items: Iterable[_Item]) -> tuple[bool, dict[str, float | None]]:
        flat = [part for item in items for part in item]
        self._server.round_trips += 1
        is_done, *found = await script(keys=[self._name], args=flat)
        times = [None if text == b"" else float(text) for text in found]
        return bool(is_done), dict(zip(flat[::3], times, strict=True))


def _text(time: float | None) -> str:
    return "" if time is None else repr(float(time))
