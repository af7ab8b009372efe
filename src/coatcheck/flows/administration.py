"""What whoever runs the site does to accounts and sessions. No password is ever set or seen (ASVS 5.0, 6.4.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from .._core.secrets import new_identifier
from ..accounts.email_address import parse_email
from ..accounts.errors import EmailTakenError, ImportRefusedError, UnknownUserError
from ..accounts.importing import ImportedUser
from ..accounts.model import User
from ..identity import Identity, parse_scope
from ..sessions.lifecycle import is_alive
from ..sessions.model import Session
from .context import Context
from .ending import ADMINISTRATOR, Reason, end_all_sessions, end_sessions, void_earlier
from .errors import InsufficientScopeError
from .model import ImportReport
from .ports import Records
from .recency import require_recent
from .recovery import queue_reset

__all__ = ["ADMIN_SCOPE", "Administration", "require_administrator"]

ADMIN_SCOPE = "coatcheck:admin"
"""What a user needs to be an administrator over the web: ``coatcheck user scopes EMAIL coatcheck:admin``."""

_BATCH = 500


def require_administrator(context: Context, identity: Identity, *, changes: bool) -> None:
    """Do nothing if somebody may administer the site.

    Args:
        context: Where the time and the limit come from.
        identity: Who asks.
        changes: Whether something is to be changed: whoever comes by a cookie then must have proved lately who they
            are (ASVS 5.0, 7.5.3). A bearer token is short-lived by itself, and no browser sends it unasked.

    Raises:
        InsufficientScopeError: If the credential has no such scope.
        RecentSignInNeededError: If the sign-in is too long ago.
    """
    if ADMIN_SCOPE not in identity.scopes:
        raise InsufficientScopeError([ADMIN_SCOPE])
    if changes and identity.via == "cookie":
        require_recent(context, identity)


class Administration:
    """What an administrator does. Users are named by their e-mail address."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def add_user(self, email: str, *, scopes: Iterable[str] = ()) -> User:
        """Make an account without a password, and mail its owner the link to set one.

        Raises:
            InvalidEmailError: If the address is none.
            MalformedScopeError: If a scope is none.
            EmailTakenError: If it has an account.
        """
        context = self._context
        address = parse_email(email)
        now = context.clock()
        user = User(
            id=new_identifier(),
            email=address.email,
            email_key=address.key,
            password_hash=None,
            scopes=parse_scope(" ".join(scopes)),
            created_at=now,
            password_changed_at=now,
        )
        async with context.storage.transaction() as records:
            if not await records.add_user(user):
                raise EmailTakenError("There is an account with this address already.")
            await queue_reset(context, records, user)
        context.mail.wake()
        return user

    async def find_user(self, email: str) -> User:
        """Return the user of an address.

        Raises:
            InvalidEmailError: If the address is none.
            UnknownUserError: If it has no account.
        """
        return await self._find(self._context.storage.records, email)

    async def list_users(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users in the order of their addresses, from behind the address ``after``."""
        return await self._context.storage.records.list_users(after=after, limit=limit)

    async def set_scopes(self, email: str, scopes: Iterable[str]) -> User:
        """Say what a user may do. It holds for the next request, with whatever credential, here and elsewhere.

        Tokens that say otherwise are void: whoever holds one is to refresh it.

        Raises:
            UnknownUserError: If the address has no account.
            MalformedScopeError: If a scope is none.
        """
        granted = parse_scope(" ".join(scopes))
        async with self._context.storage.transaction() as records:
            user = await self._find(records, email)
            if granted == user.scopes:
                return user
            changed = replace(user, scopes=granted)
            await records.replace_user(changed, expected=user)
            await void_earlier(
                self._context,
                records,
                ("user", user.id),
                reason=Reason.PERMISSIONS_CHANGED,
                actor=ADMINISTRATOR,
            )
        return changed

    async def disable(self, email: str) -> int:
        """Deactivate an account and end all its sessions; return how many.

        Raises:
            UnknownUserError: If the address has no account.
        """
        async with self._context.storage.transaction() as records:
            user = await self._find(records, email)
            if user.disabled_at is None:
                await records.replace_user(replace(user, disabled_at=self._context.clock()), expected=user)
            await records.delete_links(user_id=user.id)
            return len(await self._end_all(records, user, Reason.DEACTIVATED))

    async def enable(self, email: str) -> None:
        """Activate an account again.

        Raises:
            UnknownUserError: If the address has no account.
        """
        async with self._context.storage.transaction() as records:
            user = await self._find(records, email)
            await records.replace_user(replace(user, disabled_at=None), expected=user)

    async def delete(self, email: str) -> None:
        """Delete an account and all that belongs to it.

        Raises:
            UnknownUserError: If the address has no account.
        """
        async with self._context.storage.transaction() as records:
            user = await self._find(records, email)
            await self._end_all(records, user, Reason.DELETED)
            await records.delete_user(user.id)

    async def start_reset(self, email: str) -> None:
        """Mail a user the link to a new password.

        Raises:
            UnknownUserError: If the address has no account.
        """
        async with self._context.storage.transaction() as records:
            await queue_reset(self._context, records, await self._find(records, email))
        self._context.mail.wake()

    async def list_sessions(self, email: str) -> list[Session]:
        """Return a user's sessions, the most recently used first.

        Raises:
            UnknownUserError: If the address has no account.
        """
        records, now = self._context.storage.records, self._context.clock()
        user = await self._find(records, email)
        return [each for each in await records.list_sessions(user.id) if is_alive(each, now)]

    async def end_session(self, session_id: str) -> bool:
        """End one session; ``False`` if there was none."""
        async with self._context.storage.transaction() as records:
            reason = Reason.ENDED_BY_ADMINISTRATOR
            return bool(
                await end_sessions(self._context, records, [session_id], reason=reason, actor=ADMINISTRATOR)
            )

    async def end_sessions(self, email: str) -> int:
        """End all sessions of a user; return how many.

        Raises:
            UnknownUserError: If the address has no account.
        """
        async with self._context.storage.transaction() as records:
            user = await self._find(records, email)
            return len(await self._end_all(records, user, Reason.ENDED_BY_ADMINISTRATOR))

    async def import_users(
        self,
        rows: Iterable[ImportedUser | ImportRefusedError],
        *,
        on_progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Add users from elsewhere, with the hashes of their passwords. Nobody is mailed.

        Rows are committed in batches: after an interruption, whoever was added is there wholly, and the same import
        run again passes over them.

        Args:
            rows: The parsed rows, the refused ones among them.
            on_progress: Told, after each batch, how many rows have been dealt with.
        """
        added = present = done = 0
        refused: list[ImportRefusedError] = []
        batch: list[User] = []

        async def commit() -> None:
            nonlocal added, present
            async with self._context.storage.transaction() as records:
                for user in batch:
                    if await records.add_user(user):
                        added += 1
                    else:
                        present += 1
            batch.clear()
            if on_progress is not None:
                on_progress(done)

        for row in rows:
            done += 1
            if isinstance(row, ImportRefusedError):
                refused.append(row)
                continue
            batch.append(self._imported(row))
            if len(batch) >= _BATCH:
                await commit()
        await commit()
        return ImportReport(added=added, present=present, refused=tuple(refused))

    def _imported(self, row: ImportedUser) -> User:
        now = self._context.clock()
        return User(
            id=new_identifier(),
            email=row.email,
            email_key=row.key,
            password_hash=row.password_hash,
            scopes=row.scopes,
            created_at=now if row.created_at is None else row.created_at,
            password_changed_at=now,
            disabled_at=now if row.disabled else None,
        )

    async def _end_all(self, records: Records, user: User, reason: Reason) -> list[str]:
        return await end_all_sessions(self._context, records, user.id, reason=reason, actor=ADMINISTRATOR)

    async def _find(self, records: Records, email: str) -> User:
        user = await records.find_user_by_email(parse_email(email).key)
        if user is None:
            raise UnknownUserError("There is no account with this address.")
        return user
