"""The rotation of the keys that sign: by their age, by hand, and at once where somebody else may have them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from ..errors import CoatcheckError
from .context import Context
from .ending import ADMINISTRATOR, Reason, revoke
from .errors import UnknownSigningKeyError
from .key_ring import by_algorithm
from .key_schedule import RotationPlan, arrange, plan_rotation
from .model import StoredKey
from .ports import Records
from .signing_keys import USUAL_ALGORITHM

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
        algorithm: What it signs by. Each algorithm has a key that signs.
    """

    kid: str
    state: State
    created_at: float
    signs_from: float
    verifies_until: float | None
    algorithm: str


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation came to, for the keys of one algorithm.

    Attributes:
        before: The key that signed until then.
        signer: The key that signs next, or already.
        signs_from: From when on.
        is_new: Whether this rotation made it; otherwise another did that is under way.
        retired: When the key that signed is trusted no more; ``None`` if it goes on signing, or is out already.
        removed: The keys that are out at once.
        algorithm: Which algorithm that is.
        others: What it came to for the keys of other algorithms.
    """

    before: str
    signer: str
    signs_from: float
    is_new: bool
    retired: float | None
    removed: tuple[str, ...] = ()
    algorithm: str = USUAL_ALGORITHM
    others: tuple[Rotation, ...] = ()


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
        lines = by_algorithm(stored).values()
        signers = {arrange(line, now, self._policy).signer for line in lines}
        return [
            KeyState(
                kid=key.kid,
                state=self._state(key, now, signs=key in signers),
                created_at=key.created_at,
                signs_from=key.signs_from,
                verifies_until=key.verifies_until,
                algorithm=key.algorithm,
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
        """Replace the key that signs, of each algorithm.

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
        asked = None if kids is None else frozenset(kids)

        def plans(stored: Sequence[StoredKey], now: float) -> dict[str, RotationPlan]:
            known = frozenset(key.kid for key in stored)
            named = (known if asked is None else asked) if compromised else frozenset()
            if not named <= known:
                raise UnknownSigningKeyError(min(named - known))
            return self._plans(stored, now, asked=not compromised, compromised=named)

        await self._prepare(plans)
        async with self._context.storage.transaction() as records:
            now = self._context.clock()
            stored = await self._keys.stored(records)
            plan = plans(stored, now)
            added = await self._carry_out(records, plan)
            await revoke(
                self._context,
                records,
                [("key", kid) for each in plan.values() for kid in each.remove],
                reason=Reason.KEY_COMPROMISED,
                actor=actor,
            )
            after = await self._keys.stored(records)
        self._keys.forget()
        told = [
            self._told(stored, after, algorithm=algorithm, plan=each, added=added.get(algorithm), now=now)
            for algorithm, each in plan.items()
            if each or asked is None
        ]
        return msgspec.structs.replace(told[0], others=tuple(told[1:]))

    async def check(self) -> bool:
        """Do what is due: publish a successor, retire its predecessor, delete what is trusted no more.

        Returns:
            Whether anything was.
        """
        now = self._context.clock()
        if not self._is_due(await self._keys.stored(self._context.storage.records), now):
            return False
        await self._prepare(self._plans)
        async with self._context.storage.transaction() as records:
            stored = await self._keys.stored(records)
            if not self._is_due(stored, now):
                return False  # another process did it
            added = await self._carry_out(records, self._plans(stored, now))
            await records.delete_retired_keys(now)
        self._keys.forget()
        for key in added.values():
            _log.info("the key %s is published; it signs in %.0f s", key.kid, key.signs_from - now)
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
        return any(self._plans(stored, now).values()) or any(_has_expired(key, now) for key in stored)

    def _plans(
        self,
        stored: Sequence[StoredKey],
        now: float,
        *,
        asked: bool = False,
        compromised: frozenset[str] | None = None,
    ) -> dict[str, RotationPlan]:
        """Return what is to be done to the keys of each algorithm: that which always signs comes first."""
        if compromised is None:
            # A key that the ledger names is deleted before the ledger forgets it, whoever named it.
            compromised = self._keys.compromised(stored)
        lines = by_algorithm(stored)
        return {
            algorithm: plan_rotation(
                lines[algorithm], now, self._policy, asked=asked, compromised=compromised
            )
            for algorithm in sorted(lines, key=lambda each: (each != USUAL_ALGORITHM, each))
        }

    async def _prepare(
        self, plans: Callable[[Sequence[StoredKey], float], Mapping[str, RotationPlan]]
    ) -> None:
        """Generate the keys that will be needed, before the transaction: some take a second."""
        stored = await self._keys.stored(self._context.storage.records)
        for algorithm, plan in plans(stored, self._context.clock()).items():
            if plan.signs_from is not None:
                await self._keys.prepare(algorithm)

    async def _carry_out(self, records: Records, plans: Mapping[str, RotationPlan]) -> dict[str, StoredKey]:
        """Change the keys. Returns those that were added, by their algorithms."""
        removed = [kid for plan in plans.values() for kid in plan.remove]
        for kid in removed:
            await records.retire_key(kid, verifies_until=_NEVER)
        if removed:
            await records.delete_retired_keys(_NEVER)
        added: dict[str, StoredKey] = {}
        for algorithm, plan in plans.items():
            for kid, until in plan.retire:
                await records.retire_key(kid, verifies_until=until)
            if plan.signs_from is not None:
                added[algorithm] = self._keys.make(plan.signs_from, algorithm)
                await records.add_key(added[algorithm])
        return added

    def _state(self, key: StoredKey, now: float, *, signs: bool) -> State:
        if signs:
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
        algorithm: str,
        plan: RotationPlan,
        added: StoredKey | None,
        now: float,
    ) -> Rotation:
        stored = [key for key in stored if key.algorithm == algorithm]
        after = [key for key in after if key.algorithm == algorithm]
        before = arrange(stored, now, self._policy).signer
        signer = added or self._next(after, now)
        old = next((key for key in after if before is not None and key.kid == before.kid), None)
        return Rotation(
            algorithm=algorithm,
            before="" if before is None else before.kid,
            signer=signer.kid,
            signs_from=signer.signs_from,
            is_new=added is not None,
            retired=None if old is None else old.verifies_until,
            removed=plan.remove,
        )


def _has_expired(key: StoredKey, now: float) -> bool:
    return key.verifies_until is not None and key.verifies_until <= now
