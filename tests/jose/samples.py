"""Keys of every algorithm, each made once, and what else the tests of ``coatcheck.jose`` share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coatcheck._core import base64url
from coatcheck.jose import Key
from coatcheck.jose.algorithms import CONTENT_ENCRYPTION, KEY_ENCRYPTION, SIGNATURE

SIGNATURE_NAMES = tuple(SIGNATURE)
ENCRYPTION_NAMES = tuple(KEY_ENCRYPTION)
CONTENT_NAMES = tuple(CONTENT_ENCRYPTION)
ALL_NAMES = (*SIGNATURE_NAMES, *ENCRYPTION_NAMES)
SYMMETRIC_NAMES = tuple(
    name for name, row in {**SIGNATURE, **KEY_ENCRYPTION}.items() if row.key_types == ("oct",)
)
ASYMMETRIC_NAMES = tuple(name for name in ALL_NAMES if name not in SYMMETRIC_NAMES)
ENCRYPTING_NAMES = tuple(name for name, row in KEY_ENCRYPTION.items() if not row.decrypt_only)

PASSWORD = "correct horse battery staple"
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
FEW_ITERATIONS = 1_000


@cache
def rsa_private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def rsa_pem() -> bytes:
    return rsa_private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_for(alg: str, crv: str | None = None) -> Key:
    """The one key of an algorithm (and curve) in this test session, private or secret, with an identifier."""
    return _key_for(alg, crv)


@cache
def _key_for(alg: str, crv: str | None) -> Key:
    kid = f"{alg} key"
    if alg.startswith("PBES2"):
        return Key.from_password(PASSWORD, alg, kid=kid)
    if {**SIGNATURE, **KEY_ENCRYPTION}[alg].key_types == ("RSA",):
        return Key.from_pem(rsa_pem(), alg, kid=kid)
    return Key.generate(alg, kid=kid, crv=crv)


def other_side(key: Key) -> Key:
    """The key that the other side has."""
    return key if key.is_symmetric else key.public()


def encryption_header(alg: str) -> dict[str, Any]:
    """Header parameters that keep password hashing short in tests."""
    return {"p2c": FEW_ITERATIONS} if alg.startswith("PBES2") else {}


def pairs_of_encryption() -> list[tuple[str, str]]:
    """Every ``alg`` that encrypts with every ``enc`` that it can carry."""
    return [
        (alg, enc)
        for alg in ENCRYPTING_NAMES
        for enc in CONTENT_NAMES
        if alg not in CONTENT_NAMES or alg == enc
    ]


def segment(value: object) -> str:
    """A value as it stands in a token: base64url of JSON."""
    return base64url.encode(json.dumps(value).encode())


def signed(payload: bytes, key: Key, header: object) -> str:
    """A token with any header whatever, whose signature is good."""
    message = f"{segment(header)}.{base64url.encode(payload)}"
    return f"{message}.{base64url.encode(key.sign(message.encode()))}"


def vectors(name: str) -> list[tuple[int, dict[str, Any]]]:
    """The entries of one list of the published test vectors, each with the number of its RFC."""
    files = sorted((Path(__file__).parents[1] / "vectors").glob("rfc*.json"))
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [(document["rfc"], entry) for document in documents for entry in document.get(name, [])]


def thawed(value: Any) -> Any:
    """A frozen header as plain dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: thawed(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [thawed(item) for item in value]
    return value
