"""Encrypting: the part that all serialisations share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.entropy import random_bytes
from ..algorithms import ContentEncryption, WrappedKey, find_content_encryption
from ..errors import ConfigurationError, InvalidHeaderError, KeyUseError
from ..header import check_critical, check_parameters, extra_parameters
from ..key import Key
from .compression import deflate
from .opening import Sealed, pinned_content

__all__ = ["chosen_content", "described", "key_parameters", "seal", "wrapped_for"]

_DEFAULT_CONTENT = "A256GCM"

# What the library writes itself. 'p2c', 'apu' and 'apv' are the caller's to choose.
_OWN = frozenset({"alg", "enc", "kid", "zip", "epk", "iv", "tag", "p2s"})


def chosen_content(enc: str | None, keys: list[Key]) -> ContentEncryption:
    """Decide on the content encryption: the caller's, else the one a key is pinned to, else A256GCM.

    Raises:
        ConfigurationError: If there is no such content encryption.
        KeyUseError: If a key is for another one, or for signatures.
    """
    pinned = {content.name for content in map(pinned_content, keys) if content is not None}
    name = enc if enc is not None else next(iter(pinned), _DEFAULT_CONTENT)
    content = find_content_encryption(name)
    if content is None:
        raise ConfigurationError(f"There is no content encryption {name!r}.")
    if pinned - {name}:
        raise KeyUseError(f"The key is for content encryption with {min(pinned)}, not with {name}.")
    return content


def described(
    enc: ContentEncryption,
    *,
    typ: str | None,
    cty: str | None,
    header: Mapping[str, Any] | None,
    compress: bool,
) -> dict[str, Any]:
    """Put together the parameters that concern all recipients. Raises ``ConfigurationError``."""
    extra = extra_parameters(header)
    named = {name: value for name, value in (("typ", typ), ("cty", cty)) if value is not None}
    taken = (_OWN | named.keys()) & extra.keys()
    if taken:
        raise ConfigurationError(f"The header parameter {min(taken)!r} is not to be given here.")
    compression = {"zip": "DEF"} if compress else {}
    parameters = {"enc": enc.name, **named, **compression, **extra}
    try:
        checked = check_parameters({"alg": "", **parameters})
        check_critical(parameters, checked, parameters.keys())
    except InvalidHeaderError as error:
        raise ConfigurationError(error.message) from None
    return parameters


def key_parameters(key: Key) -> dict[str, Any]:
    """Return the parameters that tell a recipient which key is meant."""
    parameters = {"alg": key.algorithm.header_name}
    return parameters if key.kid is None else {**parameters, "kid": key.kid}


def wrapped_for(
    key: Key, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
) -> WrappedKey:
    """Make or wrap the content encryption key for one recipient."""
    try:
        return key.encrypt_key(enc, cek=cek, header=header)
    except InvalidHeaderError as error:
        raise ConfigurationError(error.message) from None


def seal(plaintext: bytes, cek: bytes, enc: ContentEncryption, *, aad: bytes, compress: bool) -> Sealed:
    """Encrypt the content under a fresh initialisation vector."""
    iv = random_bytes(enc.iv_size)
    content = deflate(plaintext) if compress else plaintext
    ciphertext, tag = enc.encrypt(cek, content, iv=iv, aad=aad)
    return Sealed(iv=iv, ciphertext=ciphertext, tag=tag, aad=aad)


def check_octets(octets: object, what: str) -> None:
    """Raise ``ConfigurationError`` unless it is ``bytes``."""
    if type(octets) is not bytes:
        raise ConfigurationError(f"The {what} must be bytes, not {type(octets).__name__}.")
