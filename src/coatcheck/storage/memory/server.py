"""Mail that waits, the server's keys and the services that verify, in memory."""

from __future__ import annotations

import msgspec

from ...flows.model import QueuedMail, Service, StoredKey
from .state import MemoryTable, State, require

__all__ = ["KeyTable", "MailTable", "ServiceTable"]


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

    async def retire_key(self, kid: str, *, verifies_until: float) -> bool:
        """Set when a key is to be trusted no more, if it is not set to be sooner."""

        def retire(state: State) -> bool:
            key = state.keys.get(kid)
            if key is None:
                return False
            before = verifies_until if key.verifies_until is None else key.verifies_until
            until = min(before, verifies_until)
            state.keys[kid] = msgspec.structs.replace(key, verifies_until=until)
            return True

        return await self._source.write(retire)

    async def delete_retired_keys(self, now: float) -> int:
        """Delete the keys that are trusted no more."""

        def delete(state: State) -> int:
            retired = [
                key.kid
                for key in state.keys.values()
                if key.verifies_until is not None and key.verifies_until <= now
            ]
            for kid in retired:
                del state.keys[kid]
            return len(retired)

        return await self._source.write(delete)


class ServiceTable(MemoryTable):
    """Satisfies ``flows.ports.ServiceRecords``."""

    async def add_service(self, service: Service) -> bool:
        """Add a service."""

        def add(state: State) -> bool:
            if service.name in state.services:
                return False
            others = state.services.values()
            require(all(service.id != each.id for each in others), "services.id")
            require(all(service.digest != each.digest for each in others), "services.digest")
            state.services[service.name] = service
            return True

        return await self._source.write(add)

    async def find_service_by_digest(self, digest: bytes) -> Service | None:
        """Return the service whose key has that digest."""
        found = (service for service in self._state.services.values() if service.digest == digest)
        return next(found, None)

    async def list_services(self) -> list[Service]:
        """Return all services in the order of their names."""
        return sorted(self._state.services.values(), key=lambda service: service.name)

    async def delete_service(self, name: str) -> bool:
        """Delete a service."""
        return await self._source.write(lambda state: state.delete_service(name))
