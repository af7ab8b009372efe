"""What an operator has of a server by itself: probes, figures, names of requests, spans, an access log."""

from __future__ import annotations

from asyncio import CancelledError, create_task
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.types import ASGIApp

from .health import LIVE_PATH, READY_PATH, Probe
from .metrics.collecting import Collector
from .metrics.endpoint import PATH, MetricsEndpoint
from .metrics.requests import RequestCounts, Templates
from .metrics.workers import SharedFigures
from .observing import Observer
from .server import Server
from .settings import Settings

__all__ = ["Operations", "shows_metrics"]


class Operations:
    """The parts that watch over one server.

    Attributes:
        root: What is answered at the root of the host.
        observer: What every request passes.
    """

    def __init__(self, server: Server, *, further: Iterable[str] = (), figures: Path | None = None) -> None:
        """Make them.

        Args:
            server: Whom they watch over.
            further: Paths at the root of the host that something else answers.
            figures: A folder that several processes of one node share.
        """
        self._server = server
        self.root: dict[str, ASGIApp] = {
            LIVE_PATH: Probe(server.health, deep=False),
            READY_PATH: Probe(server.health, deep=True),
        }
        counts, self._metrics = None, None
        if shows_metrics(server.settings):
            counts = RequestCounts()
            self._metrics = self.root[PATH] = _metrics(server, counts, figures)
        below = (server.settings.prefix + template for template in server.app.templates)
        self.observer: Observer = Observer(
            Templates((*self.root, *server.app.root, *further, *below)),
            quiet=self.root,
            counts=counts,
            tracing=server.tracing,
            trusted_proxies=server.gate.options.trusted_proxies,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell the other processes of this node the figures of this one, until the block ends."""
        if self._metrics is None:
            yield
            return
        task = create_task(self._metrics.run(), name="coatcheck figures")
        try:
            yield
        finally:
            task.cancel()
            with suppress(CancelledError):
                await task


def shows_metrics(settings: Settings) -> bool:
    """Tell whether there are figures to read."""
    return (settings.metrics or ("on" if settings.mode == "development" else "off")) == "on"


def _metrics(server: Server, counts: RequestCounts, figures: Path | None) -> MetricsEndpoint:
    collector = Collector(
        server.flows, hasher=server.hasher, delivery=server.delivery, health=server.health, requests=counts
    )
    return MetricsEndpoint(
        collector,
        token=server.settings.metrics_token,
        refresh=server.health.missing,
        shared=None if figures is None else SharedFigures(figures),
    )
