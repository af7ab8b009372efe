"""What an attacker has: the primitives, the public keys, and a way to write any token.

Nothing here uses the library to make a token. The library's keys are read from the same key objects that forge.
"""

import hashlib
import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coatcheck.jose import JOSEError, Key, KeySet, jws, jwt

NOW = 1_800_000_000
ISSUER = "https://i"
AUDIENCE = "a"
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW, "exp": NOW + 300}

SECRET = bytes(range(100, 164))  # 64 octets: long enough for HS512
PASSWORD = "Thus from my lips, by yours, my sin is purged."

PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey
)


# --- texts -----------------------------------------------------------------------------------------------


def b(value: object) -> str:
    """Write octets, text or a JSON value as base64url without padding."""
    if not isinstance(value, (bytes, str)):
        value = json.dumps(value, separators=(",", ":"))
    octets = value.encode() if isinstance(value, str) else value
    return urlsafe_b64encode(octets).decode().rstrip("=")


def urlsafe_decoded(text: str) -> bytes:
    """Decode base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def message(header: object, payload: object = CLAIMS) -> bytes:
    """Write what is signed. A header or payload that is text or octets is taken as it is."""
    return f"{b(header)}.{b(payload)}".encode()


def tok(header: object, payload: object = CLAIMS, signature: bytes = b"") -> str:
    """Write a compact JWS around any signature."""
    return f"{message(header, payload).decode()}.{b(signature)}"


def signed(key_name: str, header: object, payload: object = CLAIMS) -> str:
    """Write a compact JWS that is validly signed, whatever its header says."""
    return tok(header, payload, SIGN[key_name](message(header, payload)))


def mac(secret: bytes, octets: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(secret, octets, digest).digest()


def hmac_tok(header: object, secret: bytes, payload: object = CLAIMS, digest: str = "sha256") -> str:
    """Write a compact JWS under an HMAC of any secret."""
    return tok(header, payload, mac(secret, message(header, payload), digest))


def flattened(compact: str, header: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write a compact JWS in the flattened JSON syntax, with an unprotected header if one is given."""
    protected, payload, signature = compact.split(".")
    token = {"payload": payload, "protected": protected, "signature": signature}
    return token if header is None else {**token, "header": header}


def general(*compacts: str) -> dict[str, Any]:
    """Write compact JWS of one payload in the general JSON syntax."""
    signatures = []
    for compact in compacts:
        protected, payload, signature = compact.split(".")
        signatures.append({"protected": protected, "signature": signature})
    return {"payload": payload, "signatures": signatures}


def content_encrypted(cek: bytes, plaintext: bytes, aad: bytes, enc: str) -> tuple[bytes, bytes, bytes]:
    """Encrypt content with A*GCM or A128CBC-HS256; return the IV, the ciphertext and the tag."""
    if enc != "A128CBC-HS256":
        iv = os.urandom(12)
        box = AESGCM(cek).encrypt(iv, plaintext, aad)
        return iv, box[:-16], box[-16:]
    iv = os.urandom(16)
    padder = PKCS7(128).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(AES(cek[16:]), CBC(iv)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    tag = mac(cek[:16], aad + iv + ciphertext + (len(aad) * 8).to_bytes(8, "big"))[:16]
    return iv, ciphertext, tag


def sealed(
    header: object,
    cek: bytes,
    *,
    encrypted_key: bytes = b"",
    plaintext: bytes = b"secret",
    enc: str = "A256GCM",
) -> str:
    """Write a compact JWE that is validly encrypted under ``cek`` with ``enc``, whatever its header says."""
    protected = b(header)
    iv, ciphertext, tag = content_encrypted(cek, plaintext, protected.encode(), enc)
    return ".".join((protected, b(encrypted_key), b(iv), b(ciphertext), b(tag)))


def flattened_jwe(compact: str, **members: Any) -> dict[str, Any]:
    """Write a compact JWE in the flattened JSON syntax, with further members."""
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    token: dict[str, Any] = {name: part for name, part in zip(names, compact.split("."), strict=True) if part}
    return {**token, **members}


# --- keys ------------------------------------------------------------------------------------------------


@cache
def rsa_private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@cache
def other_rsa_private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@cache
def ec_private(crv: str = "P-256", owner: str = "us") -> ec.EllipticCurvePrivateKey:
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.generate_private_key(curves.get(crv, ec.SECP256K1()))


@cache
def ed_private(owner: str = "us") -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


@cache
def lattice_private() -> mldsa.MLDSA44PrivateKey:
    return mldsa.MLDSA44PrivateKey.generate()


def pkcs8(private: PrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    return private.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())


def from_private(private: PrivateKey, alg: str, kid: str | None = None) -> Key:
    return Key.from_pem(pkcs8(private), alg, kid=kid)


# The keys, each made when first asked for. They have no identifier, so that every token may mean them.
_MAKE: dict[str, Callable[[], Key]] = {
    "KHS": lambda: Key.from_secret(SECRET, "HS256"),
    "KRS": lambda: from_private(rsa_private(), "RS256"),
    "KPS": lambda: from_private(rsa_private(), "PS256"),
    "KES": lambda: from_private(ec_private(), "ES256"),
    "KED": lambda: from_private(ed_private(), "Ed25519"),
    "KML": lambda: Key.from_der(pkcs8(lattice_private(), Encoding.DER), "ML-DSA-44"),
    "KOAEP": lambda: from_private(rsa_private(), "RSA-OAEP-256"),
    "KKW": lambda: Key.from_secret(SECRET[:32], "A256KW"),
    "KDIR": lambda: Key.from_secret(SECRET[:32], "A256GCM"),
    "KECDH": lambda: from_private(ec_private(), "ECDH-ES"),
    "KPB": lambda: Key.from_password(PASSWORD),
}
SIGNING_KEYS = ("KHS", "KRS", "KPS", "KES", "KED")
PUBLIC_KEYS = ("KRS", "KPS", "KES", "KED")


@cache
def key(name: str) -> Key:
    return _MAKE[name]()


def verifier(keys: Key | KeySet, **demands: Any) -> jwt.Verifier[Any]:
    """Make a verifier whose demands ``CLAIMS`` meet."""
    demands = {"issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: float(NOW), **demands}
    made: jwt.Verifier[Any] = jwt.Verifier(keys, **demands)
    return made


# --- signatures ------------------------------------------------------------------------------------------

_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def rs(octets: bytes, size: str = "256", private: rsa.RSAPrivateKey | None = None) -> bytes:
    return (private or rsa_private()).sign(octets, padding.PKCS1v15(), _HASHES[size])


def ps(octets: bytes, size: str = "256", private: rsa.RSAPrivateKey | None = None) -> bytes:
    digest = _HASHES[size]
    scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
    return (private or rsa_private()).sign(octets, scheme, digest)


def es(octets: bytes, private: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """Sign with SHA-256 over any curve of 256 bits."""
    r, s = decode_dss_signature((private or ec_private()).sign(octets, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def ed(octets: bytes, private: ed25519.Ed25519PrivateKey | None = None) -> bytes:
    return (private or ed_private()).sign(octets)


def hs(octets: bytes, digest: str = "sha256") -> bytes:
    return mac(SECRET, octets, digest)


SIGN: dict[str, Callable[[bytes], bytes]] = {"KHS": hs, "KRS": rs, "KPS": ps, "KES": es, "KED": ed}
ALG = {"KHS": "HS256", "KRS": "RS256", "KPS": "PS256", "KES": "ES256", "KED": "Ed25519"}


# --- the public key in every form of octets in which an application may hold it ---------------------------


def _public(private: PrivateKey, encoding: Encoding, form: PublicFormat) -> bytes:
    return private.public_key().public_bytes(encoding, form)


def spki(private: PrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    return _public(private, encoding, PublicFormat.SubjectPublicKeyInfo)


def pkcs1(private: PrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    return _public(private, encoding, PublicFormat.PKCS1)


def openssh(private: PrivateKey) -> bytes:
    return _public(private, Encoding.OpenSSH, PublicFormat.OpenSSH)


@cache
def certificate(private: PrivateKey, encoding: Encoding = Encoding.PEM) -> bytes:
    """Write a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "attacker.example")])
    algorithm = (
        None if isinstance(private, (ed25519.Ed25519PrivateKey, mldsa.MLDSA44PrivateKey)) else hashes.SHA256()
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(private, algorithm)
    )
    return built.public_bytes(encoding)


def uint(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def public_jwk(private: PrivateKey) -> dict[str, Any]:
    """Write the public JWK, without ``alg`` (but for AKP, where it is part of the key)."""
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        return {"kty": "RSA", "n": b(uint(numbers.n)), "e": b(uint(numbers.e))}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        point = private.public_key().public_numbers()
        size = (private.key_size + 7) // 8
        names = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
        x, y = (b(number.to_bytes(size, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": names.get(private.curve.name, private.curve.name), "x": x, "y": y}
    raw = b(private.public_key().public_bytes_raw())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": raw}
    return {"kty": "AKP", "alg": "ML-DSA-44", "pub": raw}


def private_jwk(private: PrivateKey) -> dict[str, Any]:
    """Write the private JWK, with all members."""
    members = public_jwk(private)
    if isinstance(private, rsa.RSAPrivateKey):
        n = private.private_numbers()
        numbers = {"d": n.d, "p": n.p, "q": n.q, "dp": n.dmp1, "dq": n.dmq1, "qi": n.iqmp}
        return {**members, **{name: b(uint(number)) for name, number in numbers.items()}}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        size = (private.key_size + 7) // 8
        return {**members, "d": b(private.private_numbers().private_value.to_bytes(size, "big"))}
    raw = b(private.private_bytes_raw())
    return {**members, ("priv" if members["kty"] == "AKP" else "d"): raw}


def oct_jwk(secret: bytes = SECRET, alg: str = "HS256", **members: Any) -> dict[str, Any]:
    return {"kty": "oct", "k": b(secret), "alg": alg, **members}


def modulus(private: PrivateKey) -> bytes:
    assert isinstance(private, rsa.RSAPrivateKey)
    return uint(private.public_key().public_numbers().n)


TEXT_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    "spki-pem": spki,
    "spki-pem-stripped": lambda private: spki(private).rstrip(b"\n"),
    "spki-pem-crlf": lambda private: spki(private).replace(b"\n", b"\r\n"),
    "certificate-pem": certificate,
    "certificate-pem-stripped": lambda private: certificate(private).rstrip(b"\n"),
    "certificate-pem-crlf": lambda private: certificate(private).replace(b"\n", b"\r\n"),
    "openssh": openssh,
    "openssh-with-comment": lambda private: openssh(private) + b" alice@example\n",
    "jwk": lambda private: json.dumps(public_jwk(private), separators=(",", ":")).encode(),
    "jwk-sorted": lambda private: json.dumps(public_jwk(private), sort_keys=True).encode(),
    "jwk-pretty": lambda private: json.dumps(public_jwk(private), indent=2).encode(),
}
DER_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    "spki-der": lambda private: spki(private, Encoding.DER),
    "certificate-der": lambda private: certificate(private, Encoding.DER),
}
RSA_TEXT_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    "pkcs1-pem": pkcs1,
    "pkcs1-pem-stripped": lambda private: pkcs1(private).rstrip(b"\n"),
    "pkcs1-pem-crlf": lambda private: pkcs1(private).replace(b"\n", b"\r\n"),
}
RSA_DER_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    "pkcs1-der": lambda private: pkcs1(private, Encoding.DER)
}
RSA_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    **TEXT_FORMS,
    **RSA_TEXT_FORMS,
    **DER_FORMS,
    **RSA_DER_FORMS,
    "modulus": modulus,
}
EC_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    **TEXT_FORMS,
    **DER_FORMS,
    "point": lambda private: _public(private, Encoding.X962, PublicFormat.UncompressedPoint),
    "compressed-point": lambda private: _public(private, Encoding.X962, PublicFormat.CompressedPoint),
}
ED_FORMS: dict[str, Callable[[PrivateKey], bytes]] = {
    **TEXT_FORMS,
    **DER_FORMS,
    "raw": lambda private: _public(private, Encoding.Raw, PublicFormat.Raw),
}


# --- ROCA (CVE-2017-15361): keys with the structure of the broken generator, made by its published recipe ---


@cache
def roca_modulus() -> int:
    """Multiply two primes of the form k*M + (65537**a mod M), M the product of the first 71 primes."""
    primes = [n for n in range(2, 354) if all(n % d for d in range(2, n))]
    primorial = 1
    for prime in primes:
        primorial *= prime

    def prime_at(exponent: int) -> int:
        residue = pow(65_537, exponent, primorial)
        k = (3 << 1022) // primorial
        while pow(2, k * primorial + residue - 1, k * primorial + residue) != 1:
            k += 1
        return k * primorial + residue

    return prime_at(1234) * prime_at(5678)


# --- refusals --------------------------------------------------------------------------------------------


def refused(
    kinds: type[JOSEError] | tuple[type[JOSEError], ...],
    call: Callable[..., object],
    *args: Any,
    **options: Any,
) -> JOSEError:
    """Return the error of a call that must return nothing, and raise exactly one of these classes."""
    with pytest.raises(JOSEError) as caught:
        call(*args, **options)
    expected = kinds if isinstance(kinds, tuple) else (kinds,)
    assert type(caught.value) in expected, f"{type(caught.value).__name__}: {caught.value}"
    return caught.value


def refused_everywhere(
    kinds: type[JOSEError] | tuple[type[JOSEError], ...], token: str, keys: Key | KeySet
) -> list[JOSEError]:
    """Present a token of three parts in every way to everything that verifies; return the errors."""
    errors = [
        refused(kinds, jws.verify, token, keys),
        refused(kinds, jws.verify, token.encode(), keys),
        refused(kinds, jws.verify_json, flattened(token), keys),
        refused(kinds, jws.verify_json, json.dumps(general(token)), keys),
        refused(kinds, verifier(keys).verify, token),
    ]
    if isinstance(keys, Key):
        errors.append(refused(kinds, jws.verify, token, KeySet([keys])))
    return errors


def thumbprint(members: dict[str, Any]) -> str:
    """Compute the SHA-256 thumbprint of the members that RFC 7638 takes."""
    return b(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())
