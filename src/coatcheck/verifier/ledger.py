"""Following the ledger of the issuer: connecting, reading, and connecting again, for ever."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from ..errors import CoatcheckError
from ..jose.errors import NoMatchingKeyError
from ..revocation.model import START
from .actions import Answer, Close, Open, Read, Steps, Wait
from .backoff import Backoff
from .discovery import check_answer, retry_after
from .errors import (
    ConnectionFailedError,
    MalformedStreamError,
    ServiceKeyRefusedError,
    UnexpectedAnswerError,
    UntrustedEventError,
)
from .event_stream import EventStream, Inflater, StreamEvent
from .feed import Feed
from .state import State

__all__ = ["follow_ledger"]

_GONE: Final = frozenset({301, 302, 303, 307, 308, 404, 410})


def follow_ledger(state: State) -> Steps[None]:
    """Read the ledger, for ever."""
    backoff = Backoff(state.policy)
    gives_up_position = False
    while state.view.events is None:
        state.fetched.clear()
        if state.view.events is None:  # they may have come in between
            yield Wait(state.policy.longest_pause, state.fetched)
    while True:
        sent = state.moment()
        known = state.view.registry.position
        fresh_start = gives_up_position or known == START or not state.view.complete
        feed = Feed(state, resumes=None if fresh_start else known, sent=sent)
        error: CoatcheckError
        try:
            yield from _read(state, feed)
            error = ConnectionFailedError("The server has ended the stream.")
        except CoatcheckError as caught:
            error = caught
        yield Close()
        state.connected = False
        gives_up_position = feed.misfit
        if isinstance(error, UnexpectedAnswerError) and error.answer in _GONE:
            state.metadata = None  # it may have moved
        if feed.live:
            backoff.reset()
        state.failed(error, connected=feed.live)
        yield Wait(backoff.next(error), state.never)


def _read(state: State, feed: Feed) -> Steps[None]:
    """Read one connection to its end. Raises kinds of ``CoatcheckError``."""
    metadata = yield from state.get_metadata()
    headers = {"accept": "text/event-stream", "accept-encoding": "gzip", "cache-control": "no-cache"}
    if feed.resumes is not None:
        headers["last-event-id"] = str(feed.resumes)
    separator = "&" if "?" in metadata.ledger else "?"
    answer: Answer = yield Open(
        url=f"{metadata.ledger}{separator}{urlencode({'nonce': feed.nonce})}",
        headers=headers | state.authorization(),
        timeout=state.policy.request_timeout,
        silence=state.policy.silence,
    )
    inflater = _opened(answer, with_key=state.service_key is not None)
    stream = EventStream(state.policy.line_limit)
    while True:
        chunk: bytes = yield Read()
        if not chunk:
            return
        for piece in inflater.feed(chunk):
            for event in stream.feed(piece):
                yield from _receive(state, feed, event)
            feed.check_deadline(state.moment())


def _opened(answer: Answer, *, with_key: bool) -> Inflater:
    """Check the answer that begins a stream."""
    if answer.status in {401, 403}:
        raise ServiceKeyRefusedError(
            "The server refuses the key of this service: it knows none like it, or not any more. Check "
            "COATCHECK_VERIFIER_KEY."
            if with_key
            else "The server wants a key of this service, and it has none. Set COATCHECK_VERIFIER_KEY.",
            answer=answer.status,
            retry_after=retry_after(answer),
        )
    encoding = answer.headers.get("content-encoding", "").strip().lower()
    check_answer(Answer(status=answer.status, headers={"retry-after": answer.headers.get("retry-after", "")}))
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/event-stream":
        raise MalformedStreamError("What the server sends as its ledger is no stream of events.")
    return Inflater(encoding)


def _receive(state: State, feed: Feed, event: StreamEvent) -> Steps[None]:
    """Hand an event on; if its key is not known, after the keys were fetched again."""
    try:
        feed.receive(event, state.moment())
    except NoMatchingKeyError:
        pass
    else:
        return
    # An attempt may be under way that began before the key was published: the one after it counts.
    for _ in range(2):
        state.fetched.clear()
        state.wanted.ring()
        yield Wait(state.policy.request_timeout, state.fetched)
        try:
            feed.receive(event, state.moment())
        except NoMatchingKeyError:
            continue
        return
    raise UntrustedEventError("An event of the ledger is signed with an unknown key.")
