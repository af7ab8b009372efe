"""A server inside of somebody else's application, whatever the framework: its life, and its pages.

Requests are answered from when it is made. What goes on in the background, the delivery of mail above all, belongs to
the application's lifespan. Where none runs, as for an application that is mounted in another, or in a test without
one, mail is delivered behind the request that causes it, and expired records stay until a lifespan runs.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from ..server.server import Server
from ..server.settings import Settings

__all__ = ["EmbeddedServer"]


class EmbeddedServer:
    """A server, and as an ASGI application its pages and endpoints."""

    def __init__(self, settings: Settings) -> None:
        """Make it.

        Raises:
            SettingsError: If the settings cannot be used.
            CoatcheckError: What ``Server`` raises.
        """
        self._settings = settings
        self._server: Server | None = Server(settings)
        self._process = os.getpid()
        self._is_running = False

    @property
    def server(self) -> Server:
        """The server. A lifespan closes it; whoever asks after that gets a new one."""
        if self._server is None:
            self._server = Server(self._settings)
        return self._server

    @property
    def root(self) -> dict[str, ASGIApp]:
        """What it answers at the root of the host: the paths, and an application for each."""
        return {path: _AtRoot(self, path) for path in self.server.app.root}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do what goes on in the background, until the block ends. It may be entered again."""
        if self._process != os.getpid():  # made before a fork, which an open database does not survive
            self._server, self._process = None, os.getpid()
        try:
            async with self.server.running():
                self._is_running = True
                yield
        finally:
            self._server, self._is_running = None, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the pages and endpoints."""
        server = self.server
        await server.app(scope, receive, send)
        if not self._is_running and scope["type"] == "http" and scope["method"] == "POST":
            await server.delivery.deliver_pending()


class _AtRoot:
    """One path at the root, answered by whichever server there is at the moment."""

    def __init__(self, embedded: EmbeddedServer, path: str) -> None:
        self._embedded = embedded
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._embedded.server.app.root[self._path](scope, receive, send)
