"""The guard in Flask.

::

    from coatcheck.guards.flask import Guard
    from coatcheck.verifier import Verifier

    app = Flask(__name__)
    guard = Guard(app, Verifier("https://id.example", audience="https://api.example"))

    @app.get("/orders")
    @guard.require("orders:read")
    def orders() -> dict[str, str]:
        return {"subject": g.principal.subject}
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from flask import Flask, Response, current_app, g, request

from ..verifier.errors import VerifierConfigurationError
from ..verifier.refusals import Refusal
from .guarding import BaseGuard, Decorator, Demand, VerificationError

__all__ = ["Guard"]


class Guard(BaseGuard[Flask, Decorator]):
    """Guards views: ``require`` and ``optional`` decorate them, below the route, and ``g.principal`` is who calls."""

    def protect(self, app: Flask) -> Flask:
        """Answer for an application, and serve the metadata."""
        app.register_error_handler(VerificationError, lambda error: _response(self.refusal(error)))
        app.add_url_rule(self.metadata_path, "coatcheck_metadata", lambda: _response(self.metadata()))
        self._views = app.view_functions
        return app

    def _guarded(self, demand: Demand) -> Decorator:
        def decorate(view: Any) -> Any:
            if view in getattr(self, "_views", {}).values():
                raise VerifierConfigurationError("The route is unguarded: put the guard below the route.")

            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                g.principal = self.admit(demand, list(request.headers), request.method)
                return current_app.ensure_sync(view)(*args, **kwargs)

            return guarded

        return decorate


def _response(answer: Refusal) -> Response:
    return Response(answer.body, answer.status, answer.headers)
