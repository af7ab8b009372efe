"""The guard in Django, under WSGI and under ASGI.

::

    from coatcheck.guards.django import Guard
    from coatcheck.verifier import Verifier

    urlpatterns = []
    guard = Guard(urlpatterns, Verifier("https://id.example", audience="https://api.example"))

    @guard.require("orders:read")
    def orders(request):
        return JsonResponse({"subject": request.principal.subject})

    urlpatterns.append(path("orders", orders))
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from ..verifier.refusals import Refusal
from .guarding import BaseGuard, Decorator, Demand, VerificationError

__all__ = ["Guard"]


class Guard(BaseGuard[list[Any], Decorator]):
    """Guards views: ``require`` and ``optional`` decorate them, and ``request.principal`` is who calls."""

    def protect(self, app: list[Any]) -> list[Any]:
        """Serve the metadata at the URL patterns of a project."""
        app.insert(0, path(self.metadata_path[1:], lambda _: _response(self.metadata())))
        return app

    def _guarded(self, demand: Demand) -> Decorator:
        def decorate(view: Any) -> Any:
            @wraps(view)
            def in_thread(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                try:
                    request.principal = self.admit(demand, request.headers, request.method)
                except VerificationError as error:
                    return _response(self.refusal(error))
                return view(request, *args, **kwargs)

            @wraps(view)
            async def in_loop(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                try:
                    request.principal = await self.admit_async(demand, request.headers, request.method)
                except VerificationError as error:
                    return _response(self.refusal(error))
                return await view(request, *args, **kwargs)

            guarded: Any = in_loop if iscoroutinefunction(view) else in_thread
            if not demand.optional:
                # No page can forge a bearer token, and where a cookie comes from, the verifier has looked. A view that
                # lets in whoever shows neither may go by Django's own session, and so needs Django's own check.
                guarded.csrf_exempt = True
            return guarded

        return decorate


def _response(answer: Refusal) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
