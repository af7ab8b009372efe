"""RSA keys: ``kty`` RSA (RFC 7518 section 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from ..errors import KeyImportError, UnsupportedKeyError
from .model import KeyMaterial, KeyType, encode_integer, integer_member
from .rsa_strength import LARGEST_BITS, check_exponent, check_modulus

__all__ = ["RSA", "generate_rsa"]

_CRT = ("p", "q", "dp", "dq", "qi")
_LARGEST_TO_RECOVER = 4096  # bits; the work grows with the cube, to seconds


def _load(members: Mapping[str, Any]) -> KeyMaterial:
    modulus = integer_member(members, "n", largest_bits=LARGEST_BITS)
    exponent = integer_member(members, "e", largest_bits=LARGEST_BITS)
    check_exponent(exponent)
    check_modulus(modulus)
    public = rsa.RSAPublicNumbers(exponent, modulus)
    try:
        if "d" in members:
            numbers = _private_numbers(members, public)
            _check_relations(numbers)
            # OpenSSL's own check of the primes takes seconds for large keys, at the bidding of whoever wrote the JWK.
            return _material(numbers.private_key(unsafe_skip_rsa_key_validation=True))
        return _material(public.public_key())
    except ValueError:
        raise KeyImportError("The members of the RSA JWK do not belong together.") from None


def _private_numbers(members: Mapping[str, Any], public: rsa.RSAPublicNumbers) -> rsa.RSAPrivateNumbers:
    """Read the private part. With ``d`` alone, as RFC 7518 section 6.3.2 allows, the primes are recovered."""
    if "oth" in members:
        raise UnsupportedKeyError("RSA keys of more than two primes ('oth') are not supported.")
    d = integer_member(members, "d", largest_bits=LARGEST_BITS)
    if any(name in members for name in _CRT):
        p, q, dp, dq, qi = (integer_member(members, name, largest_bits=LARGEST_BITS) for name in _CRT)
    else:
        if public.n.bit_length() > _LARGEST_TO_RECOVER:
            raise UnsupportedKeyError("An RSA key of this size must come with its primes ('p', 'q', ...).")
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
        dp, dq, qi = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public)


def _check_relations(numbers: rsa.RSAPrivateNumbers) -> None:
    """Check that all numbers belong to one key. Raises ``KeyImportError``."""
    p, q, d, e = numbers.p, numbers.q, numbers.d, numbers.public_numbers.e
    if min(p, q) < 3 or p == q or p * q != numbers.public_numbers.n:
        raise KeyImportError("The members 'p' and 'q' of the RSA JWK are not the factors of 'n'.")
    belong = (
        d * e % (p - 1) == 1
        and d * e % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and numbers.iqmp < p
        and numbers.iqmp * q % p == 1
    )
    if not belong:
        raise KeyImportError("The private members of the RSA JWK do not belong together.")


def _material(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> KeyMaterial:
    if isinstance(key, rsa.RSAPrivateKey):
        return KeyMaterial(kty="RSA", crv=None, bits=key.key_size, private=key, public=key.public_key())
    return KeyMaterial(kty="RSA", crv=None, bits=key.key_size, private=None, public=key)


def _adopt(key: object) -> KeyMaterial | None:
    if not isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return None
    material = _material(key)
    numbers = material.public.public_numbers()
    check_exponent(numbers.e)
    check_modulus(numbers.n)
    return material


def generate_rsa(bits: int) -> KeyMaterial:
    """Make a new key of ``bits`` bits with the exponent 65537."""
    return _material(rsa.generate_private_key(public_exponent=65537, key_size=bits))


def _public_members(key: rsa.RSAPublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {"n": encode_integer(numbers.n), "e": encode_integer(numbers.e)}


def _private_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    values = (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return {name: encode_integer(value) for name, value in zip(("d", *_CRT), values, strict=True)}


RSA = KeyType(
    kty="RSA",
    load=_load,
    adopt=_adopt,
    public_members=_public_members,
    private_members=_private_members,
    thumbprint_members=("e", "kty", "n"),
)
