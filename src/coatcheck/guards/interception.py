"""Where a gRPC server lets a guard in: one object for both kinds of server, and for a single method.

The calls themselves are guarded, not the look-up of their handlers: a server with threads looks up in the one thread
that all calls pass through, which must not wait for anything.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

import grpc
import grpc.aio

from .guarding import Decorator, Handler

__all__ = ["Interceptor"]


class Interceptor(grpc.aio.ServerInterceptor, grpc.ServerInterceptor):
    """Intercepts the calls of a server, of either kind; as a decorator, those of one method."""

    def __init__(self, decorate: Decorator) -> None:
        """Take what guards one method."""
        self._decorate = decorate

    def __call__(self, method: Handler) -> Handler:
        """Return the method, guarded."""
        return self._decorate(method)

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the handler of a call, guarded: as it is, or where that is awaited, to be awaited."""
        found = continuation(handler_call_details)
        return self._when_found(found) if isawaitable(found) else self._guarded(found)

    async def _when_found(self, found: Any) -> Any:
        return self._guarded(await found)

    def _guarded(self, handler: Any) -> Any:
        if handler is None:  # no such method
            return None
        counts = {False: "unary", True: "stream"}
        kind = f"{counts[handler.request_streaming]}_{counts[handler.response_streaming]}"
        guarded = self._decorate(getattr(handler, kind))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(guarded, handler.request_deserializer, handler.response_serializer)
