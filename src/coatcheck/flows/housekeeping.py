"""Forgetting what has expired. Nothing depends on it but the size of the storage: expiry is checked at every use."""

from __future__ import annotations

import asyncio
import logging

from ..errors import CoatcheckError
from .context import Context
from .provider.back_channel import ENDED, queue_ended
from .provider.unused_clients import UnusedClients

__all__ = ["Housekeeping"]

_BATCH = 100  # of 500 sessions among a million, nobody else would get an answer for some 40 ms
_log = logging.getLogger("coatcheck.housekeeping")


class Housekeeping:
    """Deletes expired records, little by little, so that nobody waits for it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unused_clients = UnusedClients(context)

    async def tidy(self) -> int:
        """Delete everything that has expired by now; return how many records."""
        deleted = await self._context.storage.records.delete_retired_keys(self._context.clock())
        deleted += await self._unused_clients.sweep()
        while True:
            batch = await self._delete_batch()
            deleted += batch
            if batch == 0:
                return deleted
            await asyncio.sleep(0)

    async def run(self, *, interval: float = 600.0) -> None:
        """Tidy every so many seconds, until cancelled."""
        while True:
            try:
                await self.tidy()
            except CoatcheckError as error:  # a busy storage, most likely: it will be tidied the next time
                _log.warning("tidying was put off: %s [%s]", error.message, error.code)
            await asyncio.sleep(interval)

    async def _delete_batch(self) -> int:
        now, records, ledger = self._context.clock(), self._context.storage.records, self._context.ledger
        # What other processes have written has to be known here: what is not remembered is deleted. A process that ends
        # before it has remembered an entry for an hour leaves it to the next.
        await ledger.catch_up()
        forgotten = ledger.forget()
        # Verifiers accept tokens for a moment after their end.
        dead_by = now - ledger.policy.margin.total_seconds()
        return (
            await self._delete_sessions(now)
            + await records.delete_expired_links(now, limit=_BATCH)
            + await records.delete_expired_throttles(now, limit=_BATCH)
            + await records.delete_expired_entries(forgotten, limit=_BATCH)
            + await records.delete_expired_statuses(dead_by, limit=_BATCH)
            + await records.delete_ended_status_lists(dead_by)
            + await records.delete_expired_authorizations(now, limit=_BATCH)
            + await records.delete_expired_assertions(now, limit=_BATCH)
        )

    async def _delete_sessions(self, now: float) -> int:
        """Delete a batch of what is left of sessions, when those who are to be told of their end will be."""
        async with self._context.storage.transaction(ENDED) as records:
            told = await queue_ended(self._context, records, limit=_BATCH)
            return told or await records.delete_expired_sessions(now, limit=_BATCH)
