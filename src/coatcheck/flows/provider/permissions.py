"""Who may do what at which API: users, all who have a role, and clients in their own name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...accounts.email_address import parse_email
from ...accounts.errors import UnknownUserError
from ...accounts.model import User
from ...identity import MalformedScopeError, parse_scope
from ...oauth.model import API, HolderKind, Permission
from ...oauth.vocabulary import OPENID_SCOPES
from ..errors import UnknownClientError
from ..ports import Records
from .apis import built_in_api, is_built_in, resolve
from .errors import InvalidPermissionError, UnknownAPIError, UnknownRoleError
from .stale import void_tokens_of_client, void_tokens_of_user

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Permissions", "cached_client_scopes", "client_scopes", "find_user", "user_scopes"]


async def user_scopes(context: Context, records: Records, user: User, *, api: API) -> frozenset[str]:
    """Return what a user may do at an API: by themselves, by their roles, and as everybody may.

    At the built-in API it is what ``User.scopes`` says.
    """
    if is_built_in(context, api.audience):
        return user.scopes
    everybody = frozenset(each.name for each in api.scopes if each.for_everybody)
    return everybody | await records.user_scopes(user.id, api.audience)


async def client_scopes(records: Records, client_id: str, api: API) -> frozenset[str]:
    """Return what a client may do at an API in its own name. What every user may, a client may not."""
    found = await records.find_permission("client", client_id, api.audience)
    return frozenset() if found is None else found.scopes


async def cached_client_scopes(context: Context, client_id: str, api: API) -> frozenset[str]:
    """Return what a client may do at an API in its own name, as it is at this moment."""

    async def load() -> frozenset[str] | None:
        return await client_scopes(context.storage.records, client_id, api)

    key = ("client-scopes", client_id, api.audience)
    return await context.cache.get(context.storage, key, load) or frozenset()


async def find_user(records: Records, email_or_id: str) -> User:
    """Return the user of an e-mail address or an identifier.

    Raises:
        InvalidEmailError: If this looks like an address and is none.
        UnknownUserError: If there is no such user.
    """
    if "@" in email_or_id:
        user = await records.find_user_by_email(parse_email(email_or_id).key)
    else:
        user = await records.find_user(email_or_id)
    if user is None:
        raise UnknownUserError("There is no such user.")
    return user


class Permissions:
    """Giving and taking permissions. ``actor`` is who does it, for the ledger.

    Whoever's permissions change has to refresh their tokens: those that were issued until then are void.
    """

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def check(self, audience: str, scopes: Iterable[str]) -> None:
        """Do nothing if an API has these scopes, so that they can be granted.

        Raises:
            UnknownAPIError: If there is no such API.
            InvalidPermissionError: If it has no such scope.
        """
        api = await self._api(self._context.storage.records, audience)
        _check(api, list(scopes), any_name=is_built_in(self._context, api.audience))

    async def grant(
        self, kind: HolderKind, holder: str, audience: str, *, scopes: Iterable[str], actor: str
    ) -> Permission:
        """Let somebody do something at an API, beside what they may already; return all that they may there.

        Args:
            kind: Who: a user, all who have a role, or a client in its own name.
            holder: The user's e-mail address or identifier, the role's name, or the client's identifier.
            audience: The API.
            scopes: What.
            actor: Who does it.

        Raises:
            UnknownUserError: If there is no such user; and so on for roles, clients and APIs.
            InvalidPermissionError: If the API has no such scope.
        """
        return await self._change(
            kind, holder, audience, more=frozenset(scopes), less=frozenset(), actor=actor
        )

    async def withdraw(
        self,
        kind: HolderKind,
        holder: str,
        audience: str,
        *,
        scopes: Iterable[str] | None = None,
        actor: str,
    ) -> Permission:
        """Take from somebody what they may do at an API; return what is left. ``None`` takes all.

        Raises:
            UnknownUserError: As for ``grant``.
        """
        less = None if scopes is None else frozenset(scopes)
        return await self._change(kind, holder, audience, more=frozenset(), less=less, actor=actor)

    async def list(
        self, *, kind: HolderKind | None = None, holder: str | None = None, audience: str | None = None
    ) -> list[Permission]:
        """Return permissions, only those that are named: of a holder, with their kind, and at an API.

        What users may do at the built-in API is in their scopes, and here only if the user is named.

        Raises:
            UnknownUserError: If the holder does not exist; and so on.
        """
        context, records = self._context, self._context.storage.records
        user = None
        if kind is not None and holder is not None:
            holder, user = await _holder(records, kind, holder)
        if audience is not None:
            audience = (await self._api(records, audience)).audience
        found = await records.list_permissions(kind=kind, holder=holder, audience=audience)
        own = context.access_tokens.audience
        if user is not None and user.scopes and audience in (None, own):
            found = [Permission(kind="user", holder=user.id, audience=own, scopes=user.scopes), *found]
        return found

    async def _change(
        self,
        kind: HolderKind,
        holder: str,
        audience: str,
        *,
        more: frozenset[str],
        less: frozenset[str] | None,
        actor: str,
    ) -> Permission:
        async with self._context.storage.transaction() as records:
            api = await self._api(records, audience)
            holder, user = await _holder(records, kind, holder)
            built_in = is_built_in(self._context, api.audience)
            _check(api, more, any_name=built_in)
            if user is not None and built_in:
                before = user.scopes
            else:
                found = await records.find_permission(kind, holder, api.audience)
                before = frozenset[str]() if found is None else found.scopes
            after = (before | more) - (before if less is None else less)
            permission = Permission(kind=kind, holder=holder, audience=api.audience, scopes=after)
            if after != before:
                await self._put(records, permission, api=api, user=user if built_in else None)
                await self._void(records, permission, actor=actor)
        return permission

    async def _put(self, records: Records, permission: Permission, *, api: API, user: User | None) -> None:
        """Store a permission. A user's scopes are where those at the built-in API are."""
        if user is not None:
            await records.replace_user(replace(user, scopes=permission.scopes), expected=user)
            return
        if is_built_in(self._context, api.audience):
            if permission.kind == "role":
                raise InvalidPermissionError(
                    "Roles have no part in this server's own API: give its scopes to users and clients.",
                    field="audience",
                )
            await records.add_api(api)  # it is there from the first permission on
        await records.put_permission(permission)

    async def _void(self, records: Records, permission: Permission, *, actor: str) -> None:
        """Void the tokens that say what their holder may, and do not say this."""
        context, holder = self._context, permission.holder
        if permission.kind == "client":
            await void_tokens_of_client(context, records, holder, actor=actor)
            return
        for user_id in [holder] if permission.kind == "user" else await records.list_members(holder):
            await void_tokens_of_user(context, records, user_id, actor=actor)

    async def _api(self, records: Records, audience: str) -> API:
        if is_built_in(self._context, audience):
            return await built_in_api(self._context, records)
        found = await resolve(records, audience)
        if found is None:
            raise UnknownAPIError
        return found


async def _holder(records: Records, kind: HolderKind, holder: str) -> tuple[str, User | None]:
    """Return the identifier of whoever is named, and the user if it is one."""
    match kind:
        case "user":
            user = await find_user(records, holder)
            return user.id, user
        case "role":
            if all(each.name != holder for each in await records.list_roles()):
                raise UnknownRoleError
        case "client":
            if await records.find_client(holder) is None:
                raise UnknownClientError
    return holder, None


def _check(api: API, scopes: Collection[str], *, any_name: bool) -> None:
    """Refuse scopes that an API does not have. The built-in one takes any: see ``User.scopes``."""
    names = frozenset(each.name for each in api.scopes)
    for scope in scopes:
        try:
            good = parse_scope(scope) == {scope} and scope not in OPENID_SCOPES
        except MalformedScopeError:
            good = False
        if not good or not (any_name or scope in names):
            raise InvalidPermissionError("The API has no such scope.")
