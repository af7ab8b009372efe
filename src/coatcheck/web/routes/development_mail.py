"""Development only: the mails that were not sent."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ..._core import base64url
from ..._core.secrets import digest
from ..errors import NotFoundError
from ..exchange import Exchange
from ..pages.views import DevelopmentMail, DevelopmentMailListView, DevelopmentMailView
from ..resource import Resource, route
from ..site import KeptMail, Site

__all__ = ["routes"]


async def _list(exchange: Exchange) -> Response:
    return await exchange.page(DevelopmentMailListView(mails=_mails(exchange.site)))


async def _show(exchange: Exchange) -> Response:
    wanted = exchange.path_param("mail_id")
    for mail in _mails(exchange.site):
        if mail.id == wanted:
            return await exchange.page(DevelopmentMailView(mail=mail))
    raise NotFoundError


def _mails(site: Site) -> tuple[DevelopmentMail, ...]:
    return () if site.mails is None else tuple(map(_shown, site.mails.mails))


def _shown(mail: KeptMail) -> DevelopmentMail:
    identifier = base64url.encode(digest(f"{mail.at} {mail.to} {mail.text}")[:12])
    return DevelopmentMail(
        id=identifier,
        to=mail.to,
        subject=mail.subject,
        text=mail.text,
        at=mail.at,
        link=next(iter(mail.links), ""),
    )


def routes(site: Site) -> list[Route]:
    """Return the routes; none where mail is sent."""
    if not site.shows_mail:
        return []
    return [
        route("/dev/mail", Resource(site, get=_list)),
        route("/dev/mail/{mail_id}", Resource(site, get=_show)),
    ]
