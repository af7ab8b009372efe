"""``/metrics``: for whoever has the token; in development without one, for this machine.

It is not there unless it is switched on. In production it takes a token: a proxy on the same machine makes strangers
look like programs of this machine, and need not say so.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..._core.exposition import OPENMETRICS_TYPE, TEXT_TYPE, write
from ...web.development import check_local
from ...web.errors import MisdirectedRequestError, RemoteDevelopmentError
from ..plain_answers import PLAIN_HEADERS, problem
from ..secret import Secret
from .collecting import Collector
from .snapshots import Snapshot, families, merge
from .workers import SharedFigures

__all__ = ["PATH", "MetricsEndpoint"]

PATH: Final = "/metrics"

_EVERY: Final = 1.0  # seconds: how old the figures of the other processes may be
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="coatcheck"'}
# What proxies say of whom they speak for.
_HANDED_ON: Final = (b"forwarded", b"via", b"x-forwarded-", b"x-real-ip", b"cf-connecting-ip")


class MetricsEndpoint:
    """Shows the figures of this process, or of all that share a folder."""

    def __init__(
        self,
        collector: Collector,
        *,
        token: Secret | None,
        refresh: Callable[[], Awaitable[object]],
        shared: SharedFigures | None = None,
    ) -> None:
        """Take what knows the figures.

        Args:
            collector: Knows those of this process.
            token: What must be shown; ``None`` where who is on this machine may read.
            refresh: Looks how things stand, before they are told.
            shared: Knows those of the others.
        """
        self._collector = collector
        self._digest = None if token is None else _digest(token.reveal().encode("utf-8"))
        self._refresh = refresh
        self._shared = shared
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (await self._answer(scope))(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            return problem(405, "method_not_allowed", headers={"Allow": "GET, HEAD"})
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if self._digest is not None and not _shows(headers, self._digest):
            return problem(401, "metrics_token_needed", headers=_CHALLENGE)
        if self._digest is None and not _is_of_this_machine(scope):
            return problem(403, "development_client")
        await self._refresh()
        openmetrics = _prefers_openmetrics(headers)
        text = write(families(await self._figures()), openmetrics=openmetrics)
        return Response(
            "" if scope["method"] == "HEAD" else text,
            headers={
                **PLAIN_HEADERS,
                "Content-Type": OPENMETRICS_TYPE if openmetrics else TEXT_TYPE,
            },
        )

    async def _figures(self) -> Snapshot:
        if self._shared is None:
            return merge([self._collector.snapshot()])
        async with self._turn:  # however many ask, they take one thread
            return await asyncio.to_thread(self._shared.together, self._collector.snapshot())

    async def run(self) -> None:
        """Write the figures down for the other processes, again and again. It ends when it is cancelled."""
        if self._shared is None:
            return
        self._shared.join()
        try:
            while True:
                self._shared.publish(self._collector.snapshot())
                await asyncio.sleep(_EVERY)
        finally:
            self._shared.publish(self._collector.snapshot())
            self._shared.close()


def _shows(headers: list[tuple[bytes, bytes]], digest: bytes) -> bool:
    """Tell whether a request shows the token. How long it takes says nothing about how much of it was right."""
    shown = [value for name, value in headers if name == b"authorization"]
    scheme, _, token = shown[0].partition(b" ") if len(shown) == 1 else (b"", b"", b"")
    return hmac.compare_digest(_digest(token.strip()), digest) and scheme.lower() == b"bearer"


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _is_of_this_machine(scope: Scope) -> bool:
    if any(name.startswith(_HANDED_ON) for name, _ in scope["headers"]):
        return False
    try:
        check_local(scope)
    except (MisdirectedRequestError, RemoteDevelopmentError):
        return False
    return True


def _prefers_openmetrics(headers: list[tuple[bytes, bytes]]) -> bool:
    """Tell whether a request names OpenMetrics, and nothing that is written here with a higher quality."""
    accept = b",".join(value for name, value in headers if name == b"accept").decode("latin-1").lower()
    qualities = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.split(",")[:50]:
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        if kind in qualities:
            qualities[kind] = max(qualities[kind], _quality(parameters))
    return qualities["application/openmetrics-text"] > 0 and (
        qualities["application/openmetrics-text"] >= qualities["text/plain"]
    )


def _quality(parameters: list[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return min(max(float(each[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
