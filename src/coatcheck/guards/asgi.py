"""The guard before any ASGI application.

::

    from coatcheck.guards.asgi import Guard
    from coatcheck.verifier import Verifier

    verifier = Verifier("https://id.example", audience="https://api.example")
    app = Guard(application, verifier).require("orders:read")

The application finds the principal at ``scope["coatcheck.principal"]``. A lifespan runs the verifier.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .guarding import BaseGuard, Demand, VerificationError

__all__ = ["PRINCIPAL", "ASGIApplication", "Guard"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Message, Receive, Send], Awaitable[None]]

PRINCIPAL = "coatcheck.principal"
"""The key of the principal in the scope."""


class Guard(BaseGuard[ASGIApplication, ASGIApplication]):
    """Stands before an application: ``require`` and ``optional`` return the application to serve in its place."""

    def protect(self, app: ASGIApplication) -> ASGIApplication:
        """Stand before this application."""
        self._app = app
        return app

    def _guarded(self, demand: Demand) -> ASGIApplication:
        async def guarded(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                async with self.running():
                    return await self._app(scope, receive, send)
            if scope["path"] == self.metadata_path:
                answer = self.metadata()
            else:
                try:
                    scope[PRINCIPAL] = await self.admit_scope(demand, scope)
                except VerificationError as error:
                    answer = self.refusal(error)
                else:
                    return await self._app(scope, receive, send)
            websocket = "websocket." if scope["type"] == "websocket" else ""
            if websocket and "websocket.http.response" not in scope.get("extensions", {}):
                return await send(
                    {"type": "websocket.close", "code": 1008}
                )  # before the handshake: status 403
            headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
            start = {"type": f"{websocket}http.response.start", "status": answer.status, "headers": headers}
            await send(start)
            return await send({"type": f"{websocket}http.response.body", "body": answer.body})

        return guarded
