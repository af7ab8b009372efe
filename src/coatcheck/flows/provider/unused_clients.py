"""Forgetting clients that strangers registered, and that nobody ever used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..ending import SERVER
from ..errors import UnknownClientError
from .clients import Clients

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["UnusedClients"]

_PAGE: Final = 100
_AFTER: Final = 30 * 86_400.0  # seconds


class UnusedClients:
    """Removes them, some at a time, from one end of the clients to the other."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clients = Clients(context)
        self._after = ""

    async def sweep(self) -> int:
        """Look at the next clients; remove those that nobody has granted anything in 30 days; return how many."""
        records = self._context.storage.records
        old = self._context.clock() - _AFTER
        page = await records.list_clients(after=self._after, limit=_PAGE)
        self._after = page[-1].id if len(page) == _PAGE else ""
        removed = 0
        for client in page:
            if client.registered_by == "administrator" or client.created_at > old:
                continue
            if await records.is_client_used(client.id):
                continue
            try:
                await self._clients.remove(client.id, actor=SERVER)
            except UnknownClientError:
                continue  # somebody else was first
            removed += 1
        return removed
