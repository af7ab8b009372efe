"""Keys in the forms of files: PEM, DER, encrypted PKCS#8 and X.509 certificates.

Loaded when it is first needed: what it stands on would make up a third of the time of importing the package, and
whoever has JWKs or secrets never needs it.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from .arguments import password_octets
from .errors import ConfigurationError, KeyImportError, KeyPasswordError, UnsupportedKeyError

__all__ = ["read_der", "read_pem", "write_private", "write_public"]

_LARGEST_FILE = 65_536
_ID_RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")
_RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
# InternalError comes of a private key whose length is not that of its curve.
# The warning is an error where the application makes errors of warnings.
_FOREIGN_ERRORS = (
    CryptographyDeprecationWarning,
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    OverflowError,
    InternalError,
)


def read_pem(data: object, *, password: object) -> object:
    """Read the key of a PEM text: PKCS#8 (encrypted or not), SEC 1, PKCS#1, SubjectPublicKeyInfo or X.509.

    Raises:
        KeyImportError: If it is none of these, or if a password is needed, superfluous or wrong.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    octets = _bounded(data)
    _refuse_restricted(_armoured(octets))
    if b"PRIVATE KEY-----" in octets:
        return _read_private(octets, password, pem=True)
    _refuse_password(password)
    try:
        if b"-----BEGIN CERTIFICATE-----" in octets:
            return _certificate_key(octets, pem=True)
        return serialization.load_pem_public_key(octets)
    except _FOREIGN_ERRORS:
        raise KeyImportError(
            "This is not a PEM text with a private key, a public key or an X.509 certificate that can be read."
        ) from None


def read_der(data: object, *, password: object) -> object:
    """Read the key of a DER file: the same kinds as in PEM.

    Raises:
        KeyImportError: If it is none of these, or if a password is needed, superfluous or wrong.
    """
    octets = _bounded(data)
    _refuse_restricted(octets)
    if password is not None:
        return _read_private(octets, password, pem=False)
    # DER does not say what it holds. Each reader refuses the others' structures.
    readers: tuple[Callable[[bytes], object], ...] = (serialization.load_der_public_key, _certificate_key)
    for read in readers:
        try:
            return read(octets)
        except _FOREIGN_ERRORS:
            continue
    return _read_private(octets, None, pem=False)


def _armoured(pem: bytes) -> bytes:
    """Return the octets in the armour of a PEM text; nothing if it is broken, which the reader will find too."""
    body = b"".join(line for line in pem.splitlines() if b":" not in line and not line.startswith(b"-----"))
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return b""


def _refuse_restricted(der: bytes) -> None:
    """Refuse an RSA key that its file restricts to PSS (RFC 4055): nobody would keep to its parameters from here on."""
    if _ID_RSASSA_PSS in der and _RSA_ENCRYPTION not in der:
        raise UnsupportedKeyError(
            "The file restricts its RSA key to PSS with parameters of its own. Write it as a plain RSA key, and read "
            "that as PS256, PS384 or PS512."
        )


def _certificate_key(octets: bytes, *, pem: bool = False) -> object:
    load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    try:
        return load(octets).public_key()
    except x509.InvalidVersion:
        raise ValueError("no certificate of a known version") from None


def _read_private(octets: bytes, password: object, *, pem: bool) -> object:
    secret = None if password is None else password_octets(password)
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        return load(octets, secret)
    except TypeError:
        hint = "needs its password" if password is None else "is not encrypted, so leave the password out"
        raise KeyPasswordError(f"The private key {hint}.") from None
    except _FOREIGN_ERRORS:
        hint = "" if password is None else ", or the password is wrong"
        raise KeyImportError(f"The private key cannot be read{hint}.") from None


def _bounded(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise ConfigurationError("A key file must be given as bytes (a PEM may also be text).")
    if len(data) > _LARGEST_FILE:
        raise KeyImportError(f"The key file is larger than {_LARGEST_FILE} bytes.")
    return data


def _refuse_password(password: object) -> None:
    if password is not None:
        raise KeyPasswordError("Only private keys can be encrypted: leave the password out.")


def write_public(key: Any, *, pem: bool) -> bytes:
    """Write a public key as SubjectPublicKeyInfo."""
    octets: bytes = key.public_bytes(_encoding(pem=pem), PublicFormat.SubjectPublicKeyInfo)
    return octets


def write_private(key: Any, *, pem: bool, password: object) -> bytes:
    """Write a private key as PKCS#8, encrypted if a password is given."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        octets = password_octets(password)
        if not octets:
            raise ConfigurationError("The password must not be empty.")
        protection = serialization.BestAvailableEncryption(octets)
    written: bytes = key.private_bytes(_encoding(pem=pem), PrivateFormat.PKCS8, protection)
    return written


def _encoding(*, pem: bool) -> Encoding:
    return Encoding.PEM if pem else Encoding.DER
