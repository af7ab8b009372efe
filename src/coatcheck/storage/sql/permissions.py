"""Roles, who has them, and who may do what at which API, in SQL."""

from __future__ import annotations

from typing import Final

from ...oauth.model import HolderKind, Permission, Role
from .access import Parameters, Row, SQLTable

__all__ = ["PermissionTable"]

_ADD_ROLE = """
INSERT INTO roles (name, description, created_at)
VALUES (:name, :description, :created_at)
ON CONFLICT (name) DO NOTHING"""
_LIST_ROLES = "SELECT name, description, created_at FROM roles ORDER BY name"
_DELETE_ROLE = "DELETE FROM roles WHERE name = :name"
_ADD_MEMBER = """
INSERT INTO role_members (user_id, role) VALUES (:user_id, :role) ON CONFLICT (user_id, role) DO NOTHING"""
_REMOVE_MEMBER = "DELETE FROM role_members WHERE user_id = :user_id AND role = :role"
_LIST_MEMBERS = "SELECT user_id FROM role_members WHERE role = :role ORDER BY user_id"
_LIST_ROLES_OF = "SELECT role FROM role_members WHERE user_id = :user_id ORDER BY role"

# The holder stands in a column of its kind: each kind has statements of its own.
_PUT: Final[dict[HolderKind, str]] = {
    "user": """
INSERT INTO permissions (audience, user_id, scopes) VALUES (:audience, :holder, :scopes)
ON CONFLICT (user_id, audience) WHERE user_id IS NOT NULL DO UPDATE SET scopes = :scopes""",
    "role": """
INSERT INTO permissions (audience, role, scopes) VALUES (:audience, :holder, :scopes)
ON CONFLICT (role, audience) WHERE role IS NOT NULL DO UPDATE SET scopes = :scopes""",
    "client": """
INSERT INTO permissions (audience, client_id, scopes) VALUES (:audience, :holder, :scopes)
ON CONFLICT (client_id, audience) WHERE client_id IS NOT NULL DO UPDATE SET scopes = :scopes""",
}
_DELETE: Final[dict[HolderKind, str]] = {
    "user": "DELETE FROM permissions WHERE user_id = :holder AND audience = :audience",
    "role": "DELETE FROM permissions WHERE role = :holder AND audience = :audience",
    "client": "DELETE FROM permissions WHERE client_id = :holder AND audience = :audience",
}
_FIND: Final[dict[HolderKind, str]] = {
    "user": "SELECT scopes FROM permissions WHERE user_id = :holder AND audience = :audience",
    "role": "SELECT scopes FROM permissions WHERE role = :holder AND audience = :audience",
    "client": "SELECT scopes FROM permissions WHERE client_id = :holder AND audience = :audience",
}
_LIST_OF: Final[dict[HolderKind, str]] = {
    "user": "SELECT 'user', user_id, audience, scopes FROM permissions WHERE user_id = :holder",
    "role": "SELECT 'role', role, audience, scopes FROM permissions WHERE role = :holder",
    "client": "SELECT 'client', client_id, audience, scopes FROM permissions WHERE client_id = :holder",
}
_LIST = """
SELECT
    CASE WHEN user_id IS NOT NULL THEN 'user' WHEN role IS NOT NULL THEN 'role' ELSE 'client' END,
    coalesce(user_id, role, client_id), audience, scopes
FROM permissions"""
_LIST_OF_API = _LIST + " WHERE audience = :audience"
_USER_SCOPES = """
SELECT scopes FROM permissions WHERE user_id = :user_id AND audience = :audience
UNION ALL
SELECT permissions.scopes
FROM role_members JOIN permissions ON permissions.role = role_members.role
WHERE role_members.user_id = :user_id AND permissions.audience = :audience"""


def _scopes(text: str) -> frozenset[str]:
    return frozenset(text.split(" "))


def _permission(row: Row) -> Permission:
    kind, holder, audience, scopes = row
    return Permission(kind=kind, holder=holder, audience=audience, scopes=_scopes(scopes))


class PermissionTable(SQLTable):
    """Satisfies ``RoleRecords`` and ``PermissionRecords`` of ``oauth.ports``."""

    async def add_role(self, role: Role) -> bool:
        """Add a role."""
        parameters: Parameters = {
            "name": role.name,
            "description": role.description,
            "created_at": role.created_at,
        }
        return await self._access.change(_ADD_ROLE, parameters) == 1

    async def list_roles(self) -> list[Role]:
        """Return all roles in the order of their names."""
        return [
            Role(name=name, description=description, created_at=created_at)
            for name, description, created_at in await self._access.rows(_LIST_ROLES, {})
        ]

    async def delete_role(self, name: str) -> bool:
        """Delete a role; permissions and memberships go with it by their foreign keys."""
        return await self._access.change(_DELETE_ROLE, {"name": name}) == 1

    async def add_member(self, role: str, user_id: str) -> bool:
        """Give a user a role."""
        return await self._access.change(_ADD_MEMBER, {"role": role, "user_id": user_id}) == 1

    async def remove_member(self, role: str, user_id: str) -> bool:
        """Take a role from a user."""
        return await self._access.change(_REMOVE_MEMBER, {"role": role, "user_id": user_id}) == 1

    async def list_members(self, role: str) -> list[str]:
        """Return the identifiers of the users who have a role."""
        return [user_id for (user_id,) in await self._access.rows(_LIST_MEMBERS, {"role": role})]

    async def list_roles_of(self, user_id: str) -> list[str]:
        """Return the names of a user's roles."""
        return [role for (role,) in await self._access.rows(_LIST_ROLES_OF, {"user_id": user_id})]

    async def put_permission(self, permission: Permission) -> None:
        """Set what somebody may do at an API; without any scopes, delete it."""
        named: Parameters = {"holder": permission.holder, "audience": permission.audience}
        if permission.scopes:
            named = {**named, "scopes": " ".join(sorted(permission.scopes))}
        await self._access.change((_PUT if permission.scopes else _DELETE)[permission.kind], named)

    async def find_permission(self, kind: HolderKind, holder: str, audience: str) -> Permission | None:
        """Return what somebody has been given at an API themselves."""
        row = await self._access.row(_FIND[kind], {"holder": holder, "audience": audience})
        if row is None:
            return None
        return Permission(kind=kind, holder=holder, audience=audience, scopes=_scopes(row[0]))

    async def list_permissions(
        self, *, kind: HolderKind | None = None, holder: str | None = None, audience: str | None = None
    ) -> list[Permission]:
        """Return permissions in the order of audience, kind and holder, only those that are named."""
        if kind is not None and holder is not None:
            rows = await self._access.rows(_LIST_OF[kind], {"holder": holder})
        elif audience is not None:
            rows = await self._access.rows(_LIST_OF_API, {"audience": audience})
        else:
            rows = await self._access.rows(_LIST, {})
        named = [
            each
            for each in map(_permission, rows)
            if kind in (None, each.kind)
            and holder in (None, each.holder)
            and audience in (None, each.audience)
        ]
        return sorted(named, key=lambda each: (each.audience, each.kind, each.holder))

    async def user_scopes(self, user_id: str, audience: str) -> frozenset[str]:
        """Return what a user may do at an API, by themselves and by their roles."""
        rows = await self._access.rows(_USER_SCOPES, {"user_id": user_id, "audience": audience})
        return frozenset().union(*(_scopes(scopes) for (scopes,) in rows))
