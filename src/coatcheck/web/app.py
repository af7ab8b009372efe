"""The ASGI application: the routes below a prefix, and what stands before all of them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import CoatcheckError
from ..flows.service import Flows
from .answers import answer_to, finish
from .cors import CrossOrigin
from .errors import NotFoundError
from .exchange import Exchange
from .gate import Gate
from .options import WebOptions
from .pages import Pages
from .paths import Paths
from .routes import all_routes
from .routes.metadata import METADATA_PATH, OPENID_PATH, metadata, openid_metadata
from .routes.signals import SSF_PATH, ssf_configuration
from .site import KeptMails, Site

__all__ = ["AuthApp"]


class AuthApp:
    """Sign-in as an ASGI application.

    It answers below its prefix by itself, and just as well mounted there by another application. It opens and closes
    nothing: whoever made its parts does.

    Attributes:
        site: What the routes share.
        root: What it answers at the root of the host, whatever its prefix: for whoever owns that.
        templates: The paths of its routes below the prefix, with ``{…}`` for what varies.
    """

    def __init__(
        self,
        flows: Flows,
        gate: Gate,
        pages: Pages,
        *,
        options: WebOptions,
        mails: KeptMails | None = None,
        on_origin: Callable[[str], None] | None = None,
    ) -> None:
        """Take the parts.

        Args:
            flows: What people do.
            gate: Who they are, by which cookies.
            pages: What they see.
            options: The settings of the routes.
            mails: Who keeps the mails of development; ``None`` where mail is sent.
            on_origin: Told, in development, by which origin of this machine the site was reached.
        """
        told = {} if on_origin is None else {"on_origin": on_origin}
        self.site: Site = Site(flows=flows, gate=gate, pages=pages, options=options, mails=mails, **told)
        self.root: dict[str, ASGIApp] = {
            METADATA_PATH: metadata(self.site),
            OPENID_PATH: openid_metadata(self.site),
            SSF_PATH: ssf_configuration(self.site),
        }
        self._router = Router(all_routes(self.site), redirect_slashes=False, default=self.nowhere)
        self._paths = Paths(self._router)
        self.templates: tuple[str, ...] = tuple(
            each.path for each in self._router.routes if isinstance(each, Route)
        )
        app: ASGIApp = self._below_prefix
        if options.cors_origins:
            app = CrossOrigin(app, origins=options.cors_origins)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A lifespan is completed at once, a WebSocket closed."""
        app = self._app if scope["type"] == "http" else self._router
        await app(scope, receive, send)

    async def answer(self, request: Request, error: Exception) -> Response:
        """Return the answer to an error, as all routes here give it: for the rest of a site of which this is a part.

        A browser is sent to sign in, and back to where it was; a program gets a problem and a challenge (RFC 6750).
        """
        exchange = Exchange(self.site, request)
        return finish(await answer_to(error, exchange), exchange)

    async def nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what leads nowhere: 404, as the pages look. For the rest of a site of which this is a part."""
        if scope["type"] != "http":
            await self._router.not_found(scope, receive, send)
            return
        exchange = Exchange(self.site, Request(scope, receive))
        try:
            exchange.check_local()
            raise NotFoundError
        except CoatcheckError as error:
            response = await answer_to(error, exchange)
        await finish(response, exchange)(scope, receive, send)

    async def _below_prefix(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = _below(scope, self.site.options.prefix)
        await (self.nowhere(scope, receive, send) if below is None else self._paths(below, receive, send))


def _below(scope: Scope, prefix: str) -> Scope | None:
    """Return the scope as the routes below a prefix see it; ``None`` if the path is not below it."""
    root: str = scope.get("root_path", "")
    if root.endswith(prefix):
        return scope  # mounted there, or without a prefix
    path: str = scope["path"]
    # By the ASGI specification the path has the root in front; not every server keeps to it.
    if not path.removeprefix(root).startswith(f"{prefix}/"):
        return None
    return {**scope, "root_path": root + prefix}
