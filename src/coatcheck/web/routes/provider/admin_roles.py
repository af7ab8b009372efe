"""Roles, and who has them: for administrators, as JSON."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from ....flows.provider.administering import APIS_SCOPE, Administrator
from ...administering import administered
from ...exchange import Exchange
from ...requests import Fields
from ...site import Site

__all__ = ["routes"]


class RoleQuery(Fields, frozen=True, kw_only=True):
    """Whose roles: with a role its members, with a user theirs, else all roles."""

    role: str = ""
    user: str = ""


class NewRole(Fields, frozen=True, kw_only=True):
    """A role to be made."""

    name: str
    description: str = ""


class RoleName(Fields, frozen=True, kw_only=True):
    """One role."""

    name: str


class Membership(Fields, frozen=True, kw_only=True):
    """A user's role. The user is named by e-mail address or identifier."""

    role: str
    user: str


async def _list(exchange: Exchange) -> Response:
    roles, query = exchange.flows.provider.roles, exchange.query(RoleQuery)
    if query.role:
        members = [{"id": each.id, "email": each.email} for each in await roles.members(query.role)]
        return exchange.json({"role": query.role, "members": members})
    if query.user:
        return exchange.json({"user": query.user, "roles": await roles.of(query.user)})
    return exchange.json(
        {"roles": [{"name": each.name, "description": each.description} for each in await roles.list()]}
    )


async def _add(exchange: Exchange, form: NewRole, _: Administrator) -> Response:
    role = await exchange.flows.provider.roles.add(form.name, description=form.description)
    return exchange.json({"name": role.name, "description": role.description}, status=201)


async def _remove(exchange: Exchange, form: RoleName, by: Administrator) -> Response:
    await exchange.flows.provider.roles.remove(form.name, actor=by.actor)
    return exchange.nothing()


async def _give(exchange: Exchange, form: Membership, by: Administrator) -> Response:
    changed = await exchange.flows.provider.roles.give(form.role, form.user, actor=by.actor)
    return exchange.json({"changed": changed})


async def _take(exchange: Exchange, form: Membership, by: Administrator) -> Response:
    changed = await exchange.flows.provider.roles.take(form.role, form.user, actor=by.actor)
    return exchange.json({"changed": changed})


def routes(site: Site) -> list[Route]:
    """Return the routes."""
    scope = APIS_SCOPE
    return [
        administered(site, "/admin/roles", scope=scope, get=_list, post=(NewRole, _add)),
        administered(site, "/admin/roles/remove", scope=scope, post=(RoleName, _remove)),
        administered(site, "/admin/roles/give", scope=scope, post=(Membership, _give)),
        administered(site, "/admin/roles/take", scope=scope, post=(Membership, _take)),
    ]
