"""RSA keys that are known to be broken.

Checked at every import of a key, once: it costs some tens of microseconds.
"""

from __future__ import annotations

from functools import cache
from math import gcd, isqrt, prod

from ..errors import WeakKeyError

__all__ = ["LARGEST_BITS", "check_exponent", "check_modulus"]

LARGEST_BITS = 16_384
"""Larger moduli only serve to keep a verifier busy."""

_LEAST_EXPONENT = 65_537
_LARGEST_EXPONENT_BITS = 256
_FERMAT_STEPS = 64
_NEW_KEY = "Make a new key, for example with Key.generate('ES256')."

# The primes for which the powers of 65537 leave the fewest residues; together they make a false alarm on an honest
# key less likely than 2 ** -27 (Nemec et al., "The Return of Coppersmith's Attack", 2017, section 2.3).
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def check_exponent(exponent: int) -> None:
    """Refuse public exponents outside of FIPS 186-5 section A.1.1: odd, from 2**16 + 1 to less than 2**256.

    Raises:
        WeakKeyError: With e = 1 a signature is its own message; small ones have a history of forgeries; large ones
            make verification slow.
    """
    if exponent % 2 == 0 or exponent < _LEAST_EXPONENT or exponent.bit_length() > _LARGEST_EXPONENT_BITS:
        raise WeakKeyError(
            f"The RSA public exponent must be an odd number of at least {_LEAST_EXPONENT}. {_NEW_KEY}"
        )


def check_modulus(modulus: int) -> None:
    """Refuse a modulus that can be factored without effort.

    Raises:
        WeakKeyError: If it has a small factor, two primes close to each other, or the structure of CVE-2017-15361.
    """
    if modulus.bit_length() > LARGEST_BITS:
        raise WeakKeyError(f"The RSA modulus must not be larger than {LARGEST_BITS} bits. {_NEW_KEY}")
    if gcd(modulus, _small_primes_product()) != 1:
        raise WeakKeyError(f"The RSA modulus has a small factor. {_NEW_KEY}")
    if _has_roca_structure(modulus):
        raise WeakKeyError(f"The RSA key comes from a broken generator (ROCA, CVE-2017-15361). {_NEW_KEY}")
    if _has_close_primes(modulus):
        raise WeakKeyError(f"The primes of the RSA key are too close to each other. {_NEW_KEY}")


@cache
def _small_primes_product() -> int:
    return prod(n for n in range(2, 2048) if all(n % d for d in range(2, isqrt(n) + 1)))


@cache
def _roca_residues() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each prime, the residues that powers of 65537 leave."""
    return tuple((prime, frozenset(pow(65_537, k, prime) for k in range(prime))) for prime in _ROCA_PRIMES)


def _has_roca_structure(modulus: int) -> bool:
    return all(modulus % prime in residues for prime, residues in _roca_residues())


def _has_close_primes(modulus: int) -> bool:
    """Try a few steps of Fermat's factorisation, which finds primes that share their upper half."""
    a = isqrt(modulus - 1) + 1
    for _ in range(_FERMAT_STEPS):
        square = a * a - modulus
        if isqrt(square) ** 2 == square:
            return True
        a += 1
    return False
