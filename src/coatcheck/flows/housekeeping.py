"""Forgetting what has expired. Nothing depends on it but the size of the storage: expiry is checked at every use."""

from __future__ import annotations

import asyncio
import logging

from ..errors import CoatcheckError
from .context import Context

__all__ = ["Housekeeping"]

_BATCH = 500
_log = logging.getLogger("coatcheck.housekeeping")


class Housekeeping:
    """Deletes expired records, little by little, so that nobody waits for it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def tidy(self) -> int:
        """Delete everything that has expired by now; return how many records."""
        deleted = 0
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
        now, records = self._context.clock(), self._context.storage.records
        return (
            await records.delete_expired_sessions(now, limit=_BATCH)
            + await records.delete_expired_links(now, limit=_BATCH)
            + await records.delete_expired_throttles(now, limit=_BATCH)
        )
