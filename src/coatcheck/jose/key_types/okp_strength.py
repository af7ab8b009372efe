"""Public keys on Edwards and Montgomery curves that are no good: not on the curve, of small order, or not canonical.

OpenSSL takes any octets of the right length, and finds out later or never.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import KeyImportError, WeakKeyError

__all__ = ["check_edwards", "check_montgomery"]

_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1

# For each curve: the prime, d, the coefficient of x**2 (RFC 8032 sections 5.1 and 5.2), and the y of small order. On
# Ed25519 those of order 8 are the roots of d*y**4 + 2*y**2 - 1.
_D25519 = -121_665 * pow(121_666, -1, _P25519) % _P25519
_Y8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_EDWARDS = {
    "Ed25519": (_P25519, _D25519, -1, frozenset({0, 1, _P25519 - 1, _Y8, _P25519 - _Y8})),
    "Ed448": (_P448, -39_081, 1, frozenset({0, 1, _P448 - 1})),
}
_MONTGOMERY = {"X25519": (_P25519, 255), "X448": (_P448, 448)}


def check_edwards(crv: str, octets: bytes) -> None:
    """Check the public key of a signature algorithm.

    Raises:
        WeakKeyError: If its order is small: with the neutral element as the key, one signature fits every message.
        KeyImportError: If it is not reduced, so that one key would have two texts, or not on the curve.
    """
    prime, d, a, small = _EDWARDS[crv]
    sign_bit = len(octets) * 8 - 1
    y = int.from_bytes(octets, "little") & ~(1 << sign_bit)
    if y % prime in small:
        raise WeakKeyError(f"The public key is a point of small order on {crv}: it protects nothing.")
    # a*x**2 + y**2 = 1 + d*x**2*y**2, so x**2 is (1 - y**2) / (a - d*y**2): a square, or there is no such point.
    numerator, denominator = 1 - y * y, a - d * y * y
    if y >= prime or pow(numerator * denominator % prime, (prime - 1) // 2, prime) != 1:
        raise KeyImportError(f"The public key is not a point on {crv} in its one canonical form.")


def check_montgomery(crv: str, octets: bytes, *, agrees: Callable[[], bool]) -> None:
    """Check the public key of a key agreement.

    Args:
        crv: The curve.
        octets: The public key.
        agrees: Tells whether an agreement with the key has a secret at all (RFC 7748 section 6).

    Raises:
        WeakKeyError: If its order is small, so that everybody knows the secret.
        KeyImportError: If it is not reduced, so that one key would have two texts.
    """
    prime, bits = _MONTGOMERY[crv]
    u = int.from_bytes(octets, "little")
    if not agrees():
        raise WeakKeyError(f"The public key is a point of small order on {crv}: it protects nothing.")
    if u >= prime or u >> bits:
        raise KeyImportError(f"The public key is not a point on {crv} in its one canonical form.")
