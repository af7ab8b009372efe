"""Firebase's scrypt: a key derived from the password encrypts the project's signer key, and that is the hash.

Firebase stores hash and salt with the user, and the rest with the project. Here all of it stands in one text, as the
password of an imported user must be verified without Firebase.
"""

from __future__ import annotations

import hmac
import re

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from .bounds import BOUNDS
from .model import Verify, decode_base64, match, require
from .scrypt import Scrypt

__all__ = ["FirebaseParameters", "encode_firebase", "read_firebase"]

_BASE64 = r"([A-Za-z0-9+/_=-]{%s})"
_PATTERN = re.compile(
    r"firebase-scrypt\$([1-9][0-9]?)\$([1-9][0-9]?)\$"
    + r"\$".join(_BASE64 % length for length in ("0,128", "0,64", "22,176", "22,176"))
)


class FirebaseParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What the Firebase console shows as "password hash parameters" of a project.

    Attributes:
        signer_key: ``base64_signer_key``. Secret: it is left out of the representation.
        salt_separator: ``base64_salt_separator``.
        rounds: ``rounds``.
        mem_cost: ``mem_cost``.
    """

    signer_key: str
    salt_separator: str = "Bw=="
    rounds: int = 8
    mem_cost: int = 14

    def __repr__(self) -> str:
        return f"FirebaseParameters(rounds={self.rounds}, mem_cost={self.mem_cost}, ...)"


def encode_firebase(parameters: FirebaseParameters, *, salt: str, password_hash: str) -> str:
    """Return a hash that stands by itself, of the project's parameters and a user's ``salt`` and ``passwordHash``."""
    return (
        f"firebase-scrypt${parameters.mem_cost}${parameters.rounds}${salt}${parameters.salt_separator}"
        f"${parameters.signer_key}${password_hash}"
    )


def read_firebase(encoded: str) -> Verify:
    """Read ``firebase-scrypt$mem_cost$rounds$salt$separator$signer_key$hash``."""
    mem_cost, rounds, *texts = match(_PATTERN, encoded)
    require(int(mem_cost) < 32)
    scrypt = Scrypt(1 << int(mem_cost), int(rounds), 1)
    salt, separator, signer_key, digest = map(decode_base64, texts)
    require(BOUNDS.accepts_digest(digest) and len(signer_key) == len(digest))

    def verify(password: bytes) -> bool:
        key = scrypt.derive(password, salt=salt + separator, octets=32)
        encryptor = Cipher(AES256(key), CTR(bytes(16))).encryptor()
        computed = encryptor.update(signer_key) + encryptor.finalize()
        return hmac.compare_digest(computed, digest)

    return verify
