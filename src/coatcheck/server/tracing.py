"""Spans of OpenTelemetry: one for each request, and one for each transaction of the storage in it.

Nothing of it is imported unless ``tracing`` is on, and then only its API: where spans go is the business of the SDK
that the operator configures. A span tells the method, the template of the path and the status (OpenTelemetry semantic
conventions for HTTP), and nothing about the user or what they sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol

from starlette.types import Scope

from ..flows.ports import Records, Storage
from ..web.clients import Network, is_from
from ..web.request_ids import only_value
from .errors import SettingProblem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

__all__ = ["RequestSpan", "TracedStorage", "Tracing", "open_tracing"]

_NAME: Final = "coatcheck"


class RequestSpan(Protocol):
    """The span of one request."""

    @property
    def trace_id(self) -> str:
        """The trace, in 32 hexadecimal digits; ``""`` if it is not recorded or handed on."""
        ...

    def answered(self, status: int) -> None:
        """Note the status of the answer."""
        ...


class _Span:
    def __init__(self, span: Span) -> None:
        context = span.get_span_context()
        self._span = span
        self.trace_id: str = f"{context.trace_id:032x}" if context.is_valid else ""

    def answered(self, status: int) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - only where tracing is on

        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)
            self._span.set_attribute("error.type", str(status))


class Tracing:
    """Makes the spans of a server."""

    def __init__(self, tracer: Tracer, trusted_proxies: Sequence[Network] = ()) -> None:
        """Take what makes spans, and the proxies whose ``traceparent`` counts."""
        self._tracer = tracer
        self._trusted = tuple(trusted_proxies)

    @contextmanager
    def request(self, scope: Scope, *, route: str, method: str) -> Iterator[RequestSpan]:
        """Make a span for a request, for as long as the block lasts.

        Args:
            scope: The request.
            route: The template of its path.
            method: Its method; ``other`` for one that is not known.
        """
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - only where tracing is on

        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context=self._parent(scope),
            kind=SpanKind.SERVER,
            attributes={
                # The name that the conventions have for what is none of the known methods.
                "http.request.method": "_OTHER" if method == "other" else method,
                "http.route": route,
                "url.scheme": str(scope.get("scheme", "http")),
            },
            record_exception=False,  # its words may hold what nobody is to know
            set_status_on_exception=False,
        ) as span:
            yield _Span(span)

    def _parent(self, scope: Scope) -> Context:
        from opentelemetry.context import Context  # noqa: PLC0415 - likewise
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415 - likewise
            TraceContextTextMapPropagator,
        )

        carrier: dict[str, str] = {}
        if self._trusted and is_from(scope, self._trusted):
            for name in ("traceparent", "tracestate"):
                value = only_value(scope["headers"], name.encode("ascii"))
                if value is not None:
                    carrier[name] = value.decode("latin-1")
        return TraceContextTextMapPropagator().extract(carrier, context=Context())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make a span for a transaction of the storage."""
        with self._tracer.start_as_current_span(
            "storage transaction", record_exception=False, set_status_on_exception=False
        ):
            yield


class TracedStorage:
    """A storage whose transactions have spans (``flows.ports.Storage``). Everything else is the storage's own."""

    def __init__(self, storage: Storage, tracing: Tracing) -> None:
        """Take both."""
        self._storage = storage
        self._tracing = tracing
        # Bound, not wrapped: this is asked with every request.
        self.version: Callable[[], int] = storage.version
        self.watch: Callable[[Callable[[], None]], None] = storage.watch

    @property
    def records(self) -> Records:
        """The committed records."""
        return self._storage.records

    def transaction(self, *of: str) -> AbstractAsyncContextManager[Records]:
        """Begin a transaction."""
        return self._traced(of)

    @asynccontextmanager
    async def _traced(self, of: tuple[str, ...]) -> AsyncIterator[Records]:
        with self._tracing.transaction():
            async with self._storage.transaction(*of) as records:
                yield records

    async def change_throttles(
        self, keys: Sequence[str], decide: Callable[[Mapping[str, float]], Mapping[str, float]]
    ) -> None:
        """Read the times of limits, decide, and write what was decided."""
        await self._storage.change_throttles(keys, decide)

    def facts(self) -> Mapping[str, float]:
        """Return what the storage tells of itself."""
        tells: Callable[[], Mapping[str, float]] | None = getattr(self._storage, "facts", None)
        return {} if tells is None else tells()

    async def close(self) -> None:
        """Close the storage."""
        await self._storage.close()


def open_tracing(trusted_proxies: Sequence[Network] = ()) -> Tracing:
    """Return what makes spans.

    Args:
        trusted_proxies: Whose ``traceparent`` counts.

    Raises:
        SettingsError: If OpenTelemetry's API is not installed.
    """
    try:
        from opentelemetry import trace  # noqa: PLC0415 - only where tracing is on
    except ImportError:
        message = "it needs OpenTelemetry: pip install 'coatcheck[opentelemetry]'."
        raise SettingsError([SettingProblem(key="tracing", source="its value", message=message)]) from None
    return Tracing(trace.get_tracer(_NAME, version(_NAME)), trusted_proxies)
