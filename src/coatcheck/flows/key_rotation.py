"""The rotation of the keys that sign: by their age, by hand, and at once where somebody else may have them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from ..errors import CoatcheckError
from .context import Context
from .ending import ADMINISTRATOR, Reason, revoke
from .errors import UnknownSigningKeyError
from .key_schedule import RotationPlan, arrange, plan_rotation
from .model import StoredKey
from .ports import Records

__all__ = ["KeyRotation", "KeyState", "Rotation"]

_log = logging.getLogger("coatcheck.keys")

_NEVER: Final = 0.0  # trusted until 1970: whatever the clock says, that is over

State = Literal["published", "signs", "retired", "expired"]


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """A key as whoever runs the site is shown it. Times are seconds since 1970.

    Attributes:
        kid: Its identifier.
        state: ``published`` and not signing yet; ``signs``; ``retired``: trusted until what it signed is dead; or
            ``expired``: about to be deleted.
        created_at: When it was made.
        signs_from: From when on it signs.
        verifies_until: Until when it is trusted; ``None`` as long as no other takes over.
    """

    kid: str
    state: State
    created_at: float
    signs_from: float
    verifies_until: float | None


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation came to.

    Attributes:
        before: The key that signed until then.
        signer: The key that signs next, or already.
        signs_from: From when on.
        is_new: Whether this rotation made it; otherwise another did that is under way.
        retired: When the key that signed is trusted no more; ``None`` if it goes on signing, or is out already.
        removed: The keys that are out at once.
    """

    before: str
    signer: str
    signs_from: float
    is_new: bool
    retired: float | None
    removed: tuple[str, ...] = ()


class KeyRotation:
    """Replaces keys. Any process may, at any time: the transaction decides, and who comes second finds it done."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keys = context.access_tokens.keys
        self._policy = context.access_tokens.keys.policy

    async def list(self) -> list[KeyState]:
        """Return the keys; the one that signs last comes first.

        Raises:
            ServerKeyError: If they were encrypted under another secret.
        """
        await self._keys.key_set()
        stored = await self._keys.stored(self._context.storage.records)
        now = self._context.clock()
        signer = arrange(stored, now, self._policy).signer
        return [
            KeyState(
                kid=key.kid,
                state=self._state(key, signer, now),
                created_at=key.created_at,
                signs_from=key.signs_from,
                verifies_until=key.verifies_until,
            )
            for key in sorted(stored, key=lambda key: (key.signs_from, key.created_at), reverse=True)
        ]

    async def rotate(
        self,
        *,
        compromised: bool = False,
        kids: Iterable[str] | None = None,
        actor: str = ADMINISTRATOR,
    ) -> Rotation:
        """Replace the key that signs.

        In the orderly way, the new key is published first and signs later; nobody notices. A compromised key is out at
        once: whatever it signed is void, here and at all services that follow the ledger, and a new key signs. Sessions
        and refresh tokens live on, so that clients only refresh.

        Args:
            compromised: Whether somebody else may have keys.
            kids: Which; by default all, as whoever read one from the database could read the others.
            actor: Who does it.

        Raises:
            ServerKeyError: If the keys were encrypted under another secret.
            UnknownSigningKeyError: If ``kids`` names one that is not there (any more). Nothing was done.
        """
        # A wrong secret is told before anything is changed: a key that running servers cannot read would stop them.
        await self._keys.key_set()
        async with self._context.storage.transaction() as records:
            now = self._context.clock()
            stored = await self._keys.stored(records)
            known = frozenset(key.kid for key in stored)
            named = (known if kids is None else frozenset(kids)) if compromised else frozenset()
            if not named <= known:
                raise UnknownSigningKeyError(min(named - known))
            plan = plan_rotation(stored, now, self._policy, asked=not compromised, compromised=named)
            added = await self._carry_out(records, plan)
            await revoke(
                self._context,
                records,
                [("key", kid) for kid in plan.remove],
                reason=Reason.KEY_COMPROMISED,
                actor=actor,
            )
            after = await self._keys.stored(records)
        self._keys.forget()
        return self._told(stored, after, plan=plan, added=added, now=now)

    async def check(self) -> bool:
        """Do what is due: publish a successor, retire its predecessor, delete what is trusted no more.

        Returns:
            Whether anything was.
        """
        now = self._context.clock()
        if not self._is_due(await self._keys.stored(self._context.storage.records), now):
            return False
        async with self._context.storage.transaction() as records:
            stored = await self._keys.stored(records)
            if not self._is_due(stored, now):
                return False  # another process did it
            added = await self._carry_out(records, self._plan(stored, now))
            await records.delete_retired_keys(now)
        self._keys.forget()
        if added is not None:
            _log.info("the key %s is published; it signs in %.0f s", added.kid, added.signs_from - now)
        return True

    async def run(self, *, interval: float = 60.0) -> None:
        """Check every so many seconds, until cancelled."""
        while True:
            try:
                await self.check()
            except CoatcheckError as error:  # a busy storage, most likely; nothing here is urgent
                _log.warning("the check of the keys was put off: %s [%s]", error.message, error.code)
            await asyncio.sleep(interval)

    def _is_due(self, stored: Sequence[StoredKey], now: float) -> bool:
        return bool(self._plan(stored, now)) or any(_has_expired(key, now) for key in stored)

    def _plan(self, stored: Sequence[StoredKey], now: float) -> RotationPlan:
        # A key that the ledger names is deleted before the ledger forgets it, whoever named it.
        return plan_rotation(stored, now, self._policy, compromised=self._keys.compromised(stored))

    async def _carry_out(self, records: Records, plan: RotationPlan) -> StoredKey | None:
        for kid in plan.remove:
            await records.retire_key(kid, verifies_until=_NEVER)
        if plan.remove:
            await records.delete_retired_keys(_NEVER)
        for kid, until in plan.retire:
            await records.retire_key(kid, verifies_until=until)
        if plan.signs_from is None:
            return None
        added = self._keys.make(plan.signs_from)
        await records.add_key(added)
        return added

    def _state(self, key: StoredKey, signer: StoredKey | None, now: float) -> State:
        if key is signer:
            return "signs"
        if _has_expired(key, now):
            return "expired"
        return "published" if key.signs_from > now else "retired"

    def _next(self, stored: Sequence[StoredKey], now: float) -> StoredKey:
        """Return the key that takes over next, or else the one that signs."""
        signer = arrange(stored, now, self._policy).signer
        assert signer is not None  # noqa: S101 - no plan leaves that open
        line = [key for key in stored if key.verifies_until is None and not self._policy.is_adrift(key, now)]
        return max(line, key=lambda key: key.signs_from, default=signer)

    def _told(
        self,
        stored: Sequence[StoredKey],
        after: Sequence[StoredKey],
        *,
        plan: RotationPlan,
        added: StoredKey | None,
        now: float,
    ) -> Rotation:
        before = arrange(stored, now, self._policy).signer
        signer = added or self._next(after, now)
        old = next((key for key in after if before is not None and key.kid == before.kid), None)
        return Rotation(
            before="" if before is None else before.kid,
            signer=signer.kid,
            signs_from=signer.signs_from,
            is_new=added is not None,
            retired=None if old is None else old.verifies_until,
            removed=plan.remove,
        )


def _has_expired(key: StoredKey, now: float) -> bool:
    return key.verifies_until is not None and key.verifies_until <= now
