"""What accounts need of a storage, and of whoever hashes passwords. Every method is one atomic step.

What must hold together is called inside one transaction of the storage. ``consume`` means: once, atomically; of
several callers exactly one gets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .model import Link, LinkPurpose, User

__all__ = ["LinkRecords", "PasswordHasher", "ThrottleRecords", "UserRecords"]


class UserRecords(Protocol):
    """The accounts."""

    async def add_user(self, user: User) -> bool:
        """Add a user; ``False``, and nothing happens, if the address (``email_key``) is taken."""
        ...

    async def find_user(self, user_id: str) -> User | None:
        """Return the user of that identifier."""
        ...

    async def find_user_by_email(self, email_key: str) -> User | None:
        """Return the user of that address."""
        ...

    async def replace_user(self, user: User, *, expected: User) -> bool:
        """Replace a user's record if it still is ``expected``; ``False`` if not, or if the new address is taken."""
        ...

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user with their sessions, refresh tokens and links; ``False`` if there is none."""
        ...

    async def list_users(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users in the order of their ``email_key``, from behind ``after``."""
        ...


class LinkRecords(Protocol):
    """One-use links that have not been used. Expired ones may still be there."""

    async def add_link(self, link: Link) -> None:
        """Add a link. Its digest is new."""
        ...

    async def find_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link without using it up."""
        ...

    async def consume_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link and delete it: once."""
        ...

    async def delete_links(self, *, user_id: str | None = None, email_key: str | None = None) -> None:
        """Delete all links of a user, or to an address."""
        ...

    async def delete_expired_links(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` links that have expired; return how many."""
        ...


class ThrottleRecords(Protocol):
    """The state of limits: for each key the "theoretical arrival time" of the cell rate algorithm."""

    async def read_throttles(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one."""
        ...

    async def write_throttles(self, times: dict[str, float]) -> None:
        """Set the times of keys."""
        ...

    async def delete_throttles(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        ...

    async def delete_expired_throttles(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed; return how many."""
        ...


class PasswordHasher(Protocol):
    """Hashes passwords without ever blocking the event loop, and never more at once than it was made for."""

    async def hash(self, password: str) -> str:
        """Return a new hash. Raises ``OverloadedError`` if too many wait."""
        ...

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Tell whether a password belongs to a hash. ``None`` takes as long as a hash does, and is ``False``.

        Raises ``OverloadedError`` if too many wait.
        """
        ...

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether a hash was made with other parameters than those of today, or is another kind of hash."""
        ...
