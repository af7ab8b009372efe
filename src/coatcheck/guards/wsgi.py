"""The guard before any WSGI application.

::

    from coatcheck.guards.wsgi import Guard
    from coatcheck.verifier import Verifier

    verifier = Verifier("https://id.example", audience="https://api.example")
    application = Guard(inner, verifier).require("orders:read")

The application finds the principal at ``environ["coatcheck.principal"]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from .guarding import BaseGuard, Demand, VerificationError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["PRINCIPAL", "Guard"]

PRINCIPAL = "coatcheck.principal"
"""The key of the principal in the environ."""


class Guard(BaseGuard["WSGIApplication", "WSGIApplication"]):
    """Stands before an application: ``require`` and ``optional`` return the application to serve in its place."""

    def protect(self, app: WSGIApplication) -> WSGIApplication:
        """Stand before this application."""
        self._app = app
        return app

    def _guarded(self, demand: Demand) -> WSGIApplication:
        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            method = environ["REQUEST_METHOD"]
            if environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "") == self.metadata_path:
                answer = self.metadata()
            else:
                try:
                    environ[PRINCIPAL] = self.admit(demand, _headers_of(environ), method)
                except VerificationError as error:
                    answer = self.refusal(error)
                else:
                    return self._app(environ, start_response)
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
            return [] if method == "HEAD" else [answer.body]

        return guarded


def _headers_of(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return [(key[5:].replace("_", "-"), environ[key]) for key in environ if key.startswith("HTTP_")]
