"""Finding what answers a path: by one look-up where the path is fixed, else by trying one route after another."""

from __future__ import annotations

from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Paths"]


class Paths:
    """An ASGI application that answers as a router does, and finds fixed paths without trying the others first."""

    def __init__(self, router: Router) -> None:
        """Take the router, with all of its routes."""
        self._router = router
        self._fixed: dict[str, ASGIApp] = {
            each.path: each.app
            for each in router.routes
            if isinstance(each, Route) and each.methods is None and _is_first(each, router)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or whatever else the router answers."""
        app = self._fixed.get(_path_in(scope), self._router) if scope["type"] == "http" else self._router
        await app(scope, receive, send)


def _is_first(route: Route, router: Router) -> bool:
    """Tell whether a route has a fixed path, and the router finds no other one for it."""
    if route.param_convertors:
        return False
    asked = {"type": "http", "method": "GET", "path": route.path}
    return next(each for each in router.routes if each.matches(asked)[0] is Match.FULL) is route


def _path_in(scope: Scope) -> str:
    """Return the path below where the application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
