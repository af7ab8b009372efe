"""The keys, claims and tokens that every contender is given alike."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

ISSUER = "https://id.example.com"
AUDIENCE = "https://api.example.com"
KID = "bench-1"
LIFETIME = 3600
RING = 16
"""How many different tokens, or sets of claims, each contender goes round."""

SIGNATURES = ("HS256", "RS256", "PS256", "ES256", "Ed25519", "ML-DSA-44")
ENCRYPTIONS = (
    ("dir", "A256GCM"),
    ("A256KW", "A256GCM"),
    ("RSA-OAEP-256", "A256GCM"),
    ("ECDH-ES+A256KW", "A256GCM"),
    ("ECDH-ES", "A128CBC-HS256"),
)

Claims = dict[str, object]
PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey
)


@dataclass(frozen=True)
class Material:
    """A key in the neutral forms from which each library imports its own."""

    secret: bytes = b""
    private_pem: bytes = b""
    public_pem: bytes = b""


def b64(data: bytes) -> bytes:
    """base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=")


def unb64(text: bytes) -> bytes:
    """The bytes behind base64url ``text`` without padding."""
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def compact_json(value: object) -> bytes:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def material(alg: str) -> Material:
    """The key for ``alg``; every RSA algorithm gets the same 2048-bit key."""
    if alg in ("HS256", "dir", "A256KW"):
        return Material(secret=bytes(range(32)))
    key = _private_key(_family(alg))
    return Material(
        private_pem=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        public_pem=key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        ),
    )


def _family(alg: str) -> str:
    if alg in ("RS256", "PS256", "RSA-OAEP-256"):
        return "RSA"
    if alg.startswith(("ES256", "ECDH-ES")):
        return "P-256"
    return "Ed25519" if alg in ("Ed25519", "EdDSA") else alg


@cache
def _private_key(family: str) -> PrivateKey:
    if family == "RSA":
        return rsa.generate_private_key(65537, 2048)
    if family == "P-256":
        return ec.generate_private_key(ec.SECP256R1())
    if family == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if family == "ML-DSA-44":
        return mldsa.MLDSA44PrivateKey.generate()
    raise ValueError(f"no key for {family}")


def claims_ring() -> list[Claims]:
    """``RING`` sets of claims that differ in their subject, token and session identifiers."""
    now = int(time.time())
    return [_claims(number, now) for number in range(RING)]


def _claims(number: int, now: int) -> Claims:
    return {
        "iss": ISSUER,
        "sub": f"user_01HZX3{number:04d}",
        "aud": AUDIENCE,
        "exp": now + LIFETIME,
        "iat": now,
        "nbf": now,
        "jti": f"b0c1e2d3f4a5968778695a4b3c2d{number:04x}",
        "scope": "read write",
        "client_id": "web",
        "sid": f"3f1c0e{number:04x}",
    }


def protected_header(alg: str, typ: str = "JWT") -> dict[str, object]:
    """The header of every signed token."""
    return {"alg": alg, "typ": typ, "kid": KID}


def signing_input(header: dict[str, object], claims: Claims) -> bytes:
    """What a JWS signature covers (RFC 7515, section 5.1)."""
    return b64(compact_json(header)) + b"." + b64(compact_json(claims))
