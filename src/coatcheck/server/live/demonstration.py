"""Putting the live demonstration on: the server in this process, the services in theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.applications import Starlette

from ..connections import BoundedProtocol
from ..run import check_free
from ..server import Server
from ..settings import Settings, load_settings
from ..standalone import make_application
from .headless import Figures, play
from .processes import services_running
from .routes import live_routes
from .stage import Stage

__all__ = ["demonstrate", "demonstrate_headless", "listening", "throwaway_settings"]

SERVICES = ("orders", "invoices")


async def demonstrate(*, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page until the process is told to stop.

    Args:
        port: The port of the server.
        on_ready: Told where the page is.

    Raises:
        CoatcheckError: If the server or a service does not start.
    """
    async with _put_on(port) as (_, stopped):
        on_ready(f"http://localhost:{port}/")
        await stopped


async def demonstrate_headless(*, port: int, rounds: int, on_round: Callable[[int], None]) -> list[Figures]:
    """Play so many rounds, and return the figures.

    Args:
        port: The port of the server.
        rounds: How often to sign in, and out everywhere.
        on_round: Told after each.

    Raises:
        CoatcheckError: If the server or a service does not start, or a service does not answer.
    """
    async with _put_on(port) as (stage, _):
        return await play(stage, rounds=rounds, on_round=on_round)


@asynccontextmanager
async def _put_on(port: int) -> AsyncIterator[tuple[Stage, asyncio.Task[None]]]:
    check_free("127.0.0.1", port)
    with TemporaryDirectory(prefix="coatcheck-demo-") as directory:
        settings = throwaway_settings(port, Path(directory))
        server = Server(settings)
        issuer = settings.base_url
        _, key = await server.flows.services.add("demonstration")
        application = make_application(settings, server=server)
        async with (
            listening(application, port) as serving,
            services_running(SERVICES, issuer=issuer, key=key) as services,
        ):
            stage = Stage(server.flows, services=services, cookie_name=server.gate.cookies.session.name)
            application.router.routes[:0] = live_routes(server.app.site, stage, SERVICES)
            yield stage, serving


def throwaway_settings(port: int, directory: Path) -> Settings:
    """Return the settings of a server for a moment: on this port, with all that it keeps in that directory."""
    # Nothing of the surroundings: the demonstration is the same wherever it is started.
    return load_settings(
        environment={},
        directory=directory,
        mode="development",
        base_url=f"http://localhost:{port}",
        database=str(directory / "demo.db"),
        notify_new_device=False,
    )


@asynccontextmanager
async def listening(
    application: Starlette, port: int, *, kind: type[uvicorn.Server] = uvicorn.Server
) -> AsyncIterator[asyncio.Task[None]]:
    """Answer on a port of this machine while the block runs; give the task that does.

    Args:
        application: What answers.
        port: Where.
        kind: What runs it. The usual one listens to signals, too.
    """
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        http=BoundedProtocol,
    )
    server = kind(config)
    task = asyncio.create_task(server.serve(), name="coatcheck demonstration")
    try:
        # uvicorn has no event for it.
        while not server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        yield task
    finally:
        server.should_exit = True
        await task
