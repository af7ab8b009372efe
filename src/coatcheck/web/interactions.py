"""Authorization requests on their way through the pages: where their users are sent, and how they come back."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

from ..flows.provider.authorization import AccountQuestion, Go, Outcome
from ..flows.provider.consent import ConsentQuestion
from ..oauth.display import host_of, shown_place
from ..oauth.replies import Reply, location_of
from .exchange import Exchange
from .headers import form_target
from .pages.authorization_views import AskedAPIView, ConsentView, FormPostView, SelectAccountView

__all__ = ["Continuing", "answer", "browser_session", "continuing"]

_CONTINUE: Final = "/continue/"


class Continuing(msgspec.Struct, frozen=True, kw_only=True):
    """What a page on the way shows of where it leads, and allows.

    Attributes:
        app: What the client is called, or ``""`` where the page leads to no client.
        login_hint: The address to fill in.
        targets: Where its form may lead in the end, beyond this site.
    """

    app: str = ""
    login_hint: str = ""
    targets: tuple[str, ...] = ()


async def browser_session(exchange: Exchange) -> str | None:
    """Return the session of the browser, by its cookie.

    An access token is no session of a browser: a client that holds one could otherwise grant itself whatever the user
    may, in their name.
    """
    known = await exchange.known()
    return known.session.id if known is not None and known.identity.via == "cookie" else None


async def continuing(exchange: Exchange, next_path: str) -> Continuing:
    """Return what a page shows that leads to a path on this site, if that is an authorization request."""
    prefix = exchange.site.options.prefix + _CONTINUE
    handle = next_path.removeprefix(prefix)
    if not next_path.startswith(prefix) or not handle:
        return Continuing()
    preview = await exchange.flows.provider.authorization.preview(handle)
    if preview is None:
        return Continuing()
    return Continuing(
        app=preview.client.name,
        login_hint=preview.login_hint,
        targets=(form_target(preview.redirect_uri),),
    )


async def answer(exchange: Exchange, outcome: Outcome, *, handle: str = "") -> Response:
    """Return the answer to a request that the dispatcher has looked at.

    Args:
        exchange: The exchange.
        outcome: What came of it.
        handle: The interaction that the pages' forms go on with.
    """
    match outcome:
        case Reply():
            return _reply(exchange, outcome)
        case Go():
            return exchange.go_to(_way(exchange, outcome))
        case ConsentQuestion():
            return await exchange.page(_consent(outcome, handle))
    return await exchange.page(_accounts(outcome, handle))


def _reply(exchange: Exchange, reply: Reply) -> Response:
    """Bring an answer to the client: by 303, so that nothing that was sent here goes there too (RFC 9700, 4.12)."""
    if reply.mode != "form_post":
        return exchange.go_to(location_of(reply))
    view = FormPostView(
        action=reply.redirect_uri,
        fields=tuple(reply.parameters.items()),
        place=shown_place(reply.redirect_uri),
        form_targets=(form_target(reply.redirect_uri),),
    )
    return exchange.site.pages.render(view)


def _way(exchange: Exchange, go: Go) -> str:
    back = exchange.site.path(f"{_CONTINUE}{go.handle}")
    if go.page == "continue":
        return back
    return exchange.site.path(f"/{go.page}", next=back, other="1" if go.other else "")


def _consent(question: ConsentQuestion, handle: str) -> ConsentView:
    client = question.client
    return ConsentView(
        handle=handle,
        session_id=question.session_id,
        scope=" ".join(question.scope),
        app=client.name,
        place=shown_place(question.redirect_uri),
        is_verified=client.registered_by == "administrator",
        described_at=host_of(client.id) if client.registered_by == "metadata-document" else "",
        email=question.email,
        openid=question.openid,
        claims=question.claims,
        apis=tuple(AskedAPIView(name=each.name, scopes=each.scopes) for each in question.apis),
        offline=question.offline,
        policy_url=client.policy_uri or "",
        terms_url=client.tos_uri or "",
        form_targets=(form_target(question.redirect_uri),),
    )


def _accounts(question: AccountQuestion, handle: str) -> SelectAccountView:
    return SelectAccountView(
        handle=handle,
        session_id=question.session_id,
        app=question.client.name,
        email=question.email,
        may_create=question.may_create,
        form_targets=(form_target(question.redirect_uri),),
    )
