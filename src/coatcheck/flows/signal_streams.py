"""Streams of security events, as those who receive them manage them (Shared Signals Framework 1.0, section 8.1).

A stream belongs to a service. Of others' streams a service learns nothing, not even that there are any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from .._core.secrets import new_identifier
from ..revocation.security_events import SUPPORTED, canonical, is_known_subject, verification
from .context import Context
from .model import Service, Stream
from .ports import Records
from .signal_endpoints import parse_endpoint
from .signal_errors import (
    InvalidStreamError,
    SecondStreamError,
    TooManySubjectsError,
    TooManyVerificationsError,
    UnknownStreamError,
    UnknownSubjectError,
)

__all__ = ["AUTHORIZATION", "DeliveryWish", "SignalStreams", "Status", "StreamWish"]

AUTHORIZATION = "signal-authorization"
"""The context in which receivers' ``Authorization`` headers are sealed."""

Status = Literal["enabled", "paused", "disabled"]

_MOST_REQUESTED = 100
_LONGEST_URI = 512
_LONGEST_TEXT = 500
_LONGEST_STATE = 2048
_LONGEST_AUTHORIZATION = 4096


class DeliveryWish(msgspec.Struct, frozen=True, kw_only=True):
    """How a receiver wants its events.

    Attributes:
        method: Pushed, or polled for.
        endpoint: Where to push them.
        authorization: The ``Authorization`` to show there; ``None`` for none; unset for the one it has.
    """

    method: Literal["push", "poll"]
    endpoint: str | None = None
    authorization: str | msgspec.UnsetType | None = msgspec.UNSET

    def __repr__(self) -> str:
        return f"<DeliveryWish {self.method}>"


class StreamWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver wants of its stream. What is unset stays as it is.

    Attributes:
        delivery: How; ``None`` for what is usual: polled for.
        requested: The URIs of events; ``None`` for all there are.
        description: What it calls the stream.
    """

    delivery: DeliveryWish | msgspec.UnsetType | None = msgspec.UNSET
    requested: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET


class SignalStreams:
    """What receivers do with their streams."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, service: Service, wish: StreamWish, *, development: bool = False) -> Stream:
        """Make a service's stream, enabled.

        Args:
            service: Whose.
            wish: What it asks for.
            development: Whether this is development mode, in which events may be pushed to this machine.

        Raises:
            SecondStreamError: If it has one.
            InvalidStreamError: If what it asks for does not fit.
        """
        stream = Stream(
            id=new_identifier(),
            service_id=service.id,
            audience=service.audience or service.name,
            method="poll",
            endpoint=None,
            sealed_authorization=None,
            requested=None,
            delivered=SUPPORTED,
            description=None,
            status="enabled",
            reason=None,
            created_at=self._context.clock(),
        )
        stream = self._changed(stream, wish, development=development)
        # Alone: what is committed from now on is told, and nobody is in the middle of something who saw no stream.
        async with self._context.storage.transaction() as records:
            if not await records.add_stream(stream):
                raise SecondStreamError
        return stream

    async def list(self, service: Service) -> list[Stream]:
        """Return a service's streams: one or none."""
        stream = await self._context.storage.records.find_stream_of_service(service.id)
        return [] if stream is None else [stream]

    async def get(self, service: Service, stream_id: str) -> Stream:
        """Return a service's stream.

        Raises:
            UnknownStreamError: If it has no such stream.
        """
        return await _own(self._context.storage.records, service, stream_id)

    async def update(
        self, service: Service, stream_id: str, wish: StreamWish, *, development: bool = False
    ) -> Stream:
        """Change what a receiver wants of its stream. What waits in it stays.

        Raises:
            UnknownStreamError: If it has no such stream.
            InvalidStreamError: If what it asks for does not fit.
        """
        async with self._context.storage.transaction() as records:
            stream = await _own(records, service, stream_id)
            changed = self._changed(stream, wish, development=development)
            changed = replace(changed, due_at=await self._due_at(records, changed), attempts=0)
            await records.replace_stream(changed)
        self._context.signals.bell.ring()
        return changed

    async def delete(self, service: Service, stream_id: str) -> None:
        """Delete a stream and all that waits in it.

        Raises:
            UnknownStreamError: If there is no such stream.
        """
        async with self._context.storage.transaction() as records:
            await _own(records, service, stream_id)
            await records.delete_stream(stream_id)
        self._context.signals.bell.wake_all()

    async def set_status(
        self, service: Service, stream_id: str, status: Status, *, reason: str | None = None
    ) -> Stream:
        """Enable, pause or disable a stream (SSF section 8.1.2.2). One that is disabled holds nothing.

        Raises:
            UnknownStreamError: If there is no such stream.
        """
        async with self._context.storage.transaction() as records:
            stream = await _own(records, service, stream_id)
            if status == "disabled":
                await records.clear_signals(stream_id)
            changed = replace(stream, status=status, reason=_shortened(reason), attempts=0)
            changed = replace(changed, due_at=await self._due_at(records, changed))
            await records.replace_stream(changed)
        self._context.signals.bell.wake_all()
        return changed

    async def verify(self, service: Service, stream_id: str, *, state: str | None) -> None:
        """Queue a verification event (SSF section 8.1.4.2).

        Raises:
            UnknownStreamError: If there is no such stream.
            TooManyVerificationsError: If one was asked for a moment ago.
            InvalidStreamError: If the stream is disabled, and so would never bring it, or the state is too long.
        """
        context, now = self._context, self._context.clock()
        if state is not None and len(state) > _LONGEST_STATE:
            raise InvalidStreamError(f"A state has at most {_LONGEST_STATE} letters.", field="state")
        async with context.storage.transaction() as records:
            stream = await _own(records, service, stream_id)
            if stream.status == "disabled":
                raise InvalidStreamError("The stream is disabled: no event comes.", field="stream_id")
            wait = stream.verified_at + context.signals.policy.verification_interval.total_seconds() - now
            if wait > 0:
                raise TooManyVerificationsError(retry_after=wait)
            stream = replace(stream, verified_at=now)
            await records.replace_stream(stream)
            await context.signals.queue(records, stream, [verification(stream.id, state=state, at=now)])

    async def leave_out(self, service: Service, stream_id: str, subject: Mapping[str, Any]) -> None:
        """Leave a subject out of a stream: remove it, in the words of SSF section 8.1.3.3.

        Raises:
            UnknownStreamError: If there is no such stream.
            UnknownSubjectError: If no event is ever about such a subject.
            TooManySubjectsError: If the stream leaves out as many as it may.
        """
        async with self._context.storage.transaction() as records:
            await _own(records, service, stream_id)
            text = self._known(subject)
            most = self._context.signals.policy.most_left_out
            if await records.count_unwanted_subjects(stream_id) >= most:
                raise TooManySubjectsError
            await records.add_unwanted_subject(stream_id, text)

    async def take_in(self, service: Service, stream_id: str, subject: Mapping[str, Any]) -> None:
        """Leave a subject out no more: add it, in the words of SSF section 8.1.3.2. To begin with, all are in.

        Raises:
            UnknownStreamError: If there is no such stream.
            UnknownSubjectError: If no event is ever about such a subject.
        """
        async with self._context.storage.transaction() as records:
            await _own(records, service, stream_id)
            await records.delete_unwanted_subject(stream_id, self._known(subject))

    def _known(self, subject: Mapping[str, Any]) -> str:
        if not is_known_subject(subject, issuer=self._context.signals.issuer):
            raise UnknownSubjectError
        return canonical(subject)

    async def _due_at(self, records: Records, stream: Stream) -> float | None:
        """Return when to push next: at once, if there is something to push, whoever was about to push it before."""
        waiting = await records.list_signals(stream.id, limit=1)
        if stream.method == "poll" or not waiting:
            return None
        return self._context.clock() if stream.status == "enabled" or waiting[0].is_last_word else None

    def _changed(self, stream: Stream, wish: StreamWish, *, development: bool) -> Stream:
        if wish.delivery is not msgspec.UNSET:
            stream = self._delivered(stream, wish.delivery, development=development)
        if wish.requested is not msgspec.UNSET:
            stream = _requested(stream, wish.requested)
        if wish.description is not msgspec.UNSET:
            stream = replace(stream, description=_shortened(wish.description))
        return stream

    def _delivered(self, stream: Stream, wish: DeliveryWish | None, *, development: bool) -> Stream:
        if wish is None or wish.method == "poll":
            return replace(stream, method="poll", endpoint=None, sealed_authorization=None)
        if wish.endpoint is None:
            raise InvalidStreamError("Say where to push events to.", field="endpoint_url")
        endpoint = parse_endpoint(wish.endpoint, development=development).url
        sealed = None
        if isinstance(wish.authorization, str):
            _check_authorization(wish.authorization)
            sealed = self._context.sealer.seal(wish.authorization.encode("ascii"), context=AUTHORIZATION)
        elif wish.authorization is msgspec.UNSET and endpoint == stream.endpoint:
            # It is never shown, so that who changes something else could not repeat it. But to another URL it does
            # not go: whoever stole a service's key could have it sent to themselves.
            sealed = stream.sealed_authorization
        return replace(stream, method="push", endpoint=endpoint, sealed_authorization=sealed)


def _requested(stream: Stream, requested: tuple[str, ...] | None) -> Stream:
    """Return a stream for which these events were asked. Those that are not known are kept, and ignored."""
    if requested is None:
        return replace(stream, requested=None, delivered=SUPPORTED)
    if len(requested) > _MOST_REQUESTED or any(
        not uri or len(uri) > _LONGEST_URI or not uri.isascii() or not uri.isprintable() or " " in uri
        for uri in requested
    ):
        raise InvalidStreamError("An event is named by its URI.", field="events_requested")
    return replace(
        stream,
        requested=tuple(dict.fromkeys(requested)),
        delivered=tuple(uri for uri in SUPPORTED if uri in requested),
    )


def _shortened(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST_TEXT]


def _check_authorization(value: str) -> None:
    """Check that a text can be a header's value, and cannot end it (RFC 9110 section 5.5)."""
    printable = all(" " <= letter <= "~" for letter in value)
    if not value.strip() or value != value.strip() or not printable or len(value) > _LONGEST_AUTHORIZATION:
        raise InvalidStreamError("That is no value of a header.", field="authorization_header")


async def _own(records: Records, service: Service, stream_id: str) -> Stream:
    stream = await records.find_stream(stream_id)
    if stream is None or stream.service_id != service.id:
        raise UnknownStreamError
    return stream
