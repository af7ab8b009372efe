"""Mail that waits to be sent, in SQL."""

from __future__ import annotations

from ...flows.model import QueuedMail
from .access import SQLTable

__all__ = ["MailTable"]

_ADD = """
INSERT INTO mail (id, sealed, created_at, due_at, attempts)
VALUES (:id, :sealed, :created_at, :due_at, :attempts)"""
_IS_DUE = "SELECT 1 FROM mail WHERE due_at <= :now LIMIT 1"
_CLAIM = """
UPDATE mail SET attempts = attempts + 1, due_at = :until
WHERE id = (
    SELECT id FROM mail WHERE due_at <= :now ORDER BY due_at, id LIMIT 1 /* what nobody else is just taking */
)
RETURNING id, sealed, created_at, due_at, attempts"""
_DELETE = "DELETE FROM mail WHERE id = :id"


class MailTable(SQLTable):
    """Satisfies ``flows.ports.MailRecords``."""

    async def add_mail(self, mail: QueuedMail) -> None:
        """Queue a message."""
        await self._access.change(
            _ADD,
            {
                "id": mail.id,
                "sealed": mail.sealed,
                "created_at": mail.created_at,
                "due_at": mail.due_at,
                "attempts": mail.attempts,
            },
        )

    async def claim_mail(self, now: float, *, until: float) -> QueuedMail | None:
        """Return the message that has been due for longest, and hide it from others until then."""
        # Whoever looks for mail every second, and finds none, should not take the turn of those who write.
        if await self._access.row(_IS_DUE, {"now": now}) is None:
            return None
        taken = await self._access.take(_CLAIM, {"now": now, "until": until})
        if not taken:
            return None
        identifier, sealed, created_at, due_at, attempts = taken[0]
        return QueuedMail(
            id=identifier, sealed=sealed, created_at=created_at, due_at=due_at, attempts=attempts
        )

    async def delete_mail(self, mail_id: str) -> None:
        """Forget a message."""
        await self._access.change(_DELETE, {"id": mail_id})
