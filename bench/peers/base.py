"""What the benchmark asks of a library."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bench.material import Claims, Material

OURS = "coatcheck"

Sign = Callable[[Claims], str | bytes]
Verify = Callable[[str], object]
Decrypt = Callable[[str], bytes]


class LoadKey(Protocol):
    """A function that imports a key."""

    def __call__(self, alg: str, key: Material, *, private: bool) -> object:
        """Import the secret, or the private half, or the public half, for ``alg``."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One library, used as its own documentation advises.

    Keys are imported, and verifiers and registries built, before the clock starts. The functions handed out
    do the rest: what has to be done again for every token.
    """

    name: str
    distribution: str
    import_statement: str
    """What a program that verifies tokens with this library imports."""
    algorithms: Collection[str]
    """The algorithms the library itself says it knows."""
    load_key: LoadKey
    signer: Callable[[str, Material], Sign]
    """From an algorithm and a key to a function from claims to a token."""
    verifier: Callable[[str, Material], Verify]
    """To a function that checks all the library can check of a token, and returns the claims."""
    decrypter: Callable[[str, str, Material], Decrypt] | None = None
    """From alg, enc and a key to a function from an encrypted token to its plaintext; None: no JWE."""
    added_by_the_signer: Collection[str] = ()
    """Claims the signer sets by itself, so that they are not handed to it."""

    def name_for(self, alg: str) -> str | None:
        """The name under which the library knows a signature algorithm, or None."""
        names = (alg, "EdDSA") if alg == "Ed25519" else (alg,)
        return next((name for name in names if name in self.algorithms), None)

    def can_decrypt(self, alg: str, enc: str) -> bool:
        """Whether the library says it knows both."""
        return self.decrypter is not None and alg in self.algorithms and enc in self.algorithms

    def to_sign(self, claims: Claims) -> Claims:
        """The claims as they are handed to the signer."""
        return {name: value for name, value in claims.items() if name not in self.added_by_the_signer}


def subject(claims: Any) -> object:
    """The subject, in claims of whatever shape a library returns them."""
    if isinstance(claims, str):
        claims = json.loads(claims)
    return claims["sub"] if isinstance(claims, Mapping) else claims.sub
