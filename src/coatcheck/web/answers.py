"""What an exchange ends in if it does not end well, and what is on every answer."""

from __future__ import annotations

import logging
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from .._core import json
from .._core.secrets import new_identifier
from ..errors import CoatcheckError
from ..flows.errors import NotSignedInError, RecentSignInNeededError
from ..oauth.errors import InteractionOverError, UnsafeLogoutError, UnsafeRequestError
from ..sessions.csrf import SAFE_METHODS
from ..sessions.errors import InvalidSessionError
from .exchange import Exchange
from .headers import security_headers
from .negotiation import VARY
from .pages.views import ProblemView
from .problems import Problem, error_headers, failure, oauth_error_of, problem_of, status_of
from .redirects import HOME
from .request_ids import current_request_id

__all__ = ["answer_to", "finish"]

_log = logging.getLogger("coatcheck.web")

_TITLES: dict[type[CoatcheckError | None], str] = {
    UnsafeRequestError: "This app cannot sign you in",
    UnsafeLogoutError: "This app cannot sign you out",
    InteractionOverError: "This sign-in is over",
}
_VARY = (b"vary", VARY.encode("ascii"))


async def answer_to(error: Exception, exchange: Exchange, *, back: str = "", oauth: bool = False) -> Response:
    """Return the answer to what was refused or failed.

    Args:
        error: What happened.
        exchange: The exchange that it happened in.
        back: The page to come back to after signing in (again); by default the one that was asked for.
        oauth: Whether this is the token endpoint, with its own form of errors.
    """
    exchange.flows.context.counts.refused(error)
    if not isinstance(error, CoatcheckError) or status_of(error) == 500:
        return await _tell(_failed(error, exchange), exchange, oauth=oauth)
    _log_refusal(error, exchange)
    if not exchange.wants_json:
        match error:
            case NotSignedInError() | InvalidSessionError():
                return exchange.go_to(exchange.site.path("/sign-in", next=back or _asked_for(exchange)))
            case RecentSignInNeededError():
                return exchange.go_to(
                    exchange.site.path("/re-authenticate", next=back or _asked_for(exchange))
                )
    response = await _tell(problem_of(error), exchange, error=error, oauth=oauth)
    version = exchange.request.scope.get("http_version", "1.1")
    response.headers.update(error_headers(error, http_version=version))
    return response


def _failed(error: Exception, exchange: Exchange) -> Problem:
    request_id = current_request_id.get() or new_identifier()
    detail = error.detail if isinstance(error, CoatcheckError) else None
    _log.error(
        "request %s failed: %s %r%s",
        request_id,
        exchange.request.method,
        exchange.request.scope["path"],
        f" ({detail})" if detail else "",
        exc_info=error,
    )
    return failure(request_id)


def _log_refusal(error: CoatcheckError, exchange: Exchange) -> None:
    _log.info(
        "refused %s %r: %s%s",
        exchange.request.method,
        exchange.request.scope["path"],
        error.code,
        f" ({error.detail})" if error.detail else "",
    )


def _asked_for(exchange: Exchange) -> str:
    """Return the path to come back to: the one that was asked for, with its query, if asking again does no harm.

    What was sent is not sent again, so whoever sent a form comes back to the page that it was on.
    """
    # From the request line alone: Request.url is put together with Host, which anybody can write anything in.
    scope = exchange.request.scope
    path, query = quote(scope["path"]), scope["query_string"].decode("latin-1")
    if scope["method"] not in SAFE_METHODS and not path.startswith(f"{exchange.site.options.prefix}/"):
        return _page_of_form(exchange)
    return f"{path}?{query}" if query and scope["method"] != "POST" else path


def _page_of_form(exchange: Exchange) -> str:
    """Return the page of this site that a form was sent from, as far as the browser tells; else the first one."""
    headers = exchange.request.headers
    referer = urlsplit(headers.get("referer", ""))
    if not referer.netloc or referer.netloc != headers.get("host"):
        return HOME
    return exchange.next_path(referer.path or HOME)


async def _tell(
    problem: Problem, exchange: Exchange, *, error: CoatcheckError | None = None, oauth: bool = False
) -> Response:
    if oauth:
        return exchange.json(oauth_error_of(problem, error), status=problem.status)
    if exchange.wants_json:
        return Response(
            json.encode(problem), status_code=problem.status, media_type="application/problem+json"
        )
    message = problem.detail + (f" (Request {problem.request_id})" if problem.request_id else "")
    title = _TITLES.get(type(error), "")
    view = ProblemView(status=problem.status, title=title, message=message, retry_after=problem.retry_after)
    return exchange.site.pages.render(view)


def finish(response: Response, exchange: Exchange) -> Response:
    """Put on an answer what is on every one: the security headers, ``Vary``, the cookies. Empty it for HEAD."""
    raw = response.raw_headers
    there = dict(raw)  # no name is there twice yet, but Set-Cookie
    document = there.get(b"content-type", b"").startswith(b"text/html")
    options = exchange.site.options
    added = security_headers(nonce=None, https=options.https, document=document)
    raw += [each for each in added if each[0] not in there]
    if b"vary" not in there and b"immutable" not in there.get(b"cache-control", b""):
        raw.append(_VARY)
    raw += [(b"set-cookie", cookie.encode("latin-1")) for cookie in exchange.set_cookies]
    if exchange.request.method == "HEAD":
        response.body = b""
    return response
