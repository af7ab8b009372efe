"""What goes on around every request of a server by itself: its name, its figures, its span, its line in the log.

It is passed by every request, so it does nothing twice and nothing that is not asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Sequence
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..web.clients import Network, address_of
from ..web.request_ids import HEADER, RequestIds, current_request_id, current_trace_id
from .logs import ACCESS_LOGGER, access_fields
from .metrics.requests import RequestCounts, Templates, method_label
from .tracing import RequestSpan, Tracing

__all__ = ["Observer"]

_log = logging.getLogger(ACCESS_LOGGER)


class Observer:
    """Observes the requests to an application."""

    def __init__(
        self,
        templates: Templates,
        *,
        quiet: Collection[str] = (),
        counts: RequestCounts | None = None,
        tracing: Tracing | None = None,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        """Take what to do.

        Args:
            templates: The templates of the paths that there are.
            quiet: Paths that are asked for again and again: the log says nothing of them at its usual level.
            counts: Counts requests, if they are to be counted.
            tracing: Makes spans, if that is on.
            trusted_proxies: Whose word counts.
        """
        self._templates = templates
        self._quiet = frozenset(quiet)
        self._counts = counts
        self._tracing = tracing
        self._trusted = tuple(trusted_proxies)
        self._ids = RequestIds(trusted_proxies)

    async def __call__(self, app: ASGIApp, scope: Scope, *, receive: Receive, send: Send) -> None:
        """Have a request answered by an application."""
        seen = _Seen(self._ids.of(scope), send)
        named = current_request_id.set(seen.request_id)
        counts, tracing = self._counts, self._tracing
        route = self._templates.of(scope["path"])
        method = method_label(scope["method"])
        if counts is not None:
            counts.in_progress += 1
        try:
            if tracing is None:
                await app(scope, receive, seen)
            else:
                with tracing.request(scope, route=route, method=method) as span:
                    await _traced(app, scope, receive=receive, seen=seen, span=span)
        finally:
            if counts is not None:
                counts.in_progress -= 1
                counts.answered(route, method, status=seen.status, seconds=seen.after)
            level = logging.DEBUG if scope["path"] in self._quiet else logging.INFO
            if _log.isEnabledFor(level):
                self._tell(scope, seen, route=route, level=level)
            current_request_id.reset(named)

    def _tell(self, scope: Scope, seen: _Seen, *, route: str, level: int) -> None:
        """Write the line of a request."""
        fields = access_fields(
            scope,
            route=route,
            status=seen.status,
            seconds=perf_counter() - seen.began,
            client=address_of(scope, self._trusted),
        )
        _log.log(
            level,
            '%s - "%s %s" %d',
            fields["client"] or "-",
            fields["method"],
            fields["path"],
            fields["status"],
            extra={"fields": fields},
        )


class _Seen:
    """Sends the answer to a request on, and keeps what is to be known of it.

    Attributes:
        request_id: The name of the request.
        began: When it came, in seconds of ``perf_counter``.
        status: What it is answered with; 500 as long as it is not.
        after: How many seconds after it came the answer began.
    """

    __slots__ = ("_after", "_send", "began", "request_id", "status")

    def __init__(self, request_id: str, send: Send) -> None:
        self.request_id = request_id
        self.began = perf_counter()
        self.status = 500
        self._after = -1.0
        self._send = send

    @property
    def after(self) -> float:
        return self._after if self._after >= 0 else perf_counter() - self.began

    def __call__(self, message: Message) -> Awaitable[None]:  # not async: that would be one more coroutine
        if message["type"] == "http.response.start":
            self._after = perf_counter() - self.began
            self.status = message["status"]
            # Another list: the one that comes may be kept, to be sent again.
            message["headers"] = [*message.get("headers", ()), (HEADER, self.request_id.encode("ascii"))]
        return self._send(message)


async def _traced(app: ASGIApp, scope: Scope, *, receive: Receive, seen: _Seen, span: RequestSpan) -> None:
    traced = current_trace_id.set(span.trace_id)
    try:
        await app(scope, receive, seen)
    finally:
        span.answered(seen.status)
        current_trace_id.reset(traced)
