"""The keys that sign what this server issues: loading them, publishing them, signing with the one whose turn it is."""

from __future__ import annotations

import hashlib
import json as canonical_json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from .._core import base64url, json
from .._core.clock import Clock
from .._core.secrets import Sealer, SealError
from ..jose import Key, KeySet, jwt
from ..jose.hazmat import NO_EXPIRY
from ..revocation.model import Entry, Facts
from .errors import ServerKeyError
from .key_schedule import Arrangement, RotationPolicy, arrange, plan_rotation
from .ledger import Ledger
from .model import StoredKey
from .ports import KeyRecords, Storage

__all__ = ["SigningKeys"]

_USE: Final = "access-token"
_CONTEXT: Final = "signing-key"
_ALGORITHM: Final = "ES256"
_NOTICE: Final = 0.5  # seconds: by how much later than another process this one may learn of its new key
_MOST_SIGNERS: Final = 256
_DIGEST_LENGTH: Final = 22  # of base64url: 132 bits


class _Ring(msgspec.Struct):
    """The keys in their places, and what is made of them. It holds as long as the arrangement does.

    Attributes:
        arrangement: Which key does what.
        signer: The private key that signs.
        published: The public keys.
        jwks: The same as it is published.
        digest: Its digest.
        signers: What signs with that key, by type and audience.
    """

    arrangement: Arrangement
    signer: Key
    published: KeySet
    jwks: bytes
    digest: str
    signers: dict[tuple[str, str | None], jwt.Signer]

    def __repr__(self) -> str:
        return f"<_Ring of {len(self.published)} keys, {self.signer.kid} signs>"


class SigningKeys:
    """The keys, as one process of the server has them.

    They are in memory. A look at the storage's version tells whether anything was committed since, by whichever
    process; only then is anything read: the ledger at once, since it may name a key that somebody else has, and the
    keys within half a second. That is enough, as keys are published long before they sign.

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
        self._stored: Sequence[StoredKey] = ()
        self._ring: _Ring | None = None
        self._is_new = True  # the stored keys are not those of the ring
        self._seen: int | None = None
        self._read_at = -math.inf
        self._moved = True  # something was committed since the keys were read
        self._urgent = True  # and it has to do with them
        ledger.subscribe(self._note)

    async def sign(
        self,
        claims: Mapping[str, Any] | msgspec.Struct,
        *,
        typ: str,
        audience: str | None = None,
        now: float | None = None,
    ) -> str:
        """Sign claims as a JWT of this issuer and return it.

        Args:
            claims: The claims. ``iss`` and ``iat`` are added, and ``exp`` is not.
            typ: The kind of token, for example ``ledger+jwt``.
            audience: The ``aud``; ``None`` for none, or where the claims state it.
            now: The time of issue; the clock's unless given.
        """
        return (await self.signer(typ, audience)).sign(claims, now=now)

    async def signer(self, typ: str, audience: str | None) -> jwt.Signer:
        """Return what signs one kind of token at this moment. It is not to be kept: the next may be another."""
        signers = (await self._current()).signers
        signer = signers.get((typ, audience))
        return signer if signer is not None else self._new_signer(typ, audience)

    async def signing_key(self) -> Key:
        """Return the private key that signs at this moment: the same object until it is another one."""
        return (await self._current()).signer

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

    def make(self, signs_from: float) -> StoredKey:
        """Make a key. It is one once it is added to the storage."""
        key = Key.generate(_ALGORITHM)
        assert key.kid is not None  # noqa: S101 - generated keys are named by their thumbprint
        return StoredKey(
            kid=key.kid,
            use=_USE,
            sealed=self._sealer.seal(json.encode(key.to_private_jwk()), context=_CONTEXT),
            created_at=self._clock(),
            signs_from=signs_from,
        )

    def forget(self) -> None:
        """Read the keys again before they are used the next time."""
        self._urgent = True

    def _note(self, entries: list[Entry]) -> None:
        if any(entry.kind == "key" for entry in entries):
            self._urgent = True

    async def _current(self) -> _Ring:
        """Return the keys in the places that they have now."""
        version = self._version()
        if version != self._seen:
            await self._ledger.catch_up()
            self._seen, self._moved = version, True
        now = self._clock()
        if self._urgent or (self._moved and not self._read_at <= now < self._read_at + _NOTICE):
            await self._read(now)
        ring = self._ring
        if self._is_new or ring is None or not ring.arrangement.since <= now < ring.arrangement.until:
            ring = self._ring = await self._arranged(now)
            self._is_new = False
        return ring

    async def _read(self, now: float) -> None:
        """Read the keys; make one if there is none that may sign."""
        # Before reading: whatever is committed from now on counts as unread.
        self._urgent = self._moved = False
        try:
            stored = self._good(await self.stored(self._storage.records))
            if self._signs_from(stored, now) is not None:
                async with self._storage.transaction() as records:
                    stored = self._good(await self.stored(records))  # another process may have been first
                    signs_from = self._signs_from(stored, now)
                    if signs_from is not None:
                        self._open(stored)  # a key under another secret than the others would help nobody
                        stored.append(self.make(signs_from))
                        await records.add_key(stored[-1])
            self._open(stored)
        except BaseException:
            self._urgent = True
            raise
        self._read_at = now
        if stored != self._stored:
            self._stored, self._is_new = stored, True

    def _good(self, stored: list[StoredKey]) -> list[StoredKey]:
        compromised = self.compromised(stored)
        return [key for key in stored if key.kid not in compromised]

    def _signs_from(self, stored: Sequence[StoredKey], now: float) -> float | None:
        """Return from when on a key signs that has to be made because there is none."""
        if arrange(stored, now, self.policy).signer is not None:
            return None
        return plan_rotation(stored, now, self.policy).signs_from

    def _open(self, stored: Sequence[StoredKey]) -> None:
        """Decrypt the keys, each once."""
        self._keys = {key.kid: self._keys.get(key.kid) or self._opened(key) for key in stored}

    def _opened(self, stored: StoredKey) -> Key:
        try:
            jwk = self._sealer.open(stored.sealed, context=_CONTEXT)
        except SealError:
            raise ServerKeyError(detail=f"kid {stored.kid}") from None
        return Key.from_jwk(msgspec.json.decode(jwk))

    async def _arranged(self, now: float) -> _Ring:
        arrangement = arrange(self._stored, now, self.policy)
        if arrangement.signer is None:  # it has retired, and was to have a successor by now
            await self._read(now)
            arrangement = arrange(self._stored, now, self.policy)
        assert arrangement.signer is not None  # noqa: S101 - whoever reads them makes sure of it
        published = KeySet([self._keys[key.kid].public() for key in arrangement.published])
        if self._ring is not None and _kids(self._ring.published) == _kids(published):
            published = self._ring.published
        jwks = canonical_json.dumps(published.to_jwks(), sort_keys=True, separators=(",", ":")).encode()
        return _Ring(
            arrangement=arrangement,
            signer=self._keys[arrangement.signer.kid],
            published=published,
            jwks=jwks,
            digest=base64url.encode(hashlib.sha256(jwks).digest())[:_DIGEST_LENGTH],
            signers={},
        )

    def _new_signer(self, typ: str, audience: str | None) -> jwt.Signer:
        ring = self._ring
        assert ring is not None  # noqa: S101 - the caller has it
        if len(ring.signers) >= _MOST_SIGNERS:
            ring.signers.clear()
        signer = jwt.Signer(
            ring.signer,
            issuer=self._issuer,
            audience=audience,
            typ=typ,
            lifetime=NO_EXPIRY,
            clock=self._clock,
        )
        ring.signers[typ, audience] = signer
        return signer


def _kids(keys: KeySet) -> list[str | None]:
    return [key.kid for key in keys]
