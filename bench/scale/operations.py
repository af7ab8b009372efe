"""Single operations of a storage, one after the other, on records that lie anywhere among millions."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from time import perf_counter, time

from bench.scale import fill
from bench.scale.engines import Postgres
from bench.scale.processes import processor_s
from coatcheck._core.secrets import new_identifier, new_token
from coatcheck.flows.ports import Records, Storage
from coatcheck.identity import Client
from coatcheck.sessions.lifecycle import begin
from coatcheck.sessions.model import RefreshToken
from coatcheck.sessions.policy import SessionPolicy

FIND, FIND_USER, LIST = "find a session by its cookie", "find a user by address", "list a user's sessions"
ADD, TOUCH, ROTATE, SIGN_OUT, TIDY = (
    "add a session",
    "touch a session",
    "rotate a refresh token, forget the one before",
    "delete a session, with an entry of the ledger",
    "housekeeping: delete 100 ended sessions",
)
OPERATIONS = (FIND, FIND_USER, LIST, ADD, TOUCH, ROTATE, SIGN_OUT, TIDY)
_WARM = 20


@dataclass(frozen=True)
class Operation:
    """What one took."""

    milliseconds: float
    """The median, from the call to its answer."""
    postgres_ms: float | None
    """Of PostgreSQL's processor; the mean."""


class _Work:
    """Every operation, each time on other records."""

    def __init__(self, storage: Storage, sessions: int, *, seed: int) -> None:
        self._storage = storage
        self._sessions = sessions
        self._random = random.Random(seed)
        self._evens = count(self._random.randrange(sessions // 4) * 2, 2)
        self._gone = count(sessions // 2)

    @property
    def ways(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """By what they are called."""
        return {
            FIND: self._find,
            FIND_USER: self._find_user,
            LIST: self._list,
            ADD: self._add,
            TOUCH: self._touch,
            ROTATE: self._rotate,
            SIGN_OUT: self._sign_out,
            TIDY: self._tidy,
        }

    def _any(self) -> int:
        return self._random.randrange(self._sessions // 4)

    async def _find(self) -> None:
        digest = hashlib.sha256(fill.secret(self._any()).encode()).digest()
        assert await self._storage.records.find_session_by_digest(digest)

    async def _find_user(self) -> None:
        number = self._any() // fill.EACH
        assert await self._storage.records.find_user_by_email(f"person{number}@example.com")

    async def _list(self) -> None:
        user = fill.identifier("user", self._any() // fill.EACH)
        assert await self._storage.records.list_sessions(user)

    async def _add(self) -> None:
        session = begin(
            SessionPolicy(),
            session_id=new_identifier(),
            user_id=fill.identifier("user", self._any() // fill.EACH),
            secret=new_token(),
            methods=("pwd",),
            client=Client(address="192.0.2.1", user_agent="bench"),
            scope=None,
            binding=None,
            now=time(),
        )
        async with self._storage.transaction(session.user_id) as records:
            await records.add_session(session)

    async def _touch(self) -> None:
        number = self._any()
        async with self._storage.transaction(fill.identifier("user", number // fill.EACH)) as records:
            await records.touch_session(fill.identifier("session", number), time())

    async def _rotate(self) -> None:
        number, now = next(self._evens), time()
        digest = hashlib.sha256(f"token-{number}".encode()).digest()
        session = fill.identifier("session", number)
        async with self._storage.transaction(fill.identifier("user", number // fill.EACH)) as records:
            found = await records.find_refresh_token(digest)
            assert found is not None
            assert await records.rotate_refresh_token(digest, at=now, sealed_successor=bytes(100))
            await records.add_refresh_token(_successor(session, now))
            await records.forget_refresh_tokens(session, rotated_before=now - 10)

    async def _sign_out(self) -> None:
        number = next(self._gone)
        async with self._storage.transaction(fill.identifier("user", number // fill.EACH)) as records:
            gone = await records.delete_sessions([fill.identifier("session", number)])
            await _append(records, gone)

    async def _tidy(self) -> None:
        async with self._storage.transaction() as records:
            # Twenty days on, all sessions but those just touched have ended.
            assert await records.delete_expired_sessions(time() + 20 * 86_400, limit=100) == 100


def measure(
    make: Callable[[], Storage], sessions: int, *, times: int, postgres: Postgres | None
) -> dict[str, Operation]:
    """Time every operation on a storage that is filled."""
    return asyncio.run(_measure(make, sessions, times, postgres))


async def _measure(
    make: Callable[[], Storage], sessions: int, times: int, postgres: Postgres | None
) -> dict[str, Operation]:
    storage, found = make(), dict[str, Operation]()
    try:
        for name, way in _Work(storage, sessions, seed=sessions).ways.items():
            repeats = times if name != TIDY else max(3, min(times, sessions // 2000))
            for _ in range(_WARM if name != TIDY else 1):
                await way()
            before, taken = _cpu(postgres), list[float]()
            for _ in range(repeats):
                began = perf_counter()
                await way()
                taken.append(perf_counter() - began)
            spent = _cpu(postgres) - before
            found[name] = Operation(median(taken) * 1e3, spent * 1e3 / repeats if postgres else None)
    finally:
        await storage.close()
    return found


async def _append(records: Records, named: list[str]) -> None:
    from coatcheck.revocation.model import Draft  # noqa: PLC0415 -- nothing else here needs it

    now = time()
    drafts = [
        Draft(
            kind="session",
            value=each,
            cutoff=None,
            until=now + 3600,
            reason="signed-out",
            actor="bench",
            at=now,
            mark=new_identifier()[:11],
        )
        for each in named
    ]
    await records.append_entries(drafts)


def _successor(session: str, now: float) -> RefreshToken:
    return RefreshToken(
        digest=hashlib.sha256(new_token().encode()).digest(),
        session_id=session,
        client=bytes(32),
        created_at=now,
        expires_at=now + 86_400,
    )


def _cpu(postgres: Postgres | None) -> float:
    return processor_s([postgres.pid]) if postgres else 0.0
