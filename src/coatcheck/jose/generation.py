"""Making new keys: the one place in the token core that lets OpenSSL draw randomness for a key."""

from __future__ import annotations

from .._core.entropy import random_bytes
from . import key_types
from .algorithms import Algorithm
from .errors import ConfigurationError
from .key_types import KeyMaterial

__all__ = ["generate_material"]

_DEFAULT_RSA_BITS = 3072
_DEFAULT_CURVE = "P-256"


def generate_material(algorithm: Algorithm, *, crv: str | None, bits: int | None) -> KeyMaterial:
    """Make a new key that fits the algorithm.

    Args:
        algorithm: The algorithm.
        crv: The curve, for the algorithms that allow several; P-256 unless given.
        bits: The size, for RSA only; 3072 unless given, which is 128-bit security (NIST SP 800-57 part 1, table 2).

    Raises:
        ConfigurationError: If ``crv`` or ``bits`` do not go with the algorithm.
    """
    kty = algorithm.key_types[0]
    if bits is not None and kty != "RSA":
        raise ConfigurationError(f"The size of a key for {algorithm.name} is fixed: leave 'bits' out.")
    if crv is not None and crv not in algorithm.curves:
        known = " or ".join(algorithm.curves) or "none"
        raise ConfigurationError(f"{algorithm.name} has no curve {crv!r}; it has {known}.")
    if kty == "oct":
        if algorithm.takes_password:
            raise ConfigurationError(f"{algorithm.name} takes a password: use Key.from_password.")
        return key_types.secret_material(random_bytes((algorithm.exact_bits or algorithm.minimum_bits) // 8))
    if kty == "RSA":
        size = _DEFAULT_RSA_BITS if bits is None else bits
        if type(size) is not int or not algorithm.minimum_bits <= size <= key_types.LARGEST_RSA_BITS:
            raise ConfigurationError(
                f"'bits' must be a number from {algorithm.minimum_bits} to {key_types.LARGEST_RSA_BITS}."
            )
        return key_types.generate_rsa(size)
    chosen = crv or (_DEFAULT_CURVE if _DEFAULT_CURVE in algorithm.curves else algorithm.curves[0])
    return key_types.generate(chosen)
