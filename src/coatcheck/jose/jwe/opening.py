"""Decrypting for one recipient: the part that all serialisations share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from ..._core.entropy import random_bytes
from ..algorithms import CONTENT_ENCRYPTION, ContentEncryption, find_content_encryption
from ..arguments import names
from ..errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    DecryptionError,
    InvalidHeaderError,
    TokenError,
    TokenTooLargeError,
)
from ..header import Header, check_critical, check_parameters
from ..key import Key
from ..key_set import KeySet
from ..limits import Limits
from .compression import inflate

__all__ = [
    "Policy",
    "Sealed",
    "WorkBudget",
    "check_headers",
    "check_iterations",
    "make_policy",
    "open_sealed",
    "pinned_content",
]

_MOST_DECOMPRESSED = 2**30
_EVERY_CONTENT = frozenset(CONTENT_ENCRYPTION)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller accepts.

    Attributes:
        enc: The names of the content encryptions.
        understood: The critical extensions that the caller will process.
        max_decompressed: How many octets compressed content may have; ``None`` refuses compression.
        limits: How much to look at.
    """

    enc: frozenset[str]
    understood: frozenset[str]
    max_decompressed: int | None
    limits: Limits


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """The encrypted content, the same for all recipients."""

    iv: bytes
    ciphertext: bytes
    tag: bytes
    aad: bytes


def make_policy(
    enc: Collection[str] | None,
    *,
    understood: Collection[str],
    max_decompressed: int | None,
    limits: Limits,
) -> Policy:
    """Check the caller's wishes. Raises ``ConfigurationError``."""
    accepted = _EVERY_CONTENT if enc is None else names(enc, "enc")
    if not accepted or accepted - CONTENT_ENCRYPTION.keys():
        raise ConfigurationError(f"'enc' must name one or several of {', '.join(CONTENT_ENCRYPTION)}.")
    if max_decompressed is not None and (
        type(max_decompressed) is not int or not 1 <= max_decompressed <= _MOST_DECOMPRESSED
    ):
        raise ConfigurationError(f"'max_decompressed' must be from 1 to {_MOST_DECOMPRESSED} octets.")
    extensions = names(understood, "understood") if understood != () else frozenset()
    return Policy(enc=accepted, understood=extensions, max_decompressed=max_decompressed, limits=limits)


def check_headers(
    protected: Mapping[str, Any], parameters: Mapping[str, Any], policy: Policy
) -> tuple[Header, ContentEncryption]:
    """Check a received header; return it with its content encryption.

    Raises:
        InvalidHeaderError: If a parameter is missing, of the wrong type, or asks for compression uninvited.
        AlgorithmMismatchError: If ``enc`` is not one that is accepted.
    """
    header = check_parameters(parameters)
    check_critical(protected, parameters, policy.understood)
    _check_compression(protected, parameters, policy)
    check_iterations([header], policy.limits)
    enc = find_content_encryption(parameters.get("enc"))
    if enc is None or enc.name not in policy.enc:
        raise AlgorithmMismatchError(
            "The token's content encryption ('enc') is not accepted here.",
            alg=str(parameters.get("enc"))[:32],
            expected=tuple(sorted(policy.enc)),
        )
    return header, enc


def check_iterations(headers: Iterable[Header], limits: Limits) -> None:
    """Refuse a token that asks for more password hashing than the limit, before any. Raises ``TokenTooLargeError``."""
    budget = WorkBudget(limits)
    for header in headers:
        budget.spend(header)


class WorkBudget:
    """How much password hashing one token may still cost, over all its recipients and all keys that may be meant."""

    __slots__ = ("_left", "_limit")

    def __init__(self, limits: Limits) -> None:
        self._limit = self._left = limits.iterations

    def spend(self, header: Header) -> None:
        """Take off what unwrapping under this header will cost. Raises ``TokenTooLargeError`` beforehand."""
        count = header.get("p2c")
        if isinstance(count, int):
            self._left -= max(count, 0)
        if self._left < 0:
            raise TokenTooLargeError(f"The iteration counts 'p2c' add up to more than {self._limit}.")


def _check_compression(protected: Mapping[str, Any], parameters: Mapping[str, Any], policy: Policy) -> None:
    if "zip" not in parameters:
        return
    if protected.get("zip") != "DEF":
        raise InvalidHeaderError("'zip' must be 'DEF', in the protected header.")
    if policy.max_decompressed is None:
        raise InvalidHeaderError(
            "The content is compressed. To accept that, say how large it may be: max_decompressed."
        )


def open_sealed(
    sealed: Sealed,
    encrypted_key: bytes,
    header: Header,
    *,
    enc: ContentEncryption,
    keys: KeySet,
    policy: Policy,
    budget: WorkBudget,
) -> tuple[bytes, Key]:
    """Decrypt with the key that the header means, and return the plaintext with that key.

    Raises:
        NoMatchingKeyError: If no key has the identifier.
        AlgorithmMismatchError: If the header names another algorithm than the key's.
        DecryptionError: If nothing decrypts it, whatever the reason.
        InvalidHeaderError: If a parameter of the key's algorithm is missing or malformed.
        KeyUseError: If the key is not for decrypting.
        TokenTooLargeError: If it asks for more password hashing, or a larger content, than the limits allow.
    """
    if (len(sealed.iv), len(sealed.tag)) != (enc.iv_size, enc.tag_size):
        raise DecryptionError
    refused: TokenError = DecryptionError()
    for key in _fitting(keys, header, enc):
        budget.spend(header)
        try:
            cek = _content_key(key, enc, encrypted_key=encrypted_key, header=header)
            plaintext = enc.decrypt(cek, sealed.ciphertext, iv=sealed.iv, tag=sealed.tag, aad=sealed.aad)
        except DecryptionError:
            continue
        except InvalidHeaderError as error:  # of this key's algorithm: another key may still fit
            refused = error
            continue
        if "zip" in header and policy.max_decompressed is not None:
            plaintext = inflate(plaintext, policy.max_decompressed)
        return plaintext, key
    raise refused


def _content_key(key: Key, enc: ContentEncryption, *, encrypted_key: bytes, header: Header) -> bytes:
    """Unwrap the content encryption key; if that fails, return a random one (RFC 7516 section 11.5).

    The work then goes on and fails at the tag, so that a wrong padding, a wrong length and a wrong tag look and time
    alike (Bleichenbacher 1998, Manger 2001).
    """
    substitute = random_bytes(enc.key_size)
    try:
        cek = key.decrypt_key(enc, encrypted_key=encrypted_key, header=header)
    except DecryptionError:
        return substitute
    return cek if len(cek) == enc.key_size else substitute


def _fitting(keys: KeySet, header: Header, enc: ContentEncryption) -> list[Key]:
    """Return the keys that the header can mean; a secret for direct encryption is for one ``enc`` only."""
    named = keys.select(alg=header.alg, kid=header.kid)
    fitting = [key for key in named if pinned_content(key) in {None, enc}]
    if not fitting:
        raise AlgorithmMismatchError(
            "The key is for another content encryption than the token's.",
            alg=enc.name,
            expected=tuple(sorted(key.alg for key in named)),
        )
    return fitting


def pinned_content(key: Key) -> ContentEncryption | None:
    """Return the one content encryption that a key is for, or ``None`` if it can carry any."""
    return getattr(key.algorithm, "content", None)
