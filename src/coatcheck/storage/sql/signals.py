"""Streams of security events, and the events that wait in them, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ...flows.model import Signal, Stream
from .access import Parameters, SQLTable

__all__ = ["SignalTable"]

_ADD = """
    INSERT INTO signal_streams (
        id, service_id, audience, method, endpoint, sealed_authorization, requested, delivered, description, status,
        reason, created_at, verified_at, due_at, attempts
    ) VALUES (
        :id, :service_id, :audience, :method, :endpoint, :sealed_authorization, :requested, :delivered, :description,
        :status, :reason, :created_at, :verified_at, :due_at, :attempts
    )
    ON CONFLICT (service_id) DO NOTHING
"""
_SELECT = """
    SELECT id, service_id, audience, method, endpoint, sealed_authorization, requested, delivered, description, status,
        reason, created_at, verified_at, due_at, attempts
    FROM signal_streams
"""
_FIND = _SELECT + "WHERE id = :id"
_OF_SERVICE = _SELECT + "WHERE service_id = :service_id"
_OPEN = _SELECT + "WHERE status IN ('enabled', 'paused')"
_DUE = _SELECT + "WHERE due_at <= :now ORDER BY due_at, id LIMIT 1"
_REPLACE = """
    UPDATE signal_streams SET
        audience = :audience, method = :method, endpoint = :endpoint, sealed_authorization = :sealed_authorization,
        requested = :requested, delivered = :delivered, description = :description, status = :status,
        reason = :reason, created_at = :created_at, verified_at = :verified_at, due_at = :due_at, attempts = :attempts
    WHERE id = :id
"""
# Of no stream: with several writers, whoever changes any is alone with them and the ledger until the commit.
_HOLD = "UPDATE signal_streams SET attempts = attempts WHERE id = ''"
_DELETE = "DELETE FROM signal_streams WHERE id = :id"

_STALE = "SELECT stream_id FROM signals WHERE at < :before ORDER BY at, seq LIMIT 1"
_QUEUE = """
    INSERT INTO signals (stream_id, jti, at, claims, is_last_word)
    VALUES (:stream_id, :jti, :at, :claims, :is_last_word)
"""
_WAITING = """
    SELECT stream_id, jti, at, claims, is_last_word FROM signals
    WHERE stream_id = :stream_id ORDER BY seq LIMIT :limit
"""
_COUNT = "SELECT count(*) FROM signals WHERE seq IN (SELECT seq FROM signals WHERE stream_id = :stream_id LIMIT :limit)"
_DROP = "DELETE FROM signals WHERE stream_id = :stream_id AND jti = :jti"
_CLEAR = "DELETE FROM signals WHERE stream_id = :stream_id"

_LEAVE_OUT = """
    INSERT INTO unwanted_subjects (stream_id, subject) VALUES (:stream_id, :subject)
    ON CONFLICT (stream_id, subject) DO NOTHING
"""
_WANT = "DELETE FROM unwanted_subjects WHERE stream_id = :stream_id AND subject = :subject"
_COUNT_LEFT_OUT = "SELECT count(*) FROM unwanted_subjects WHERE stream_id = :stream_id"
_IS_LEFT_OUT = "SELECT 1 FROM unwanted_subjects WHERE stream_id = :stream_id AND subject = :subject"


class SignalTable(SQLTable):
    """Satisfies the three ports of ``flows.signal_ports``."""

    async def add_stream(self, stream: Stream) -> bool:
        """Add a stream."""
        return bool(await self._access.change(_ADD, _parameters(stream)))

    async def find_stream(self, stream_id: str) -> Stream | None:
        """Return a stream."""
        return await self._one(_FIND, {"id": stream_id})

    async def find_stream_of_service(self, service_id: str) -> Stream | None:
        """Return the stream of a service."""
        return await self._one(_OF_SERVICE, {"service_id": service_id})

    async def list_open_streams(self) -> list[Stream]:
        """Return the streams that are not disabled."""
        return [_stream(*row) for row in await self._access.rows(_OPEN, {})]

    async def find_due_stream(self, now: float) -> Stream | None:
        """Return the stream that has been due for longest."""
        return await self._one(_DUE, {"now": now})

    async def find_stale_stream(self, before: float) -> Stream | None:
        """Return the stream with the oldest event that was made before then."""
        row = await self._access.row(_STALE, {"before": before})
        return None if row is None else await self.find_stream(row[0])

    async def hold_streams(self) -> None:
        """Wait until no other transaction changes streams."""
        await self._access.change(_HOLD, {})

    async def replace_stream(self, stream: Stream) -> bool:
        """Put another record in the place of a stream."""
        return bool(await self._access.change(_REPLACE, _parameters(stream)))

    async def delete_stream(self, stream_id: str) -> bool:
        """Delete a stream and all that is in it."""
        return bool(await self._access.change(_DELETE, {"id": stream_id}))

    async def add_signals(self, signals: Sequence[Signal]) -> None:
        """Add events to streams."""
        await self._access.change_each(_QUEUE, [msgspec.structs.asdict(signal) for signal in signals])

    async def list_signals(self, stream_id: str, *, limit: int) -> list[Signal]:
        """Return events that wait in a stream, the oldest first."""
        rows = await self._access.rows(_WAITING, {"stream_id": stream_id, "limit": limit})
        return [
            Signal(stream_id=stream, jti=jti, at=at, claims=claims, is_last_word=bool(is_last_word))
            for stream, jti, at, claims, is_last_word in rows
        ]

    async def count_signals(self, stream_id: str, *, limit: int) -> int:
        """Return how many events wait in a stream."""
        row = await self._access.row(_COUNT, {"stream_id": stream_id, "limit": limit})
        return row[0] if row is not None else 0

    async def delete_signals(self, stream_id: str, jtis: Collection[str]) -> int:
        """Delete events of a stream."""
        many = [{"stream_id": stream_id, "jti": jti} for jti in jtis]
        return sum(await self._access.change_each(_DROP, many))

    async def clear_signals(self, stream_id: str) -> int:
        """Delete all events of a stream."""
        return await self._access.change(_CLEAR, {"stream_id": stream_id})

    async def add_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out of a stream."""
        await self._access.change(_LEAVE_OUT, {"stream_id": stream_id, "subject": subject})

    async def delete_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out no more."""
        await self._access.change(_WANT, {"stream_id": stream_id, "subject": subject})

    async def count_unwanted_subjects(self, stream_id: str) -> int:
        """Return how many subjects a stream leaves out."""
        row = await self._access.row(_COUNT_LEFT_OUT, {"stream_id": stream_id})
        return row[0] if row is not None else 0

    async def is_unwanted(self, stream_id: str, subjects: Collection[str]) -> bool:
        """Tell whether a stream leaves out any of these subjects."""
        many: list[Parameters] = [{"stream_id": stream_id, "subject": subject} for subject in subjects]
        return any(await self._access.rows_each(_IS_LEFT_OUT, many))

    async def _one(self, sql: str, parameters: Parameters) -> Stream | None:
        row = await self._access.row(sql, parameters)
        return None if row is None else _stream(*row)


def _parameters(stream: Stream) -> Parameters:
    requested = None if stream.requested is None else " ".join(stream.requested)
    return msgspec.structs.asdict(stream) | {
        "requested": requested,
        "delivered": " ".join(stream.delivered),
    }


def _stream(*row: object) -> Stream:
    named = dict(zip(Stream.__struct_fields__, row, strict=True))
    requested, delivered = named.pop("requested"), named.pop("delivered")
    return Stream(
        requested=None if requested is None else tuple(str(requested).split()),
        delivered=tuple(str(delivered).split()),
        **named,  # type: ignore[arg-type] # STRICT tables hold what they say
    )
