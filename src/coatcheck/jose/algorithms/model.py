"""What a row of the algorithm table holds.

A name from a token or a key is looked up once; from there on the row travels, never the name. A row carries the
functions that do the work, so that nothing below or beside the table has to tell algorithms apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from ..errors import KeyUseError, WeakKeyError

__all__ = [
    "Algorithm",
    "ContentEncryption",
    "KeyEncryption",
    "Sign",
    "SignatureAlgorithm",
    "Verify",
    "WrappedKey",
]

Sign = Callable[[bytes], bytes]
"""Returns the signature of a signing input."""

Verify = Callable[[bytes, bytes], None]
"""Takes a signing input and a signature; raises ``InvalidSignatureError`` unless they belong together."""


class Algorithm(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows have in common.

    Attributes:
        name: The registered name, to which a key is pinned.
        key_types: The ``kty`` values (RFC 7517 section 4.1) that it takes.
        curves: The ``crv`` values that it takes; empty where the key type has none.
        minimum_bits: The least size of a key.
        exact_bits: The one size of a key, or 0 where any from ``minimum_bits`` on will do.
        takes_password: Whether its secret is a password rather than random octets.
        aliases: Other names that the ``alg`` of a JWK may give to a key for this algorithm.
        deprecated: Why it is deprecated, or ``None``. Used only where the caller names the algorithm.
    """

    name: str
    key_types: tuple[str, ...]
    curves: tuple[str, ...] = ()
    minimum_bits: int = 0
    exact_bits: int = 0
    takes_password: bool = False
    aliases: tuple[str, ...] = ()
    deprecated: str | None = None

    @property
    def header_name(self) -> str:
        """The value of the ``alg`` header parameter."""
        return self.name

    def check_size(self, bits: int) -> None:
        """Raise ``WeakKeyError`` for a key that is too small, ``KeyUseError`` for one that is not of the right size."""
        if bits < self.minimum_bits:
            raise WeakKeyError(
                f"A key for {self.name} must have at least {self.minimum_bits} bits; this one has {bits}. "
                f"Make a new one with Key.generate({self.name!r})."
            )
        if self.exact_bits and bits != self.exact_bits:
            raise KeyUseError(f"A key for {self.name} must have {self.exact_bits} bits; this one has {bits}.")


class SignatureAlgorithm(Algorithm, frozen=True, kw_only=True):
    """A row for JWS (RFC 7518 section 3).

    Attributes:
        signer: Takes the private key or secret and returns the function that signs.
        verifier: Takes the public key or secret and returns the function that verifies.
    """

    signer: Callable[[Any], Sign]
    verifier: Callable[[Any], Verify]

    @property
    def use(self) -> Literal["sig"]:
        """The JWK ``use`` that allows it."""
        return "sig"


class EncryptContent(Protocol):
    """Encrypts content under a key; returns the ciphertext and the tag that authenticates it and ``aad``."""

    def __call__(self, key: bytes, plaintext: bytes, /, *, iv: bytes, aad: bytes) -> tuple[bytes, bytes]: ...


class DecryptContent(Protocol):
    """Decrypts content; raises ``DecryptionError`` if the tag does not authenticate all of it."""

    def __call__(self, key: bytes, ciphertext: bytes, /, *, iv: bytes, tag: bytes, aad: bytes) -> bytes: ...


class ContentEncryption(msgspec.Struct, frozen=True, kw_only=True):
    """A row for the ``enc`` of JWE (RFC 7518 section 5): authenticated encryption of the content.

    Attributes:
        name: The registered name.
        key_size: Octets of the content encryption key.
        iv_size: Octets of the initialisation vector.
        tag_size: Octets of the authentication tag.
        encrypt: Encrypts the content.
        decrypt: Decrypts the content. The caller has checked the sizes of the key, the vector and the tag.
    """

    name: str
    key_size: int
    iv_size: int
    tag_size: int
    encrypt: EncryptContent
    decrypt: DecryptContent


class WrappedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A content encryption key on its way to one recipient.

    Attributes:
        cek: The content encryption key itself.
        encrypted_key: What the recipient gets of it; empty where both sides derive or share it.
        header: The header parameters that the recipient needs (``epk``, ``iv``, ``p2s``, …).
    """

    cek: bytes
    encrypted_key: bytes
    header: Mapping[str, Any]

    def __repr__(self) -> str:
        return "<WrappedKey>"  # the key itself belongs into no log


class EncryptKey(Protocol):
    """Wraps ``cek`` for the holder of ``key``, or a new one if it is ``None``. A direct row makes its own."""

    def __call__(
        self, key: Any, enc: ContentEncryption, /, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey: ...


class DecryptKey(Protocol):
    """Unwraps the content encryption key; raises ``DecryptionError``, or ``InvalidHeaderError`` for its parameters."""

    def __call__(
        self, key: Any, enc: ContentEncryption, /, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes: ...


class KeyEncryption(Algorithm, frozen=True, kw_only=True):
    """A row for the ``alg`` of JWE (RFC 7518 section 4): how the content encryption key reaches the recipient.

    Attributes:
        encrypt_key: Makes and wraps a content encryption key.
        decrypt_key: Unwraps a content encryption key.
        direct: Whether the key itself, or one derived from it, encrypts the content, so that there can be only one
            recipient.
        content: For the rows in which a shared secret encrypts the content: the one ``enc`` that the key is for.
        decrypt_only: Whether encrypting with it is refused.
        private_operations: The ``key_ops`` values (RFC 7517 section 4.3) of which one allows decryption.
        public_operations: Those of which one allows encryption.
    """

    encrypt_key: EncryptKey
    decrypt_key: DecryptKey
    direct: bool = False
    content: ContentEncryption | None = None
    decrypt_only: bool = False
    private_operations: frozenset[str]
    public_operations: frozenset[str]

    @property
    def use(self) -> Literal["enc"]:
        """The JWK ``use`` that allows it."""
        return "enc"

    @property
    def header_name(self) -> str:
        """The value of the ``alg`` header parameter: ``dir`` where a shared secret encrypts the content."""
        return self.name if self.content is None else "dir"
