"""The keys that sign what this server issues: loading them, publishing them, signing with the one whose turn it is."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from .._core import json
from .._core.clock import Clock
from .._core.secrets import Sealer, SealError
from ..jose import Key, KeySet, jwt
from ..revocation.model import Entry, Facts
from .errors import ServerKeyError
from .key_ring import Audience, Ring, make_ring
from .key_schedule import RotationPolicy, arrange, plan_rotation
from .ledger import Ledger
from .model import StoredKey
from .ports import KeyRecords, Storage

__all__ = ["USUAL_ALGORITHM", "SigningKeys"]

USUAL_ALGORITHM: Final = "ES256"
"""What signs wherever nobody asks for something else. There always is a key for it."""

_USE: Final = "access-token"
_CONTEXT: Final = "signing-key"
_BY_SECRET: Final = frozenset({"HS256"})
_NOTICE: Final = 0.5  # seconds: by how much later than another process this one may learn of its new key


class SigningKeys:
    """The keys, as one process of the server has them.

    They are in memory. A look at the storage's version tells whether anything was committed since, by whichever
    process; only then is anything read: the ledger at once, since it may name a key that somebody else has, and the
    keys within half a second. That is enough, as keys are published long before they sign.

    Each algorithm has a line of keys of its own, and all lines are replaced by the same schedule. There is always a key
    for ``ES256``; those of another algorithm are made when one is first needed.

    Attributes:
        policy: How keys are replaced.
    """

    def __init__(
        self,
        storage: Storage,
        sealer: Sealer,
        ledger: Ledger,
        *,
        issuer: str,
        clock: Clock,
        policy: RotationPolicy | None = None,
    ) -> None:
        """Take where the keys are.

        Args:
            storage: Where they are.
            sealer: Under which they are encrypted.
            ledger: What has ended, keys among it.
            issuer: The ``iss`` of all that they sign.
            clock: The time.
            policy: How keys are replaced.
        """
        self._storage = storage
        self._version = storage.version
        self._sealer = sealer
        self._ledger = ledger
        self._issuer = issuer
        self._clock = clock
        self.policy: RotationPolicy = policy or RotationPolicy(tokens=ledger.policy)
        self._keys: dict[str, Key] = {}
        self._spare: dict[str, Key] = {}  # generated and not used yet, by algorithm
        self._making: dict[str, asyncio.Lock] = {}
        self._stored: Sequence[StoredKey] = ()
        self._ring: Ring | None = None
        self._is_new = True  # the stored keys are not those of the ring
        self._seen: int | None = None
        self._read_at = -math.inf
        self._moved = True  # something was committed since the keys were read
        self._asked = 1  # how often something was that has to do with them
        self._answered = 0  # how much of that is known
        self._reading = asyncio.Lock()
        ledger.subscribe(self._note)

    async def sign(
        self,
        claims: Mapping[str, Any] | msgspec.Struct,
        *,
        typ: str,
        audience: str | None = None,
        algorithm: str = USUAL_ALGORITHM,
        now: float | None = None,
    ) -> str:
        """Sign claims as a JWT of this issuer and return it.

        Args:
            claims: The claims. ``iss`` and ``iat`` are added, and ``exp`` is not.
            typ: The kind of token, for example ``ledger+jwt``.
            audience: The ``aud``; ``None`` for none, or where the claims state it.
            algorithm: What signs.
            now: The time of issue; the clock's unless given.
        """
        return (await self.signer(typ, audience, algorithm)).sign(claims, now=now)

    async def signer(
        self,
        typ: str,
        audience: Audience,
        algorithm: str = USUAL_ALGORITHM,
        *,
        lifetime: int | None = None,
    ) -> jwt.Signer:
        """Return what signs one kind of token at this moment. It is not to be kept: the next may be another.

        Args:
            typ: The kind of token, for example ``at+jwt``.
            audience: The ``aud``; ``None`` for none, or where the claims state it.
            algorithm: What signs. A key is made if there is none; see ``ensure``.
            lifetime: The seconds from ``iat`` to the ``exp`` that is added; ``None`` for none.
        """
        ring = await self._ring_with(algorithm)
        signer = ring.signers.get((typ, audience, algorithm, lifetime))
        if signer is not None:
            return signer
        return ring.new_signer(
            typ, audience, algorithm, lifetime=lifetime, issuer=self._issuer, clock=self._clock
        )

    async def signing_key(self, algorithm: str = USUAL_ALGORITHM) -> Key:
        """Return the private key that signs at this moment: the same object until it is another one."""
        return (await self._ring_with(algorithm)).signing[algorithm]

    async def ensure(self, algorithm: str) -> None:
        """Make sure that there is a key that signs by an algorithm.

        To make one may take a second (RSA), so it is done in a thread, and before somebody waits for a token: when a
        client or an API is registered that needs it. ``HS256`` takes no key of the server.

        Args:
            algorithm: One of ``oauth.vocabulary.API_ALGORITHMS``.
        """
        if algorithm in _BY_SECRET or algorithm in (await self._current()).signing:
            return
        try:
            async with self._making.setdefault(algorithm, asyncio.Lock()):
                if algorithm not in (await self._current()).signing:  # else whoever was first has made it
                    await self.prepare(algorithm)
                    await self._add_missing(algorithm)
                    self.forget()
        finally:
            self._making.pop(algorithm, None)

    async def prepare(self, algorithm: str) -> None:
        """Generate the key that ``make`` returns next for an algorithm, outside of any transaction."""
        if algorithm not in self._spare:
            self._spare[algorithm] = await asyncio.to_thread(Key.generate, algorithm)

    async def key_set(self) -> KeySet:
        """Return the public keys. It is the same object for as long as they are the same.

        Raises:
            ServerKeyError: If they were encrypted under another secret.
        """
        return (await self._current()).published

    async def jwks(self) -> bytes:
        """Return the public keys as they are published (RFC 7517 section 5).

        One set is always the same octets: the keys in the order of their ``kid``, members in the order of their names,
        no space.
        """
        return (await self._current()).jwks

    async def digest(self) -> str:
        """Return a digest of the public keys: SHA-256 of what ``jwks`` returns, the first 22 letters in base64url."""
        return (await self._current()).digest

    async def stored(self, records: KeyRecords) -> list[StoredKey]:
        """Return the records of the keys, the newest first."""
        return [key for key in await records.list_keys() if key.use == _USE]

    def compromised(self, stored: Sequence[StoredKey]) -> frozenset[str]:
        """Return the keys that the ledger names: nothing that they signed is good, or will be."""
        void = self._ledger.registry.void
        return frozenset(key.kid for key in stored if void(Facts(kid=key.kid, iat=math.inf)) == "key")

    def make(self, signs_from: float, algorithm: str = USUAL_ALGORITHM) -> StoredKey:
        """Make a key. It is one once it is added to the storage. See ``prepare`` for those that take long."""
        key = self._spare.pop(algorithm, None) or Key.generate(algorithm)
        assert key.kid is not None  # noqa: S101 - generated keys are named by their thumbprint
        return StoredKey(
            kid=key.kid,
            use=_USE,
            sealed=self._sealer.seal(json.encode(key.to_private_jwk()), context=_CONTEXT),
            created_at=self._clock(),
            signs_from=signs_from,
            algorithm=algorithm,
        )

    def forget(self) -> None:
        """Read the keys again before they are used the next time."""
        self._asked += 1

    def _note(self, entries: list[Entry]) -> None:
        if any(entry.kind == "key" for entry in entries):
            self._asked += 1

    async def _ring_with(self, algorithm: str) -> Ring:
        ring = await self._current()
        if algorithm not in ring.signing:
            await self.ensure(algorithm)
            ring = await self._current()
        return ring

    async def _current(self) -> Ring:
        """Return the keys in the places that they have now."""
        version = self._version()
        if version != self._seen:
            await self._ledger.catch_up()
            self._seen, self._moved = version, True
        now = self._clock()
        if self._is_stale(now):
            # Whoever comes while another reads waits for it: there may be no key yet, or the one that is was stolen.
            async with self._reading:
                if self._is_stale(now):
                    await self._read(now)
        ring = self._ring
        if self._is_new or ring is None or not ring.since <= now < ring.until:
            ring = self._ring = await self._arranged(now)
            self._is_new = False
        return ring

    def _is_stale(self, now: float) -> bool:
        is_old = self._moved and not self._read_at <= now < self._read_at + _NOTICE
        return is_old or self._asked != self._answered

    async def _read(self, now: float) -> None:
        """Read the keys; make one if there is none that may sign."""
        # Before reading: whatever is committed from now on counts as unread.
        asked, self._moved = self._asked, False
        try:
            stored = self._good(await self.stored(self._storage.records))
            if self._signs_from(stored, now, USUAL_ALGORITHM) is not None:
                stored = await self._add_missing(USUAL_ALGORITHM)
            self._open(stored)
        except BaseException:
            self._asked += 1
            raise
        self._read_at, self._answered = now, asked
        if stored != self._stored:
            self._stored, self._is_new = stored, True

    async def _add_missing(self, algorithm: str) -> list[StoredKey]:
        """Add a key of an algorithm if there is none that may sign, and return all."""
        async with self._storage.transaction() as records:
            stored = self._good(await self.stored(records))  # another process may have been first
            signs_from = self._signs_from(stored, self._clock(), algorithm)
            if signs_from is not None:
                self._open(stored)  # a key under another secret than the others would help nobody
                stored.append(self.make(signs_from, algorithm))
                await records.add_key(stored[-1])
        return stored

    def _good(self, stored: list[StoredKey]) -> list[StoredKey]:
        compromised = self.compromised(stored)
        return [key for key in stored if key.kid not in compromised]

    def _signs_from(self, stored: Sequence[StoredKey], now: float, algorithm: str) -> float | None:
        """Return from when on a key signs that has to be made because there is none of an algorithm."""
        line = [key for key in stored if key.algorithm == algorithm]
        if arrange(line, now, self.policy).signer is not None:
            return None
        return plan_rotation(line, now, self.policy).signs_from

    def _open(self, stored: Sequence[StoredKey]) -> None:
        """Decrypt the keys, each once."""
        self._keys = {key.kid: self._keys.get(key.kid) or self._opened(key) for key in stored}

    def _opened(self, stored: StoredKey) -> Key:
        try:
            jwk = self._sealer.open(stored.sealed, context=_CONTEXT)
        except SealError:
            raise ServerKeyError(detail=f"kid {stored.kid}") from None
        return Key.from_jwk(msgspec.json.decode(jwk))

    async def _arranged(self, now: float) -> Ring:
        ring = make_ring(self._stored, self._keys, self.policy, now=now, before=self._ring)
        if USUAL_ALGORITHM not in ring.signing:  # it has retired, and was to have a successor by now
            async with self._reading:
                await self._read(now)
            ring = make_ring(self._stored, self._keys, self.policy, now=now, before=self._ring)
        return ring
