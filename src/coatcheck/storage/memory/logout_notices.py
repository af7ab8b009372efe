"""Clients that have yet to be told of the end of sessions, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from ...oauth.model import LogoutNotice
from .state import MemoryTable, State, require

__all__ = ["LogoutNoticeTable"]


class LogoutNoticeTable(MemoryTable):
    """Satisfies ``oauth.ports.LogoutRecords``."""

    async def add_logout_notices(self, notices: Sequence[LogoutNotice]) -> None:
        """Queue notices."""

        def add(state: State) -> None:
            new = {each.jti: each for each in notices}
            require(len(new) == len(notices), "logout_notices.jti")
            require(not any(jti in state.logout_notices for jti in new), "logout_notices.jti")
            known = all(each.client_id in state.oauth_clients for each in notices)
            require(known, "logout_notices.client_id")
            state.logout_notices.update(new)

        await self._source.write(add)

    async def claim_logout_notice(
        self, now: float, *, until: float, but: Collection[str] = ()
    ) -> LogoutNotice | None:
        """Return a notice that is due, with ``attempts`` counted up, and hide it from others until then."""

        def claim(state: State) -> LogoutNotice | None:
            due = [
                each
                for each in state.logout_notices.values()
                if each.due_at <= now and each.client_id not in but
            ]
            first = min(due, key=lambda each: (each.due_at, each.jti), default=None)
            if first is None:
                return None
            claimed = replace(first, due_at=until, attempts=first.attempts + 1)
            state.logout_notices[first.jti] = claimed
            return claimed

        return await self._source.write(claim)

    async def postpone_logout_notice(self, notice: LogoutNotice, *, due_at: float) -> bool:
        """Set when a claimed notice is due again."""

        def postpone(state: State) -> bool:
            there = state.logout_notices.get(notice.jti)
            if there is None or there.attempts != notice.attempts:
                return False
            state.logout_notices[notice.jti] = replace(there, due_at=due_at)
            return True

        return await self._source.write(postpone)

    async def delete_logout_notice(self, jti: str) -> bool:
        """Forget a notice."""
        return await self._source.write(lambda state: state.logout_notices.pop(jti, None) is not None)

    async def delete_stale_logout_notices(self, queued_before: float, *, limit: int) -> int:
        """Give up to so many notices up that were queued before then."""

        def delete(state: State) -> int:
            stale = [each for each in state.logout_notices.values() if each.queued_at < queued_before]
            stale = sorted(stale, key=lambda each: each.queued_at)[:limit]
            for each in stale:
                del state.logout_notices[each.jti]
            return len(stale)

        return await self._source.write(delete)

    async def next_logout_at(self) -> float | None:
        """Return when the next notice is due."""
        return min((each.due_at for each in self._state.logout_notices.values()), default=None)
