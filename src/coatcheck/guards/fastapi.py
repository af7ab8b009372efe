"""The guard in FastAPI.

::

    from coatcheck.guards.fastapi import Guard
    from coatcheck.verifier import Principal, Verifier

    app = FastAPI()
    guard = Guard(app, Verifier("https://id.example", audience="https://api.example"))

    @app.get("/orders")
    async def orders(principal: Annotated[Principal, guard.require("orders:read")]) -> str:
        return principal.subject
"""

from __future__ import annotations

from typing import Any

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from ..verifier import Principal
from .guarding import Demand
from .starlette import StarletteGuard

__all__ = ["Guard"]


class Guard(StarletteGuard[Any]):
    """Guards routes: ``require`` and ``optional`` return dependencies, whose value is who calls."""

    def _guarded(self, demand: Demand) -> Any:
        return Security(_Dependency(self, demand), scopes=demand.scopes)


class _Dependency(SecurityBase):
    def __init__(self, guard: Guard, demand: Demand) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token.")
        self.scheme_name = "Coatcheck"
        self._guard = guard
        self._demand = demand

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        return await self._guard.admit_scope(self._demand, connection.scope)
