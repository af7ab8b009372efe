"""The compact serialisation (RFC 7516 section 7.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._core import base64url
from ..compact import token_octets
from ..errors import MalformedTokenError
from ..header import parse_header
from ..json_serialization import encoded_header
from ..key import Key, the_key
from ..key_set import KeySet, as_key_set
from ..limits import DEFAULT_LIMITS, Limits, the_limits
from .model import DecryptedJWE
from .opening import Sealed, WorkBudget, check_headers, make_policy, open_sealed
from .sealing import check_octets, chosen_content, described, key_parameters, seal, wrapped_for

__all__ = ["decrypt", "encrypt"]


def encrypt(
    plaintext: bytes,
    key: Key,
    *,
    enc: str | None = None,
    typ: str | None = None,
    cty: str | None = None,
    header: Mapping[str, Any] | None = None,
    compress: bool = False,
) -> str:
    """Encrypt octets to a key.

    Args:
        plaintext: The octets.
        key: The recipient's public key, or a secret shared with the recipient.
        enc: The content encryption; unless given, the one the key is pinned to, or A256GCM.
        typ: The kind of token.
        cty: The kind of content, for example ``"JWT"``.
        header: Further protected parameters, ``apu``, ``apv`` and ``p2c`` among them.
        compress: Whether to compress first, which lets the length tell about the content.

    Raises:
        KeyUseError: If the key is not for encrypting, or for another ``enc``.
        ConfigurationError: If the header cannot be.
    """
    check_octets(plaintext, "plaintext")
    content = chosen_content(enc, [the_key(key)])
    common = described(content, typ=typ, cty=cty, header=header, compress=compress)
    parameters = {**key_parameters(key), **common}
    wrapped = wrapped_for(key, content, cek=None, header=parameters)
    protected = encoded_header({**parameters, **wrapped.header})
    sealed = seal(plaintext, wrapped.cek, content, aad=protected, compress=compress)
    parts = (wrapped.encrypted_key, sealed.iv, sealed.ciphertext, sealed.tag)
    return b".".join((protected, *map(base64url.encode_to_bytes, parts))).decode("ascii")


def decrypt(
    token: str | bytes,
    keys: Key | KeySet,
    *,
    enc: Collection[str] | None = None,
    understood: Collection[str] = (),
    max_decompressed: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> DecryptedJWE:
    """Decrypt a token.

    Args:
        token: The compact token.
        keys: The private keys or shared secrets. The token's header selects among them, and cannot name an algorithm
            that is not the key's own.
        enc: The content encryptions to accept; all of the table unless given.
        understood: The critical extensions that the caller will process.
        max_decompressed: The most octets that compressed content may have. Unless given, compression is refused.
        limits: How much to look at.

    Raises:
        TokenError: One of its kinds, if anything at all is wrong; ``DecryptionError`` never says what.
        KeyUseError: If the key is not for decrypting.
    """
    octets = token_octets(token, the_limits(limits).token)
    policy = make_policy(enc, understood=understood, max_decompressed=max_decompressed, limits=limits)
    if octets.count(b".") != 4:
        hint = " This one is signed, not encrypted." if octets.count(b".") == 2 else ""
        raise MalformedTokenError(f"An encrypted token has five parts, separated by periods.{hint}")
    protected, *segments = octets.split(b".")
    parameters = parse_header(protected, limits)
    header, content = check_headers(parameters, parameters, policy)
    encrypted_key, iv, ciphertext, tag = map(_decoded, segments)
    sealed = Sealed(iv=iv, ciphertext=ciphertext, tag=tag, aad=protected)
    plaintext, key = open_sealed(
        sealed,
        encrypted_key,
        header,
        enc=content,
        keys=as_key_set(keys),
        policy=policy,
        budget=WorkBudget(limits),
    )
    return DecryptedJWE(plaintext, header, key)


def _decoded(segment: bytes) -> bytes:
    try:
        return base64url.decode(segment)
    except base64url.Base64URLError:
        raise MalformedTokenError("A part of the token is not canonical base64url.") from None
