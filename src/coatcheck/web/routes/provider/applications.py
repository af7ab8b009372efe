"""The apps that the user gave access to, and taking it back."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.applications import Application
from ....oauth.display import shown_place
from ...exchange import Exchange
from ...pages.views import ApplicationAPIView, ApplicationsView, ApplicationView
from ...requests import ApplicationName, DoneQuery
from ...resource import Post, Resource, route
from ...site import Site

__all__ = ["routes"]

_PATH = "/applications"
_NOTICES = {"removed": "That app has no access any more."}


async def _show(exchange: Exchange) -> Response:
    identity = await exchange.identity()
    found = await exchange.flows.provider.applications.list(identity.id)
    if exchange.wants_json:
        return exchange.json({"applications": [_flat(each) for each in found]})
    notice = _NOTICES.get(exchange.query(DoneQuery).done, "")
    return await exchange.page(ApplicationsView(applications=tuple(map(_view, found)), notice=notice))


async def _remove(exchange: Exchange, form: ApplicationName) -> Response:
    identity = await exchange.identity()
    await exchange.flows.provider.applications.remove(identity, form.client_id)
    if exchange.wants_json:
        return exchange.nothing()
    return exchange.go_to(exchange.site.path(_PATH, done="removed"))


def _flat(application: Application) -> dict[str, Any]:
    """Return an app as programs are told of it. Times are whole seconds since 1970."""
    last = application.last_used_at
    return {
        "client_id": application.client.id,
        "client_name": application.client.name,
        "client_uri": application.client.client_uri,
        "scope": " ".join(
            [*application.openid, *(name for api in application.apis for name, _ in api.scopes)]
        ),
        "apis": [{"audience": each.audience, "name": each.name} for each in application.apis],
        "since": int(application.since),
        "last_used_at": None if last is None else int(last),
        "offline": application.offline,
        "remembered": application.is_remembered,
    }


def _view(application: Application) -> ApplicationView:
    client = application.client
    return ApplicationView(
        client_id=client.id,
        name=client.name,
        place=shown_place(client.redirect_uris[0]) if client.redirect_uris else "",
        is_verified=client.registered_by == "administrator",
        openid=application.openid,
        apis=tuple(ApplicationAPIView(name=each.name, scopes=each.scopes) for each in application.apis),
        since=application.since,
        last_used_at=application.last_used_at,
        offline=application.offline,
        is_remembered=application.is_remembered,
    )


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    return [
        route(_PATH, Resource(site, get=_show)),
        route(f"{_PATH}/remove", Resource(site, post=Post(ApplicationName, _remove), back=_PATH)),
    ]
