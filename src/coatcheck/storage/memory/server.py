"""Mail that waits and the server's keys, in memory."""

from __future__ import annotations

import msgspec

from ...flows.model import QueuedMail, StoredKey
from .state import MemoryTable, State, require

__all__ = ["KeyTable", "MailTable"]


class MailTable(MemoryTable):
    """Satisfies ``flows.ports.MailRecords``."""

    async def add_mail(self, mail: QueuedMail) -> None:
        """Queue a message."""

        def add(state: State) -> None:
            require(mail.id not in state.mail, "mail.id")
            state.mail[mail.id] = mail

        await self._source.write(add)

    async def claim_mail(self, now: float, *, until: float) -> QueuedMail | None:
        """Return the message that has been due for longest, and hide it from others until then."""

        def claim(state: State) -> QueuedMail | None:
            due = [mail for mail in state.mail.values() if mail.due_at <= now]
            if not due:
                return None
            first = min(due, key=lambda mail: (mail.due_at, mail.id))
            claimed = msgspec.structs.replace(first, due_at=until, attempts=first.attempts + 1)
            state.mail[first.id] = claimed
            return claimed

        return await self._source.write(claim)

    async def delete_mail(self, mail_id: str) -> None:
        """Forget a message."""
        await self._source.write(lambda state: state.mail.pop(mail_id, None))


class KeyTable(MemoryTable):
    """Satisfies ``flows.ports.KeyRecords``."""

    async def add_key(self, key: StoredKey) -> None:
        """Add a key."""

        def add(state: State) -> None:
            require(key.kid not in state.keys, "keys.kid")
            state.keys[key.kid] = key

        await self._source.write(add)

    async def list_keys(self) -> list[StoredKey]:
        """Return all keys, the newest first."""
        return sorted(self._state.keys.values(), key=lambda key: (-key.created_at, key.kid))
