"""Streams of security events, and the events that wait in them, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ...flows.model import Signal, Stream
from .state import MemoryTable, State, require

__all__ = ["SignalTable"]


class SignalTable(MemoryTable):
    """Satisfies the three ports of ``flows.signal_ports``."""

    async def add_stream(self, stream: Stream) -> bool:
        """Add a stream."""

        def add(state: State) -> bool:
            streams = state.streams.values()
            require(
                any(stream.service_id == each.id for each in state.services.values()), "streams.service_id"
            )
            if any(stream.service_id == each.service_id for each in streams):
                return False
            require(stream.id not in state.streams, "streams.id")
            state.streams[stream.id] = stream
            return True

        return await self._source.write(add)

    async def find_stream(self, stream_id: str) -> Stream | None:
        """Return a stream."""
        return self._state.streams.get(stream_id)

    async def find_stream_of_service(self, service_id: str) -> Stream | None:
        """Return the stream of a service."""
        found = (each for each in self._state.streams.values() if each.service_id == service_id)
        return next(found, None)

    async def list_open_streams(self) -> list[Stream]:
        """Return the streams that are not disabled."""
        return [each for each in self._state.streams.values() if each.status != "disabled"]

    async def find_due_stream(self, now: float) -> Stream | None:
        """Return the stream that has been due for longest."""
        streams = self._state.streams.values()
        due = [(each.due_at, each.id) for each in streams if each.due_at is not None and each.due_at <= now]
        return self._state.streams[min(due)[1]] if due else None

    async def find_stale_stream(self, before: float) -> Stream | None:
        """Return the stream with the oldest event that was made before then."""
        stale = [signal for signal in self._state.signals.values() if signal.at < before]
        oldest = min(stale, key=lambda signal: signal.at, default=None)
        return None if oldest is None else self._state.streams[oldest.stream_id]

    async def hold_streams(self) -> None:
        """Wait until no other transaction changes streams: here there is no other."""
        await self._source.write(lambda _: None)

    async def replace_stream(self, stream: Stream) -> bool:
        """Put another record in the place of a stream."""

        def replace(state: State) -> bool:
            if stream.id not in state.streams:
                return False
            service_id = state.streams[stream.id].service_id
            state.streams[stream.id] = msgspec.structs.replace(stream, service_id=service_id)
            return True

        return await self._source.write(replace)

    async def delete_stream(self, stream_id: str) -> bool:
        """Delete a stream and all that is in it."""
        return await self._source.write(lambda state: state.delete_stream(stream_id))

    async def add_signals(self, signals: Sequence[Signal]) -> None:
        """Add events to streams."""

        def add(state: State) -> None:
            for signal in signals:
                require(signal.stream_id in state.streams, "signals.stream_id")
                require((signal.stream_id, signal.jti) not in state.signals, "signals.jti")
            state.signals.update(((signal.stream_id, signal.jti), signal) for signal in signals)

        await self._source.write(add)

    async def list_signals(self, stream_id: str, *, limit: int) -> list[Signal]:
        """Return events that wait in a stream, the oldest first."""
        return [each for each in self._state.signals.values() if each.stream_id == stream_id][:limit]

    async def count_signals(self, stream_id: str, *, limit: int) -> int:
        """Return how many events wait in a stream."""
        return len(await self.list_signals(stream_id, limit=limit))

    async def delete_signals(self, stream_id: str, jtis: Collection[str]) -> int:
        """Delete events of a stream."""
        return await self._source.write(
            lambda state: sum(state.signals.pop((stream_id, jti), None) is not None for jti in jtis)
        )

    async def clear_signals(self, stream_id: str) -> int:
        """Delete all events of a stream."""
        return await self._source.write(lambda state: state.clear_signals(stream_id))

    async def add_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out of a stream."""

        def add(state: State) -> None:
            require(stream_id in state.streams, "unwanted_subjects.stream_id")
            state.unwanted_subjects[stream_id, subject] = None

        await self._source.write(add)

    async def delete_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out no more."""
        await self._source.write(lambda state: state.unwanted_subjects.pop((stream_id, subject), None))

    async def count_unwanted_subjects(self, stream_id: str) -> int:
        """Return how many subjects a stream leaves out."""
        return sum(stream == stream_id for stream, _ in self._state.unwanted_subjects)

    async def is_unwanted(self, stream_id: str, subjects: Collection[str]) -> bool:
        """Tell whether a stream leaves out any of these subjects."""
        return any((stream_id, subject) in self._state.unwanted_subjects for subject in subjects)
