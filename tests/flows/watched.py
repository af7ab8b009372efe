"""A storage that looks on: whatever a transaction of somebody does is theirs to do, by the rules of ``flows.ports``.

All tests of the flows run over it, so whatever they do is looked at. On an engine with one writer nothing would go
wrong if a transaction of one user changed a record of another; on one with several, something would, once in a while.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, cast

from coatcheck.flows.ports import Records, Storage
from coatcheck.flows.provider.back_channel import ENDED

READS: Final = ("find_", "list_", "count_", "is_", "read_")
READS_TOO: Final = frozenset({"ledger_head", "user_scopes", "next_logout_at"})
# What is nobody's: new records that nobody looks for by whose they are, the rows of queues, and rows that are changed
# by one statement each.
SHARED: Final = frozenset(
    {
        "add_logout_notices",
        "add_mail",
        "add_status_list",
        "append_entries",
        "delete_interaction",
        "delete_mail",
        "delete_throttles",
        "hold_streams",
        "take_place",
        "write_throttles",
    }
)
OF_STREAMS: Final = frozenset({"add_signals", "clear_signals", "delete_signals", "replace_stream"})
OF_WHAT_ENDED: Final = frozenset({"delete_expired_sessions", "forget_ended_client_sessions"})
HOLDS_STREAMS: Final = frozenset({"append_entries", "hold_streams"})


class WatchedStorage:
    """Another storage, and what was done in its transactions that is not theirs to do.

    Attributes:
        faults: That. Each has raised an ``AssertionError`` as well.
        alone: How many transactions were alone.
    """

    def __init__(self, storage: Storage) -> None:
        self.real = storage
        self.faults: list[str] = []
        self.alone = 0

    @property
    def records(self) -> Records:
        return self.real.records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[Records]:
        if of:
            return self._watched(of)
        self.alone += 1
        return self.real.transaction()

    @asynccontextmanager
    async def _watched(self, of: tuple[str, ...]) -> AsyncIterator[Records]:
        async with self.real.transaction(*of) as records:
            yield cast("Records", WatchedRecords(records, of, self.faults))

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        await self.real.change_throttles(keys, decide)

    def version(self) -> int:
        return self.real.version()

    def watch(self, waker: Callable[[], None]) -> None:
        self.real.watch(waker)

    async def close(self) -> None:
        await self.real.close()


class WatchedRecords:
    """The records of a transaction that is somebody's."""

    def __init__(self, records: Records, of: tuple[str, ...], faults: list[str]) -> None:
        self._records = records
        self._of = of
        self._faults = faults
        self._holds_streams = False

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._records, name)
        if name.startswith(READS) or name in READS_TOO:
            return cast("Callable[..., Awaitable[Any]]", method)

        async def watched(*args: Any, **named: Any) -> Any:
            await self._look(name, args, named)
            return await method(*args, **named)

        return watched

    async def _look(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._holds_streams |= name in HOLDS_STREAMS
        if name in SHARED:
            return
        if name in OF_STREAMS:
            self._require(self._holds_streams, name, "the streams were not held")
            return
        if name in OF_WHAT_ENDED:
            self._require(ENDED in self._of, name, "what has ended is forgotten by one at a time")
            return
        owners_of = OWNERS.get(name)
        self._require(owners_of is not None, name, "only who is alone may")
        assert owners_of is not None
        for owners in await owners_of(self._records, *args, **named):
            there = [each for each in owners if each is not None]
            self._require(not there or bool({*there} & {*self._of}), name, f"it is of {there}")

    def _require(self, good: bool, name: str, reason: str) -> None:  # noqa: FBT001 - an assertion
        if not good:
            self._faults.append(f"{name} in a transaction of {list(self._of)}: {reason}")
            raise AssertionError(self._faults[-1])


Owners = Iterable[Iterable[str | None]]
"""For each record that is changed, those of whom one has to be named. A record that is not there is nobody's."""


async def _of_sessions(records: Records, session_ids: Sequence[str], **_: Any) -> Owners:
    found = [await records.find_session(each) for each in session_ids]
    return [[None if each is None else each.user_id] for each in found]


async def _of_session(records: Records, session_id: str, *_: Any, **__: Any) -> Owners:
    return await _of_sessions(records, [session_id])


async def _of_token(records: Records, digest: bytes, **_: Any) -> Owners:
    token = await records.find_refresh_token(digest)
    return [] if token is None else await _of_session(records, token.session_id)


async def _of_new_token(records: Records, token: Any) -> Owners:
    return await _of_session(records, token.session_id)


async def _of_code(records: Records, digest: bytes, **_: Any) -> Owners:
    code = await records.find_code(digest)
    return [] if code is None else [[code.user_id]]


async def _of_user(_: Records, user: Any, **__: Any) -> Owners:
    return [[user.id]]


async def _of_moving_user(_: Records, user: Any, *, expected: Any) -> Owners:
    # Somebody else may want the same address at this moment.
    return [[user.id], [user.email_key]] if user.email_key != expected.email_key else [[user.id]]


async def _of_new_user(_: Records, user: Any) -> Owners:
    return [[user.id], [user.email_key]]


async def _of_record(_: Records, record: Any) -> Owners:
    return [[record.user_id]]


async def _of_identifier(_: Records, user_id: str, *__: Any, **___: Any) -> Owners:
    return [[user_id]]


async def _of_named_user(_: Records, *, user_id: str, **__: Any) -> Owners:
    return [[user_id]]


async def _of_new_link(_: Records, link: Any) -> Owners:
    return [[link.user_id, link.email_key]]


async def _of_link(records: Records, digest: bytes, purpose: Any) -> Owners:
    link = await records.find_link(digest, purpose)
    return [] if link is None else [[link.user_id, link.email_key]]


async def _of_links(_: Records, *, user_id: str | None = None, email_key: str | None = None) -> Owners:
    return [[user_id], [email_key]]


async def _of_status(records: Records, status: Any) -> Owners:
    if not status.sid:
        return [[status.sub]]
    return [[*owners, status.sub] for owners in await _of_session(records, status.sid)]


OWNERS: Final[Mapping[str, Callable[..., Awaitable[Owners]]]] = {
    "add_code": _of_record,
    "add_link": _of_new_link,
    "add_refresh_token": _of_new_token,
    "add_session": _of_record,
    "add_status": _of_status,
    "add_user": _of_new_user,
    "consume_code": _of_code,
    "consume_link": _of_link,
    "delete_consent": _of_identifier,
    "delete_links": _of_links,
    "delete_open_codes": _of_named_user,
    "delete_sessions": _of_sessions,
    "delete_user": _of_identifier,
    "forget_refresh_tokens": _of_session,
    "put_consent": _of_record,
    "put_grant": _of_record,
    "put_profile": _of_record,
    "renew_session": _of_session,
    "replace_user": _of_moving_user,
    "rotate_refresh_token": _of_token,
    "touch_session": _of_session,
    "write_session_data": _of_session,
}
