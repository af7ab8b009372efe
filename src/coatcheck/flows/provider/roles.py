"""Roles: names for permissions that several users have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...accounts.model import User
from ...oauth.model import Role
from ..ports import Records
from .errors import InvalidRoleError, RoleTakenError, UnknownRoleError
from .permissions import find_user
from .stale import void_tokens_of_user

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Roles"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LONGEST_DESCRIPTION: Final = 255


class Roles:
    """Making roles, and giving them to users. ``actor`` is who does it, for the ledger."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def add(self, name: str, *, description: str = "") -> Role:
        """Make a role.

        Raises:
            InvalidRoleError: If it cannot be called so, or the description is too long.
            RoleTakenError: If there is one of that name.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRoleError(
                "The name of a role has 1 to 64 letters, digits, dots, dashes and underscores."
            )
        if len(description) > _LONGEST_DESCRIPTION or not description.isprintable():
            raise InvalidRoleError(
                "The description of a role is one line of up to 255 letters.", field="description"
            )
        role = Role(name=name, description=description, created_at=self._context.clock())
        if not await self._context.storage.records.add_role(role):
            raise RoleTakenError
        return role

    async def remove(self, name: str, *, actor: str) -> None:
        """Remove a role; whoever had it has its permissions no more.

        Raises:
            UnknownRoleError: If there is none of that name.
        """
        async with self._context.storage.transaction() as records:
            members = await records.list_members(name)
            if not await records.delete_role(name):
                raise UnknownRoleError
            for user_id in members:
                await void_tokens_of_user(self._context, records, user_id, actor=actor)

    async def give(self, name: str, email_or_id: str, *, actor: str) -> bool:
        """Give a user a role; ``False`` if they had it.

        Raises:
            UnknownRoleError: If there is no such role.
            UnknownUserError: If there is no such user.
        """
        async with self._context.storage.transaction() as records:
            user = await self._user(records, name, email_or_id)
            given = await records.add_member(name, user.id)
            if given:
                await void_tokens_of_user(self._context, records, user.id, actor=actor)
        return given

    async def take(self, name: str, email_or_id: str, *, actor: str) -> bool:
        """Take a role from a user; ``False`` if they did not have it.

        Raises:
            UnknownRoleError: If there is no such role.
            UnknownUserError: If there is no such user.
        """
        async with self._context.storage.transaction() as records:
            user = await self._user(records, name, email_or_id)
            taken = await records.remove_member(name, user.id)
            if taken:
                await void_tokens_of_user(self._context, records, user.id, actor=actor)
        return taken

    async def members(self, name: str) -> list[User]:
        """Return the users who have a role, in the order of their identifiers.

        Raises:
            UnknownRoleError: If there is no such role.
        """
        records = self._context.storage.records
        await _check_exists(records, name)
        found = [await records.find_user(each) for each in await records.list_members(name)]
        return [each for each in found if each is not None]

    async def of(self, email_or_id: str) -> list[str]:
        """Return the names of a user's roles.

        Raises:
            UnknownUserError: If there is no such user.
        """
        records = self._context.storage.records
        return await records.list_roles_of((await find_user(records, email_or_id)).id)

    async def list(self) -> list[Role]:
        """Return all roles in the order of their names."""
        return await self._context.storage.records.list_roles()

    async def _user(self, records: Records, name: str, email_or_id: str) -> User:
        await _check_exists(records, name)
        return await find_user(records, email_or_id)


async def _check_exists(records: Records, name: str) -> None:
    if all(each.name != name for each in await records.list_roles()):
        raise UnknownRoleError
