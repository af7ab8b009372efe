"""The closed table of algorithms (RFC 7518, 8037, 8812, 9864, 9964). There is no way to register another.

It owns what each algorithm does. It knows nothing of keys' names and permissions, of headers or of tokens.
``none`` does not exist here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

from ..errors import UnsupportedAlgorithmError
from .content import aes_cbc_hmac, aes_gcm
from .ecdh_es import ecdh_es
from .ecdsa import ecdsa
from .eddsa import eddsa
from .hmac_sha2 import hmac_sha2
from .key_wrapping import aes_gcm_wrap, aes_wrap, direct
from .mldsa import ml_dsa
from .model import Algorithm, ContentEncryption, KeyEncryption, Sign, SignatureAlgorithm, Verify, WrappedKey
from .pbes2 import pbes2
from .rsa_encryption import rsa_oaep, rsa_pkcs1_decryption
from .rsa_signature import rsa_pkcs1, rsa_pss

__all__ = [
    "CONTENT_ENCRYPTION",
    "KEY_ENCRYPTION",
    "SIGNATURE",
    "Algorithm",
    "ContentEncryption",
    "KeyEncryption",
    "Sign",
    "SignatureAlgorithm",
    "Verify",
    "WrappedKey",
    "find_content_encryption",
    "get_algorithm",
]

_SHA1, _SHA256, _SHA384, _SHA512 = hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()  # noqa: S303

_SIGNATURE = (
    hmac_sha2("HS256", _SHA256),
    hmac_sha2("HS384", _SHA384),
    hmac_sha2("HS512", _SHA512),
    rsa_pkcs1("RS256", _SHA256),
    rsa_pkcs1("RS384", _SHA384),
    rsa_pkcs1("RS512", _SHA512),
    rsa_pss("PS256", _SHA256),
    rsa_pss("PS384", _SHA384),
    rsa_pss("PS512", _SHA512),
    ecdsa("ES256", _SHA256, crv="P-256", size=32),
    ecdsa("ES384", _SHA384, crv="P-384", size=48),
    ecdsa("ES512", _SHA512, crv="P-521", size=66),
    ecdsa("ES256K", _SHA256, crv="secp256k1", size=32),
    eddsa("Ed25519", ("Ed25519",), aliases=("EdDSA",)),
    eddsa("Ed448", ("Ed448",), aliases=("EdDSA",)),
    eddsa(
        "EdDSA",
        ("Ed25519", "Ed448"),
        aliases=("Ed25519", "Ed448"),
        deprecated="RFC 9864 replaces it by 'Ed25519' and 'Ed448'",
    ),
    ml_dsa("ML-DSA-44"),
    ml_dsa("ML-DSA-65"),
    ml_dsa("ML-DSA-87"),
)

_CONTENT = (
    aes_gcm("A128GCM", 16),
    aes_gcm("A192GCM", 24),
    aes_gcm("A256GCM", 32),
    aes_cbc_hmac("A128CBC-HS256", _SHA256),
    aes_cbc_hmac("A192CBC-HS384", _SHA384),
    aes_cbc_hmac("A256CBC-HS512", _SHA512),
)

_KEY_ENCRYPTION = (
    # RSA-OAEP is defined with SHA-1, whose collisions do not matter to OAEP.
    rsa_oaep("RSA-OAEP", _SHA1),
    rsa_oaep("RSA-OAEP-256", _SHA256),
    rsa_oaep("RSA-OAEP-384", _SHA384),
    rsa_oaep("RSA-OAEP-512", _SHA512),
    rsa_pkcs1_decryption("RSA1_5", deprecated="padding oracles; draft-ietf-jose-deprecate-none-rsa15"),
    aes_wrap("A128KW", 16),
    aes_wrap("A192KW", 24),
    aes_wrap("A256KW", 32),
    aes_gcm_wrap("A128GCMKW", 16),
    aes_gcm_wrap("A192GCMKW", 24),
    aes_gcm_wrap("A256GCMKW", 32),
    ecdh_es("ECDH-ES", None),
    ecdh_es("ECDH-ES+A128KW", 16),
    ecdh_es("ECDH-ES+A192KW", 24),
    ecdh_es("ECDH-ES+A256KW", 32),
    pbes2("PBES2-HS256+A128KW", _SHA256, 16),
    pbes2("PBES2-HS384+A192KW", _SHA384, 24),
    pbes2("PBES2-HS512+A256KW", _SHA512, 32),
    *(direct(content) for content in _CONTENT),
)

SIGNATURE: Mapping[str, SignatureAlgorithm] = MappingProxyType({row.name: row for row in _SIGNATURE})
"""``alg`` of JWS."""

KEY_ENCRYPTION: Mapping[str, KeyEncryption] = MappingProxyType({row.name: row for row in _KEY_ENCRYPTION})
"""``alg`` of JWE; a shared secret that encrypts the content itself goes by the name of its ``enc``."""

CONTENT_ENCRYPTION: Mapping[str, ContentEncryption] = MappingProxyType({row.name: row for row in _CONTENT})
"""``enc`` of JWE."""


def get_algorithm(name: object, *, named_by_caller: bool) -> SignatureAlgorithm | KeyEncryption:
    """Look up the algorithm that a key is to be pinned to. Names are compared as they are, case included.

    Args:
        name: The name.
        named_by_caller: Whether the calling code itself names it, rather than a key's or a token's text. Deprecated
            algorithms are only given to such callers.

    Raises:
        UnsupportedAlgorithmError: If the name is not in the table, or deprecated and not named by the caller.
    """
    row = None
    if isinstance(name, str):
        row = SIGNATURE.get(name) or KEY_ENCRYPTION.get(name)
    if row is None:
        raise UnsupportedAlgorithmError(_unknown(name), alg=name)
    if row.deprecated is not None and not named_by_caller:
        raise UnsupportedAlgorithmError(
            f"{row.name!r} is deprecated ({row.deprecated}). If you need it, name it yourself: alg={row.name!r}.",
            alg=name,
        )
    return row


def _unknown(name: object) -> str:
    if name == "dir":
        direct_names = ", ".join(CONTENT_ENCRYPTION)
        return f"A key for 'dir' is pinned to what it encrypts with: name one of {direct_names} as its algorithm."
    if isinstance(name, str) and name.lower() == "none":
        return "There are no unsigned tokens here: 'none' is not an algorithm."
    shown = repr(name[:32]) if isinstance(name, str) else f"a {type(name).__name__}"
    return f"The algorithm {shown} is not supported. Known: {', '.join((*SIGNATURE, *KEY_ENCRYPTION))}."


def find_content_encryption(name: object) -> ContentEncryption | None:
    """Look up an ``enc``; ``None`` if it is not in the table."""
    return CONTENT_ENCRYPTION.get(name) if isinstance(name, str) else None
