"""What security events on their way to others need of a storage. Every method is one atomic step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .model import Signal, Stream

__all__ = ["SignalRecords", "StreamRecords", "UnwantedSubjectRecords"]


class StreamRecords(Protocol):
    """The streams. A service has at most one; it goes with its service, and all that is in it goes with it."""

    async def add_stream(self, stream: Stream) -> bool:
        """Add a stream. ``False`` if its service has one already; its ``id`` is new, and there is that service."""
        ...

    async def find_stream(self, stream_id: str) -> Stream | None:
        """Return a stream."""
        ...

    async def find_stream_of_service(self, service_id: str) -> Stream | None:
        """Return the stream of a service."""
        ...

    async def list_open_streams(self) -> list[Stream]:
        """Return the streams that are not disabled."""
        ...

    async def find_due_stream(self, now: float) -> Stream | None:
        """Return the stream that has been due for longest, if one is due."""
        ...

    async def find_stale_stream(self, before: float) -> Stream | None:
        """Return the stream in which an event waits that was made before then, the oldest of all that wait."""
        ...

    async def hold_streams(self) -> None:
        """Wait, inside a transaction, until no other changes streams or what waits in them, and let none until the end.

        Appending to the ledger does the same. What is read of streams afterwards is what is there at the commit.
        """
        ...

    async def replace_stream(self, stream: Stream) -> bool:
        """Put another record in the place of a stream; its service stays. ``False`` if there is no such stream."""
        ...

    async def delete_stream(self, stream_id: str) -> bool:
        """Delete a stream and all that is in it; ``False`` if there is none."""
        ...


class SignalRecords(Protocol):
    """The events that wait in streams, in the order in which they were added."""

    async def add_signals(self, signals: Sequence[Signal]) -> None:
        """Add events to streams. Each ``jti`` is new in its stream, and there is that stream."""
        ...

    async def list_signals(self, stream_id: str, *, limit: int) -> list[Signal]:
        """Return up to ``limit`` events that wait in a stream, the oldest first."""
        ...

    async def count_signals(self, stream_id: str, *, limit: int) -> int:
        """Return how many events wait in a stream, counted up to ``limit``."""
        ...

    async def delete_signals(self, stream_id: str, jtis: Collection[str]) -> int:
        """Delete events of a stream; return how many of them there were."""
        ...

    async def clear_signals(self, stream_id: str) -> int:
        """Delete all events of a stream; return how many there were."""
        ...


class UnwantedSubjectRecords(Protocol):
    """The subjects that a stream leaves out, as texts."""

    async def add_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out of a stream that exists; it may be left out already."""
        ...

    async def delete_unwanted_subject(self, stream_id: str, subject: str) -> None:
        """Leave a subject out no more."""
        ...

    async def count_unwanted_subjects(self, stream_id: str) -> int:
        """Return how many subjects a stream leaves out."""
        ...

    async def is_unwanted(self, stream_id: str, subjects: Collection[str]) -> bool:
        """Tell whether a stream leaves out any of these subjects."""
        ...
