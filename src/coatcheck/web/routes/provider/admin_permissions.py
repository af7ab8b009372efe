"""Who may do what at which API: for administrators, as JSON."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.administering import APIS_SCOPE, Administrator, require_all
from ....flows.provider.apis import is_built_in
from ....oauth.model import HolderKind, Permission
from ...administering import administered
from ...exchange import Exchange
from ...requests import Fields
from ...site import Site

__all__ = ["routes"]


class PermissionsQuery(Fields, frozen=True, kw_only=True):
    """Which permissions: of whom, and at which API."""

    kind: HolderKind | None = None
    holder: str | None = None
    api: str | None = None


class GrantedPermission(Fields, frozen=True, kw_only=True):
    """What somebody is to be allowed.

    Attributes:
        kind: Who: a user, all who have a role, or a client in its own name.
        holder: The user's e-mail address or identifier, the role's name, or the client's identifier.
        api: The audience of the API.
        scopes: What.
    """

    kind: HolderKind
    holder: str
    api: str
    scopes: tuple[str, ...]


class WithdrawnPermission(Fields, frozen=True, kw_only=True):
    """What somebody is to be allowed no more: see ``GrantedPermission``. ``null`` is all that they may there."""

    kind: HolderKind
    holder: str
    api: str
    scopes: tuple[str, ...] | None = None


def _flat(permission: Permission) -> dict[str, Any]:
    return {
        "kind": permission.kind,
        "holder": permission.holder,
        "api": permission.audience,
        "scopes": sorted(permission.scopes),
    }


def _check(exchange: Exchange, api: str, by: Administrator) -> None:
    """Refuse to give or take the scopes by which this server is administered, but to who has them all."""
    if is_built_in(exchange.flows.context, api):
        require_all(by)


async def _list(exchange: Exchange) -> Response:
    query = exchange.query(PermissionsQuery)
    found = await exchange.flows.provider.permissions.list(
        kind=query.kind, holder=query.holder, audience=query.api
    )
    return exchange.json({"permissions": [_flat(each) for each in found]})


async def _grant(exchange: Exchange, form: GrantedPermission, by: Administrator) -> Response:
    _check(exchange, form.api, by)
    permission = await exchange.flows.provider.permissions.grant(
        form.kind, form.holder, form.api, scopes=form.scopes, actor=by.actor
    )
    return exchange.json(_flat(permission))


async def _withdraw(exchange: Exchange, form: WithdrawnPermission, by: Administrator) -> Response:
    _check(exchange, form.api, by)
    permission = await exchange.flows.provider.permissions.withdraw(
        form.kind, form.holder, form.api, scopes=form.scopes, actor=by.actor
    )
    return exchange.json(_flat(permission))


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    scope = APIS_SCOPE
    return [
        administered(site, "/admin/permissions", scope=scope, get=_list),
        administered(site, "/admin/permissions/grant", scope=scope, post=(GrantedPermission, _grant)),
        administered(site, "/admin/permissions/withdraw", scope=scope, post=(WithdrawnPermission, _withdraw)),
    ]
