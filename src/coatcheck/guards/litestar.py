"""The guard in Litestar.

::

    from coatcheck.guards.litestar import Guard
    from coatcheck.verifier import Principal, Verifier

    guard = Guard(None, Verifier("https://id.example", audience="https://api.example"))

    @get("/orders", guards=[guard.require("orders:read")])
    async def orders(principal: NamedDependency[Principal]) -> dict[str, str]:
        return {"subject": principal.subject}

    app = Litestar([orders], on_app_init=[guard.protect])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Response, get
from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from ..verifier.refusals import Refusal
from .guarding import BaseGuard, Demand, VerificationError

__all__ = ["Guard"]

Connection = ASGIConnection[Any, Any, Any, Any]
LitestarGuard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


class Guard(BaseGuard[AppConfig, LitestarGuard]):
    """Guards routes: ``require`` and ``optional`` return guards, and the dependency ``principal`` is who calls."""

    def protect(self, app: AppConfig) -> AppConfig:
        """Answer for an application, serve the metadata, and let its lifespan run the verifier."""

        @get(self.metadata_path, include_in_schema=False, sync_to_thread=False)
        def metadata() -> Response[bytes]:
            return _response(self.metadata())

        def lifespan(_: Any) -> AbstractAsyncContextManager[None]:
            return self.running()

        app.route_handlers.append(metadata)
        app.exception_handlers.setdefault(VerificationError, lambda _, error: _response(self.refusal(error)))
        app.dependencies["principal"] = Provide(_principal, sync_to_thread=False)
        app.lifespan.insert(0, lifespan)
        return app

    def _guarded(self, demand: Demand) -> LitestarGuard:
        async def guarded(connection: Connection, _: BaseRouteHandler) -> None:
            connection.state.principal = await self.admit_scope(demand, connection.scope)

        return guarded


def _principal(scope: Scope) -> Any:
    return scope["state"]["principal"]


def _response(answer: Refusal) -> Response[bytes]:
    headers = dict(answer.headers)
    return Response(
        answer.body, status_code=answer.status, headers=headers, media_type=headers["Content-Type"]
    )
