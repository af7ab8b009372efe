"""The guard in gRPC, before a whole server or a single method, with threads or in an event loop.

::

    from coatcheck.guards.grpc import Guard, principal
    from coatcheck.verifier import Verifier

    guard = Guard(None, Verifier("https://id.example", audience="https://api.example"))

    class Orders(OrdersServicer):
        @guard.require("orders:write")
        def Cancel(self, request, context):
            return Cancelled(by=principal.get().subject)

    server = grpc.server(ThreadPoolExecutor(), interceptors=[guard.require()])

The credential is in the metadata: ``authorization: Bearer …``.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any

import grpc

from ..verifier import Principal
from .guarding import BaseGuard, Demand, VerificationError
from .interception import Interceptor

__all__ = ["Guard", "principal"]

principal: ContextVar[Principal | None] = ContextVar("principal")
"""Who calls, in a method that is guarded."""

_CODES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 503: "UNAVAILABLE"}
_TOLD = {"WWW-Authenticate", "Retry-After"}


class Guard(BaseGuard[None, Interceptor]):
    """Guards methods: what ``require`` and ``optional`` return intercepts for a server, or decorates a method."""

    def _guarded(self, demand: Demand) -> Interceptor:
        def decorate(method: Any) -> Any:
            @wraps(method)
            def in_thread(*args: Any) -> Any:  # the context comes last, behind ``self`` in a servicer
                try:
                    principal.set(self.admit(demand, args[-1].invocation_metadata(), "POST"))
                except VerificationError as error:
                    self._refuse(args[-1], error)
                    raise
                return method(*args)

            async def admit(context: Any) -> None:
                try:
                    principal.set(await self.admit_async(demand, context.invocation_metadata(), "POST"))
                except VerificationError as error:
                    await self._refuse(context, error)
                    raise

            @wraps(method)
            async def in_loop(*args: Any) -> Any:
                await admit(args[-1])
                return await method(*args)

            @wraps(method)
            async def stream_in_loop(*args: Any) -> Any:
                await admit(args[-1])
                async for each in method(*args):
                    yield each

            if isasyncgenfunction(method):
                return stream_in_loop
            return in_loop if iscoroutinefunction(method) else in_thread

        return Interceptor(decorate)

    def _refuse(self, context: Any, error: VerificationError) -> Any:
        answer = self.refusal(error)
        told = [(name.lower(), value) for name, value in answer.headers if name in _TOLD]
        context.set_trailing_metadata(told)
        return context.abort(grpc.StatusCode[_CODES[answer.status]], error.message)
