"""Agreeing on the content encryption key with an ephemeral key (RFC 7518 section 4.6, RFC 8037 section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from ..._core.entropy import random_bytes
from .. import key_types
from ..errors import DecryptionError, InvalidHeaderError, KeyImportError
from .key_wrapping import octets_of, unwrap_cek
from .model import ContentEncryption, KeyEncryption, WrappedKey

__all__ = ["CURVES", "concat_kdf", "ecdh_es"]

CURVES = ("P-256", "P-384", "P-521", "X25519", "X448")

PrivateKey = ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey | x448.X448PrivateKey
PublicKey = ec.EllipticCurvePublicKey | x25519.X25519PublicKey | x448.X448PublicKey


def concat_kdf(shared: bytes, *, algorithm: str, size: int, apu: bytes, apv: bytes) -> bytes:
    """Derive ``size`` octets from the shared secret (RFC 7518 section 4.6.2, NIST SP 800-56A section 5.8.1)."""
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (algorithm.encode(), apu, apv))
    info += (size * 8).to_bytes(4, "big")
    return ConcatKDFHash(algorithm=hashes.SHA256(), length=size, otherinfo=info).derive(shared)


def _agree(private: PrivateKey, public: PublicKey) -> bytes:
    """Multiply. The caller has made sure that both are on the same curve."""
    try:
        if isinstance(private, ec.EllipticCurvePrivateKey):
            return private.exchange(ec.ECDH(), public)  # type: ignore[arg-type]
        return private.exchange(public)  # type: ignore[arg-type]
    except ValueError:
        # A point of small order, of which X25519 and X448 make an all-zero secret (RFC 8037 section 3.2).
        raise DecryptionError from None


def _curve_of(key: PrivateKey | PublicKey) -> str:
    crv = key_types.adopt(key).crv
    assert crv is not None  # noqa: S101 - the table gives ECDH-ES no key without a curve
    return crv


def _party(header: Mapping[str, Any], name: str) -> bytes:
    return octets_of(header, name) if name in header else b""


def ecdh_es(name: str, wrap_size: int | None) -> KeyEncryption:
    """Build the row for ECDH-ES alone (``wrap_size`` None) or with the AES Key Wrap of that many octets."""

    def derive(shared: bytes, enc: ContentEncryption, header: Mapping[str, Any]) -> bytes:
        return concat_kdf(
            shared,
            algorithm=enc.name if wrap_size is None else name,
            size=wrap_size or enc.key_size,
            apu=_party(header, "apu"),
            apv=_party(header, "apv"),
        )

    def encrypt_key(
        key: PublicKey, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        ephemeral = key_types.generate(_curve_of(key))
        derived = derive(_agree(ephemeral.private, key), enc, header)
        parameters = {"epk": key_types.public_members(ephemeral)}
        if wrap_size is None:
            return WrappedKey(cek=derived, encrypted_key=b"", header=parameters)
        secret = cek or random_bytes(enc.key_size)
        return WrappedKey(cek=secret, encrypted_key=aes_key_wrap(derived, secret), header=parameters)

    def decrypt_key(
        key: PrivateKey, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        derived = derive(_agree(key, _sender(header, key)), enc, header)
        if wrap_size is not None:
            return unwrap_cek(derived, encrypted_key)
        if encrypted_key:
            raise DecryptionError
        return derived

    return KeyEncryption(
        name=name,
        key_types=("EC", "OKP"),
        curves=CURVES,
        encrypt_key=encrypt_key,
        decrypt_key=decrypt_key,
        direct=wrap_size is None,
        private_operations=frozenset({"deriveKey", "deriveBits"}),
        public_operations=frozenset({"deriveKey", "deriveBits"}),
    )


def _sender(header: Mapping[str, Any], key: PrivateKey) -> PublicKey:
    """Read ``epk``: a public key on the recipient's own curve, checked to lie on it (invalid-curve attack)."""
    epk = header.get("epk")
    if not isinstance(epk, Mapping):
        raise InvalidHeaderError("The header parameter 'epk' must be a JWK.")
    recipient = key_types.adopt(key)
    # Asked before anything is computed: a stranger writes this, and another kind of key could take seconds to read.
    if (epk.get("kty"), epk.get("crv")) != (recipient.kty, recipient.crv) or "d" in epk:
        raise InvalidHeaderError("The header parameter 'epk' must be a public key on the recipient's curve.")
    try:
        public: PublicKey = key_types.load(epk).public
    except KeyImportError as error:
        raise InvalidHeaderError(f"The header parameter 'epk' cannot be used: {error.message}") from None
    return public
