"""One-use links, in SQL."""

from __future__ import annotations

from ...accounts.model import Link, LinkPurpose
from .access import Row, SQLTable

__all__ = ["LinkTable"]

_ADD = """
INSERT INTO links (digest, purpose, email, email_key, user_id, password_hash, binding, created_at, expires_at)
VALUES (:digest, :purpose, :email, :email_key, :user_id, :password_hash, :binding, :created_at, :expires_at)"""
_FIND = """
SELECT digest, purpose, email, email_key, user_id, password_hash, binding, created_at, expires_at
FROM links WHERE digest = :digest AND purpose = :purpose"""
_CONSUME = """
DELETE FROM links WHERE digest = :digest AND purpose = :purpose
RETURNING digest, purpose, email, email_key, user_id, password_hash, binding, created_at, expires_at"""
_DELETE = "DELETE FROM links WHERE user_id = :user_id OR email_key = :email_key"
_DELETE_EXPIRED = """
DELETE FROM links
WHERE digest IN (
    SELECT digest FROM links WHERE expires_at <= :now
    ORDER BY expires_at LIMIT :limit /* what nobody else is just taking */
)"""


def _link(row: Row) -> Link:
    digest, purpose, email, email_key, user_id, password_hash, binding, created_at, expires_at = row
    return Link(
        digest=digest,
        purpose=LinkPurpose(purpose),
        email=email,
        email_key=email_key,
        user_id=user_id,
        password_hash=password_hash,
        binding=binding,
        created_at=created_at,
        expires_at=expires_at,
    )


class LinkTable(SQLTable):
    """Satisfies ``accounts.ports.LinkRecords``."""

    async def add_link(self, link: Link) -> None:
        """Add a link."""
        await self._access.change(
            _ADD,
            {
                "digest": link.digest,
                "purpose": link.purpose.value,
                "email": link.email,
                "email_key": link.email_key,
                "user_id": link.user_id,
                "password_hash": link.password_hash,
                "binding": link.binding,
                "created_at": link.created_at,
                "expires_at": link.expires_at,
            },
        )

    async def find_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link without using it up."""
        row = await self._access.row(_FIND, {"digest": digest, "purpose": purpose.value})
        return None if row is None else _link(row)

    async def consume_link(self, digest: bytes, purpose: LinkPurpose) -> Link | None:
        """Return the link and delete it, in one statement."""
        taken = await self._access.take(_CONSUME, {"digest": digest, "purpose": purpose.value})
        return _link(taken[0]) if taken else None

    async def delete_links(self, *, user_id: str | None = None, email_key: str | None = None) -> None:
        """Delete all links of a user, and all to an address. ``None`` matches nothing."""
        await self._access.change(_DELETE, {"user_id": user_id, "email_key": email_key})

    async def delete_expired_links(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` links that have expired, the oldest first; return how many."""
        return await self._access.change(_DELETE_EXPIRED, {"now": now, "limit": limit})
