"""Users, links and limits, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...accounts.model import Link, LinkPurpose, User
from .state import MemoryTable, State, require

__all__ = ["LinkTable", "ThrottleTable", "UserTable"]


class UserTable(MemoryTable):
    """Satisfies ``accounts.ports.UserRecords``."""

    async def add_user(self, user: User) -> bool:
        """Add a user; ``False`` if the address is taken."""

        def add(state: State) -> bool:
            if state.user_of_email(user.email_key) is not None:
                return False
            require(user.id not in state.users, "users.id")
            state.users[user.id] = user
            return True

        return await self._source.write(add)

    async def find_user(self, user_id: str) -> User | None:
        """Return the user of that identifier."""
        return self._state.users.get(user_id)

    async def find_user_by_email(self, email_key: str) -> User | None:
        """Return the user of that address."""
        return self._state.user_of_email(email_key)

    async def replace_user(self, user: User, *, expected: User) -> bool:
        """Replace a user's record if it still is ``expected`` and the new address is free."""

        def replace(state: State) -> bool:
            holder = state.user_of_email(user.email_key)
            if state.users.get(user.id) != expected or (holder is not None and holder.id != user.id):
                return False
            state.users[user.id] = user
            return True

        return await self._source.write(replace)

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user with their sessions, refresh tokens and links."""
        return await self._source.write(lambda state: state.delete_user(user_id))

    async def list_users(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users in the order of their ``email_key``, from behind ``after``."""
        users = sorted(self._state.users.values(), key=lambda user: user.email_key)
        return [user for user in users if user.email_key > after][:limit]


class LinkTable(MemoryTable):
    """Satisfies ``accounts.ports.LinkRecords``."""

    async def add_link(self, link: Link) -> None:
        """Add a link."""

        def add(state: State) -> None:
            require(link.digest not in state.links, "links.digest")
            require(link.user_id is None or link.user_id in state.users, "links.user_id")
            state.links[link.digest] = link

        await self._source.write(add)

    async def find_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link without using it up."""
        link = self._state.links.get(digest)
        return link if link is not None and link.purpose is purpose else None

    async def consume_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link and delete it."""

        def consume(state: State) -> Link | None:
            link = state.links.get(digest)
            return state.links.pop(digest) if link is not None and link.purpose is purpose else None

        return await self._source.write(consume)

    async def delete_links(self, *, user_id: str | None = None, email_key: str | None = None) -> None:
        """Delete all links of a user, and all to an address. ``None`` matches nothing."""

        def delete(state: State) -> None:
            for link in list(state.links.values()):
                if link.email_key == email_key or (user_id is not None and link.user_id == user_id):
                    del state.links[link.digest]

        await self._source.write(delete)

    async def delete_expired_links(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` links that have expired, the oldest first; return how many."""

        def delete(state: State) -> int:
            expired = [link for link in state.links.values() if link.expires_at <= now]
            expired.sort(key=lambda link: link.expires_at)
            for link in expired[:limit]:
                del state.links[link.digest]
            return len(expired[:limit])

        return await self._source.write(delete)


class ThrottleTable(MemoryTable):
    """Satisfies ``accounts.ports.ThrottleRecords``."""

    async def read_throttles(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one."""
        times = self._state.throttles
        return {key: times[key] for key in keys if key in times}

    async def write_throttles(self, times: dict[str, float]) -> None:
        """Set the times of keys."""
        await self._source.write(lambda state: state.throttles.update(times))

    async def delete_throttles(self, keys: Sequence[str]) -> None:
        """Forget keys."""

        def delete(state: State) -> None:
            for key in keys:
                state.throttles.pop(key, None)

        await self._source.write(delete)

    async def delete_expired_throttles(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed, the oldest first; return how many."""

        def delete(state: State) -> int:
            passed = sorted((time, key) for key, time in state.throttles.items() if time <= now)[:limit]
            for _, key in passed:
                del state.throttles[key]
            return len(passed)

        return await self._source.write(delete)
