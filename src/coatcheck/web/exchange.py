"""One request and the answer that comes of it, as routes see them."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .._core import json
from .._core.clock import Clock
from ..errors import CoatcheckError
from ..flows.authentication import Known
from ..flows.errors import InsufficientScopeError, NotSignedInError
from ..flows.model import SignedIn
from ..flows.recency import require_recent
from ..flows.service import Flows
from ..identity import FIRST_PARTY, Client, Identity
from ..sessions.cookie import Cookie
from .bodies import parse_pairs, typed
from .content_type import JSON, media_type
from .cookies import Cookies, cookie_in
from .development import check_local
from .negotiation import prefers_json
from .pages.views import View
from .problems import error_headers, status_of
from .redirects import HOME, path_on_this_site
from .requests import Fields
from .site import Site

__all__ = ["Exchange"]

AnyFields = TypeVar("AnyFields", bound=Fields)


class Exchange:
    """One request on its way through a route.

    Attributes:
        site: What routes hand requests on to.
        request: The request.
        wants_json: Whether the answer is JSON rather than a page.
        set_cookies: The ``Set-Cookie`` values that go with whatever answer there will be.
    """

    def __init__(self, site: Site, request: Request, *, always_json: bool = False) -> None:
        """Take the request. ``always_json`` is for routes that have no page."""
        self.site = site
        self.request = request
        self.wants_json: bool = always_json or prefers_json(request.headers)
        self.set_cookies: list[str] = []
        self._scope: dict[str, Any] = dict(request.scope)
        self._known: Known | None = None
        self._looked = False

    @property
    def flows(self) -> Flows:
        """What people do."""
        return self.site.flows

    @property
    def cookies(self) -> Cookies:
        """The kinds of cookies."""
        return self.site.gate.cookies

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.site.flows.context.clock

    @property
    def client(self) -> Client:
        """What the request shows of its client."""
        return self.site.gate.client_of(self._scope)

    @property
    def device(self) -> str | None:
        """The device cookie."""
        return self.cookie(self.cookies.device)

    @property
    def sent_json(self) -> bool:
        """Whether the request's body is JSON."""
        return media_type(self.request.headers.get("content-type", "")) == JSON

    @property
    def development_mail_url(self) -> str | None:
        """In development, the path of the page that lists the mails."""
        return self.site.path("/dev/mail") if self.site.shows_mail else None

    def cookie(self, cookie: Cookie) -> str | None:
        """Return the value of a cookie that came with the request."""
        return cookie_in(self._scope["headers"], cookie)

    def path_param(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def query(self, kind: type[AnyFields]) -> AnyFields:
        """Return the query as a typed value.

        Raises:
            MalformedRequestError: If it breaks its format, or a field does not fit.
        """
        return typed(parse_pairs(self._scope["query_string"]), kind)

    def check_local(self) -> None:
        """Check, in development, that the request comes from this machine.

        Raises:
            RequestError: If not.
        """
        options = self.site.options
        if options.development:
            check_local(self.request.scope, options.development_hosts)
            self.site.on_origin(f"{self.request.url.scheme}://{self.request.headers['host']}")

    async def known(self) -> Known | None:
        """Return who the request comes from, with session and user, if anybody. Looked up once.

        Raises:
            CoatcheckError: What ``Gate.find`` raises.
        """
        if not self._looked:
            self._known = await self.site.gate.find(self._scope)
            self._looked = True
        return self._known

    async def required(self, *, scope: str | None = None) -> Known:
        """Return who the request comes from, with session and user.

        A token that a client got is no key to the account: it opens what asks for a scope that was granted, and nothing
        else.

        Args:
            scope: What the route asks for, if it is open to clients too.

        Raises:
            NotSignedInError: If nobody is signed in.
            InsufficientScopeError: If a client asks, and does not have that scope.
        """
        known = await self.known()
        if known is None:
            raise NotSignedInError
        if known.session.client_id != FIRST_PARTY and scope not in known.identity.scopes:
            raise InsufficientScopeError(() if scope is None else (scope,))
        return known

    async def identity(self) -> Identity:
        """Return who the request comes from.

        Raises:
            NotSignedInError: If nobody is signed in.
        """
        return (await self.required()).identity

    async def recent_identity(self) -> Identity:
        """Return who the request comes from, if they proved it recently.

        Raises:
            NotSignedInError: If nobody is signed in.
            RecentSignInNeededError: If it is too long ago.
        """
        identity = await self.identity()
        require_recent(self.flows.context, identity)
        return identity

    async def check_same_site(self, fields: dict[str, Any]) -> None:
        """Check that a request that changes something comes from the site itself, or carries no cookie's authority.

        The anti-forgery token, where there is one, is taken out of the fields.

        Raises:
            CrossSiteRequestError: If it does not prove it.
            CoatcheckError: What ``Gate.find`` raises.
        """
        submitted = fields.pop("csrf_token", None)
        if isinstance(submitted, str) and submitted:
            header = (b"x-csrf-token", submitted.encode("utf-8", "surrogatepass"))
            self._scope["headers"] = [*self._scope["headers"], header]
        if await self.known() is None:
            # The gate checks only who has a session. Signing in and up can be forged without one.
            self.site.gate.check_same_site(self._scope, session_digest=None)

    def next_path(self, target: str) -> str:
        """Return where to go afterwards: a path on this site."""
        return path_on_this_site(target, prefix=self.site.options.prefix)

    def kept_next(self, target: str) -> str:
        """Return what a form keeps of where to go afterwards: a path on this site, or ``""``."""
        path = self.next_path(target)
        return "" if path == HOME else path

    async def page(
        self, view: View, *, status: int | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        """Return a page, with what every page needs: the anti-forgery token, and who is signed in."""
        known = await self.known()
        digest = None if known is None else known.session.digest
        csrf_token, cookie = self.site.gate.csrf_token(self._scope, digest)
        if cookie is not None:
            self.set_cookies.append(cookie)
        signed_in_as = "" if known is None else known.user.email
        response = self.site.pages.render(
            replace(view, csrf_token=csrf_token, signed_in_as=signed_in_as), status=status
        )
        response.headers.update(headers or {})
        return response

    async def form_again(self, error: CoatcheckError, view: View) -> Response:
        """Return the form with what was wrong, or, for a program, let the error go on."""
        if self.wants_json:
            raise error
        return await self.page(view, status=status_of(error), headers=error_headers(error))

    def json(self, value: object, *, status: int = 200) -> Response:
        """Return a value as JSON."""
        return Response(json.encode(value), status_code=status, media_type="application/json")

    def status(self, value: str, *, status: int = 200) -> Response:
        """Return JSON that says in one word what has happened."""
        return self.json({"status": value}, status=status)

    def nothing(self) -> Response:
        """Return an answer without content."""
        return Response(status_code=204)

    def go_to(self, path: str) -> Response:
        """Send the browser on with GET, whatever it came with (RFC 9110 section 15.4.4)."""
        return RedirectResponse(path, status_code=303)

    def user_json(self, user_id: str, *, email: str, scopes: frozenset[str]) -> dict[str, object]:
        """Return a user as a member of an answer."""
        return {"id": user_id, "email": email, "scopes": sorted(scopes)}

    async def signed_in(self, signed_in: SignedIn, *, then: str) -> Response:
        """Return the answer to a sign-in: the cookies and the way on, the user, or the tokens.

        The session's secret is in ``Set-Cookie`` and nowhere else (ASVS 5.0, 3.3.4).
        """
        # A program without cookies would be asked, from then on, to prove where its requests come from.
        if signed_in.secret is not None or "sec-fetch-site" in self.request.headers:
            self.set_cookies += self.cookies.signed_in(signed_in, now=self.clock())
        if signed_in.secret is not None:
            known = await self.flows.authentication.by_cookie(signed_in.secret, client=self.client)
            # Whatever the browser still holds is of another session, or of before the secret changed.
            await self._set_companions(known, {**self._scope, "headers": []})
        if not self.wants_json:
            return self.go_to(then)
        if signed_in.tokens is not None:
            return self.json(signed_in.tokens)
        user = signed_in.user
        return self.json({"user": self.user_json(user.id, email=user.email, scopes=user.scopes)})

    async def offer_companions(self, known: Known) -> None:
        """Set what goes with a session cookie and is not there: the anti-forgery token, the token cookie, if on."""
        if known.identity.via == "cookie":
            await self._set_companions(known, self._scope)

    async def _set_companions(self, known: Known, scope: dict[str, Any]) -> None:
        gate = self.site.gate
        _, csrf_cookie = gate.csrf_token(scope, known.session.digest)
        token_cookie = await gate.token_cookie(scope, known)
        self.set_cookies += [each for each in (csrf_cookie, token_cookie) if each is not None]

    def signed_out(self) -> None:
        """Clear the cookies of a session that has ended."""
        self.set_cookies += self.cookies.signed_out()
