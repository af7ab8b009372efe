"""What it takes to forge signatures and encryption octet by octet, beside ``forging``: nothing of the library's own."""

import hashlib
import hmac
import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from coatcheck.jose import JOSEError, Key
from tests.jose.attacks.forging import (
    PASSWORD,
    SECRET,
    b,
    ec_private,
    from_private,
    key,
    public_jwk,
    rsa_private,
)

PBES2_ALG = "PBES2-HS256+A128KW"
FEW = 1_000  # iterations: enough for the library, quick enough for a test
SALT = b"sixteen octets.."


def unb(text: str) -> bytes:
    """Read base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def code(error: JOSEError) -> tuple[object, ...]:
    """Everything about an error that its reader can tell from another's."""
    return (
        type(error),
        error.code,
        error.message,
        error.detail,
        error.args,
        error.__cause__,
        error.__context__,
        getattr(error, "__notes__", ()),
        sorted(vars(error)),
    )


# --- content encryption ----------------------------------------------------------------------------------

CEK_SIZES = {
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
}


def gcm(cek: bytes, plaintext: bytes, aad: bytes, iv: bytes) -> tuple[bytes, bytes]:
    box = AESGCM(cek).encrypt(iv, plaintext, aad)
    return box[:-16], box[-16:]


def cbc_tag(cek: bytes, ciphertext: bytes, aad: bytes, iv: bytes, *, bits: int | None = None) -> bytes:
    """Compute the tag (RFC 7518 section 5.2.2.1); ``bits`` overrides the length of the AAD that goes into it."""
    half = len(cek) // 2
    length = (len(aad) * 8 if bits is None else bits).to_bytes(8, "big")
    digest = {16: "sha256", 24: "sha384", 32: "sha512"}[half]
    return hmac.digest(cek[:half], aad + iv + ciphertext + length, digest)[:half]


def cbc(
    cek: bytes, plaintext: bytes, aad: bytes, iv: bytes, *, padded: bytes | None = None
) -> tuple[bytes, bytes]:
    """Encrypt with AES-CBC and HMAC; ``padded`` stands for the plaintext with its padding."""
    if padded is None:
        count = 16 - len(plaintext) % 16
        padded = plaintext + bytes([count]) * count
    encryptor = Cipher(algorithms.AES(cek[len(cek) // 2 :]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    return ciphertext, cbc_tag(cek, ciphertext, aad, iv)


# --- a JWE in its parts ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parts:
    """The five parts of a JWE, before they are written."""

    protected: str
    encrypted_key: bytes
    iv: bytes
    ciphertext: bytes
    tag: bytes

    def compact(self) -> str:
        binary = (self.encrypted_key, self.iv, self.ciphertext, self.tag)
        return ".".join((self.protected, *map(b, binary)))

    def flattened(self, **changes: Any) -> dict[str, Any]:
        """Write the flattened syntax; a change to ``None`` leaves the member out."""
        members = {
            "protected": self.protected,
            "encrypted_key": b(self.encrypted_key),
            "iv": b(self.iv),
            "ciphertext": b(self.ciphertext),
            "tag": b(self.tag),
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def with_header(self, **changes: Any) -> "Parts":
        """Rewrite the protected header without encrypting anew."""
        header = {**json.loads(unb(self.protected)), **changes}
        kept = {name: value for name, value in header.items() if value is not ...}
        return replace(self, protected=b(kept))


def encrypted(
    header: Mapping[str, Any] | str,
    cek: bytes,
    *,
    encrypted_key: bytes = b"",
    plaintext: bytes = b"secret",
    iv: bytes | None = None,
    enc: str | None = None,
) -> Parts:
    """Encrypt validly under ``cek``, whatever the header says of it."""
    protected = b(header if isinstance(header, str) else dict(header))
    name = enc or json.loads(unb(protected))["enc"]
    if name.endswith("GCM"):
        nonce = os.urandom(12) if iv is None else iv
        ciphertext, tag = gcm(cek, plaintext, protected.encode(), nonce)
    else:
        nonce = os.urandom(16) if iv is None else iv
        ciphertext, tag = cbc(cek, plaintext, protected.encode(), nonce)
    return Parts(protected, encrypted_key, nonce, ciphertext, tag)


# --- bringing the content encryption key to the recipient ------------------------------------------------


def concat_kdf(shared: bytes, algorithm: str, size: int, apu: bytes = b"", apv: bytes = b"") -> bytes:
    """Derive a key (RFC 7518 section 4.6.2)."""
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (algorithm.encode(), apu, apv))
    info += (size * 8).to_bytes(4, "big")
    rounds = (size + 31) // 32
    blocks = (hashlib.sha256(n.to_bytes(4, "big") + shared + info).digest() for n in range(1, rounds + 1))
    return b"".join(blocks)[:size]


def _oaep(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    scheme = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return rsa_private().public_key().encrypt(cek, scheme), {}


def _pkcs1(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    return rsa_private().public_key().encrypt(cek, padding.PKCS1v15()), {}


def _kw(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    return aes_key_wrap(SECRET[:32], cek), {}


def _gcmkw(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    iv = os.urandom(12)
    box = AESGCM(SECRET[:32]).encrypt(iv, cek, None)
    return box[:-16], {"iv": b(iv), "tag": b(box[-16:])}


def _pbes2(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    salt = PBES2_ALG.encode() + b"\0" + SALT
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, FEW, 16)
    return aes_key_wrap(derived, cek), {"p2s": b(SALT), "p2c": FEW}


def _ecdh_kw(cek: bytes) -> tuple[bytes, dict[str, Any]]:
    ephemeral = ec_private("P-256", "ephemeral")
    shared = ephemeral.exchange(ec.ECDH(), ec_private().public_key())
    derived = concat_kdf(shared, "ECDH-ES+A256KW", 32)
    return aes_key_wrap(derived, cek), {"epk": public_jwk(ephemeral)}


WRAP: dict[str, Callable[[bytes], tuple[bytes, dict[str, Any]]]] = {
    "RSA-OAEP-256": _oaep,
    "RSA1_5": _pkcs1,
    "A256KW": _kw,
    "A256GCMKW": _gcmkw,
    PBES2_ALG: _pbes2,
    "ECDH-ES+A256KW": _ecdh_kw,
}


@cache
def recipient(alg: str) -> Key:
    """The private key or secret that the tokens of ``to_recipient`` are for."""
    if alg == PBES2_ALG:
        return Key.from_password(PASSWORD, alg)
    if alg == "RSA1_5":
        return from_private(rsa_private(), alg)
    if alg == "ECDH-ES+A256KW":
        return from_private(ec_private(), alg)
    if alg == "A256GCMKW":
        return Key.from_secret(SECRET[:32], alg)
    return key({"RSA-OAEP-256": "KOAEP", "A256KW": "KKW", "dir": "KDIR"}[alg])


def to_recipient(
    alg: str,
    enc: str = "A256GCM",
    *,
    cek: bytes | None = None,
    plaintext: bytes = b"secret",
    iv: bytes | None = None,
    **header: Any,
) -> Parts:
    """Write a JWE to ``recipient(alg)``, by default a good one."""
    if alg == "dir":
        return encrypted({"alg": alg, "enc": enc, **header}, SECRET[:32], plaintext=plaintext, iv=iv)
    secret = os.urandom(CEK_SIZES[enc]) if cek is None else cek
    encrypted_key, parameters = WRAP[alg](secret)
    return encrypted(
        {"alg": alg, "enc": enc, **parameters, **header},
        secret,
        encrypted_key=encrypted_key,
        plaintext=plaintext,
        iv=iv,
    )


# --- mutations -------------------------------------------------------------------------------------------


def bit_flips(octets: bytes) -> Iterator[bytes]:
    """Each octet string that differs in one bit."""
    number = int.from_bytes(octets, "big")
    for position in range(len(octets) * 8):
        yield (number ^ (1 << position)).to_bytes(len(octets), "big")
