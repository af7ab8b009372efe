"""The guard in Starlette.

::

    from coatcheck.guards.starlette import Guard
    from coatcheck.verifier import Verifier

    app = Starlette()
    guard = Guard(app, Verifier("https://id.example", audience="https://api.example"))

    @guard.require("orders:read")
    async def orders(request: Request) -> JSONResponse:
        return JSONResponse({"subject": request.state.principal.subject})

    app.add_route("/orders", orders)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from ..verifier.refusals import Refusal
from .guarding import BaseGuard, Decorator, Demand, Guarded, VerificationError

__all__ = ["Guard", "StarletteGuard"]


class StarletteGuard(BaseGuard[Starlette, Guarded]):
    """What the guards of Starlette and of what is made of it have in common."""

    def protect(self, app: Starlette) -> Starlette:
        """Answer for an application, serve the metadata, and let its lifespan run the verifier."""
        app.exception_handlers.setdefault(VerificationError, self._refuse)
        app.router.routes.insert(0, Route(self.metadata_path, lambda _: _response(self.metadata())))
        inner: Callable[[Any], Any] = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[Any]:
            async with self.running(), inner(app) as state:
                yield state

        app.router.lifespan_context = lifespan
        return app

    async def _refuse(self, connection: HTTPConnection, error: Any) -> Response | None:
        response = _response(self.refusal(error))
        if not isinstance(connection, WebSocket):
            return response
        if "websocket.http.response" in connection.scope.get("extensions", {}):
            await connection.send_denial_response(response)
        else:
            await connection.close(1008, reason=error.code)  # before the handshake is done: status 403
        return None


class Guard(StarletteGuard[Decorator]):
    """Guards endpoints: ``require`` and ``optional`` decorate them, and ``request.state.principal`` is who calls."""

    def _guarded(self, demand: Demand) -> Decorator:
        def decorate(endpoint: Any) -> Any:
            @wraps(endpoint)
            def in_thread(*args: Any) -> Any:  # the request comes last, behind ``self`` in a class
                request = args[-1]
                request.state.principal = self.admit(demand, request.scope["headers"], request.method)
                return endpoint(*args)

            @wraps(endpoint)
            async def in_loop(*args: Any) -> Any:
                args[-1].state.principal = await self.admit_scope(demand, args[-1].scope)
                return await endpoint(*args)

            return in_loop if iscoroutinefunction(endpoint) else in_thread

        return decorate


def _response(answer: Refusal) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))
