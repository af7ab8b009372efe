"""The keys in their places, by algorithm, and what is made of them: the public set, its digest, the signers."""

from __future__ import annotations

import hashlib
import json as canonical_json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from .._core import base64url
from .._core.clock import Clock
from ..jose import Key, KeySet, jwt
from ..jose.hazmat import NO_EXPIRY
from .key_schedule import Arrangement, RotationPolicy, arrange
from .model import StoredKey

__all__ = ["Audience", "Ring", "by_algorithm", "make_ring"]

Audience = str | tuple[str, ...] | None
"""For whom a signer's tokens are; ``None`` where there is no ``aud``, or where the claims state it."""

_MOST_SIGNERS: Final = 256
_DIGEST_LENGTH: Final = 22  # of base64url: 132 bits


class Ring(msgspec.Struct):
    """The keys in their places, and what is made of them. It holds as long as the arrangements do.

    Attributes:
        arrangements: Which key does what, of each algorithm.
        signing: The private key that signs, of each algorithm that has one.
        published: The public keys of all algorithms.
        jwks: The same as it is published.
        digest: Its digest.
        since: From when on this holds.
        until: Until when.
        signers: What signs, by type, audience, algorithm and lifetime.
    """

    arrangements: dict[str, Arrangement]
    signing: dict[str, Key]
    published: KeySet
    jwks: bytes
    digest: str
    since: float
    until: float
    signers: dict[tuple[str, Audience, str, int | None], jwt.Signer]

    def __repr__(self) -> str:
        signing = ", ".join(f"{key.kid} signs {name}" for name, key in self.signing.items())
        return f"<Ring of {len(self.published)} keys: {signing}>"

    def new_signer(
        self, typ: str, audience: Audience, algorithm: str, *, lifetime: int | None, issuer: str, clock: Clock
    ) -> jwt.Signer:
        """Make what signs one kind of token, and keep it. There is a key of the algorithm that signs."""
        if len(self.signers) >= _MOST_SIGNERS:
            self.signers.clear()
        signer = self.signers[typ, audience, algorithm, lifetime] = jwt.Signer(
            self.signing[algorithm],
            issuer=issuer,
            audience=audience,
            typ=typ,
            lifetime=NO_EXPIRY if lifetime is None else timedelta(seconds=lifetime),
            clock=clock,
        )
        return signer


def by_algorithm(stored: Iterable[StoredKey]) -> dict[str, list[StoredKey]]:
    """Return keys by their algorithms, in their order: each algorithm has a line of its own."""
    lines: dict[str, list[StoredKey]] = {}
    for key in stored:
        lines.setdefault(key.algorithm, []).append(key)
    return lines


def make_ring(
    stored: Sequence[StoredKey],
    keys: Mapping[str, Key],
    policy: RotationPolicy,
    *,
    now: float,
    before: Ring | None,
) -> Ring:
    """Put keys in their places.

    Args:
        stored: Their records.
        keys: The private keys, by ``kid``.
        policy: How keys are replaced.
        now: The time.
        before: The ring until now: where the public keys are the same, so is the object.
    """
    arrangements = {
        algorithm: arrange(line, now, policy) for algorithm, line in sorted(by_algorithm(stored).items())
    }
    kids = sorted(key.kid for each in arrangements.values() for key in each.published)
    if before is not None and [key.kid for key in before.published] == kids:
        published, jwks = before.published, before.jwks
    else:
        published = KeySet([keys[kid].public() for kid in kids])
        jwks = canonical_json.dumps(published.to_jwks(), sort_keys=True, separators=(",", ":")).encode()
    return Ring(
        arrangements=arrangements,
        signing={
            algorithm: keys[each.signer.kid]
            for algorithm, each in arrangements.items()
            if each.signer is not None
        },
        published=published,
        jwks=jwks,
        digest=base64url.encode(hashlib.sha256(jwks).digest())[:_DIGEST_LENGTH],
        since=max(each.since for each in arrangements.values()),
        until=min(each.until for each in arrangements.values()),
        signers={},
    )
