"""Roles, who has them, and who may do what at which API, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from ...oauth.model import HolderKind, Permission, Role
from .state import MemoryTable, State, require

__all__ = ["PermissionTable"]


class PermissionTable(MemoryTable):
    """Satisfies ``RoleRecords`` and ``PermissionRecords`` of ``oauth.ports``."""

    async def add_role(self, role: Role) -> bool:
        """Add a role."""

        def add(state: State) -> bool:
            return state.roles.setdefault(role.name, role) is role

        return await self._source.write(add)

    async def list_roles(self) -> list[Role]:
        """Return all roles in the order of their names."""
        return sorted(self._state.roles.values(), key=lambda role: role.name)

    async def delete_role(self, name: str) -> bool:
        """Delete a role with its permissions and memberships."""

        def delete(state: State) -> bool:
            if state.roles.pop(name, None) is None:
                return False
            for key in [key for key in state.permissions if key[:2] == ("role", name)]:
                del state.permissions[key]
            for member in [member for member in state.role_members if member[1] == name]:
                del state.role_members[member]
            return True

        return await self._source.write(delete)

    async def add_member(self, role: str, user_id: str) -> bool:
        """Give a user a role."""

        def add(state: State) -> bool:
            if (user_id, role) in state.role_members:
                return False
            require(role in state.roles, "role_members.role")
            require(user_id in state.users, "role_members.user_id")
            state.role_members[user_id, role] = None
            return True

        return await self._source.write(add)

    async def remove_member(self, role: str, user_id: str) -> bool:
        """Take a role from a user."""

        def remove(state: State) -> bool:
            had = (user_id, role) in state.role_members
            state.role_members.pop((user_id, role), None)
            return had

        return await self._source.write(remove)

    async def list_members(self, role: str) -> list[str]:
        """Return the identifiers of the users who have a role."""
        return sorted(user_id for user_id, name in self._state.role_members if name == role)

    async def list_roles_of(self, user_id: str) -> list[str]:
        """Return the names of a user's roles."""
        return sorted(name for holder, name in self._state.role_members if holder == user_id)

    async def put_permission(self, permission: Permission) -> None:
        """Set what somebody may do at an API; without any scopes, delete it."""
        key = (permission.kind, permission.holder, permission.audience)

        def put(state: State) -> None:
            if not permission.scopes:
                state.permissions.pop(key, None)
                return
            holders: dict[HolderKind, Mapping[str, object]] = {
                "user": state.users,
                "role": state.roles,
                "client": state.oauth_clients,
            }
            require(permission.holder in holders[permission.kind], "permissions.holder")
            require(permission.audience in state.apis, "permissions.audience")
            state.permissions[key] = permission

        await self._source.write(put)

    async def find_permission(self, kind: HolderKind, holder: str, audience: str) -> Permission | None:
        """Return what somebody has been given at an API themselves."""
        return self._state.permissions.get((kind, holder, audience))

    async def list_permissions(
        self, *, kind: HolderKind | None = None, holder: str | None = None, audience: str | None = None
    ) -> list[Permission]:
        """Return permissions in the order of audience, kind and holder, only those that are named."""
        named = [
            each
            for each in self._state.permissions.values()
            if kind in (None, each.kind)
            and holder in (None, each.holder)
            and audience in (None, each.audience)
        ]
        return sorted(named, key=lambda each: (each.audience, each.kind, each.holder))

    async def user_scopes(self, user_id: str, audience: str) -> frozenset[str]:
        """Return what a user may do at an API, by themselves and by their roles."""
        holders = [("user", user_id), *(("role", name) for name in await self.list_roles_of(user_id))]
        found = (self._state.permissions.get((*holder, audience)) for holder in holders)
        return frozenset().union(*(each.scopes for each in found if each is not None))
