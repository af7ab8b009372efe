"""The flattened and general JSON serialisations (RFC 7516 section 7.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ..._core import base64url
from ..algorithms import ContentEncryption, KeyEncryption
from ..errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    DecryptionError,
    InvalidHeaderError,
    NoMatchingKeyError,
    TokenError,
)
from ..header import Header, frozen
from ..json_serialization import (
    encoded_header,
    joined,
    object_member,
    octets_member,
    read_object,
    segment_member,
    unflattened,
)
from ..key import Key
from ..key_set import KeySet, as_key_set
from ..limits import DEFAULT_LIMITS, Limits
from .model import DecryptedJWE
from .opening import Policy, Sealed, WorkBudget, check_headers, check_iterations, make_policy, open_sealed
from .sealing import check_octets, chosen_content, described, key_parameters, seal, wrapped_for

__all__ = ["decrypt_json", "encrypt_json"]


def encrypt_json(
    plaintext: bytes,
    recipients: Key | Sequence[Key],
    *,
    enc: str | None = None,
    aad: bytes | None = None,
    typ: str | None = None,
    cty: str | None = None,
    header: Mapping[str, Any] | None = None,
    flattened: bool | None = None,
    compress: bool = False,
) -> dict[str, Any]:
    """Encrypt octets to one key or several.

    Args:
        plaintext: The octets.
        recipients: The public keys or shared secrets. ``dir`` and ``ECDH-ES`` alone allow just one.
        enc: The content encryption; unless given, the one a key is pinned to, or A256GCM.
        aad: Octets that travel in the clear and are authenticated.
        typ: The kind of token.
        cty: The kind of content.
        header: Further protected parameters.
        flattened: Which syntax; unless given, flattened for one recipient that is not in a sequence.
        compress: Whether to compress first, which lets the length tell about the content.

    Raises:
        KeyUseError: If a key is not for encrypting, or for another ``enc``.
        ConfigurationError: If the recipients or the header cannot be.
    """
    check_octets(plaintext, "plaintext")
    keys = _recipients(recipients)
    flat = isinstance(recipients, Key) if flattened is None else flattened
    if flat and len(keys) != 1:
        raise ConfigurationError("The flattened syntax has exactly one recipient.")
    content = chosen_content(enc, keys)
    common = described(content, typ=typ, cty=cty, header=header, compress=compress)
    protected = encoded_header(common)
    cek, entries = _wrap_for_all(keys, content, common)
    token: dict[str, Any] = {"protected": protected.decode("ascii")}
    aad_segment = None
    if aad is not None:
        check_octets(aad, "additional authenticated data")
    if aad:  # RFC 7516 section 7.2.1: empty data must be absent
        aad_segment = base64url.encode_to_bytes(aad)
        token["aad"] = aad_segment.decode("ascii")
    sealed = seal(plaintext, cek, content, aad=_authenticated(protected, aad_segment), compress=compress)
    token.update(
        iv=base64url.encode(sealed.iv),
        ciphertext=base64url.encode(sealed.ciphertext),
        tag=base64url.encode(sealed.tag),
    )
    return {**token, **entries[0]} if flat else {**token, "recipients": entries}


def decrypt_json(
    token: Mapping[str, Any] | str | bytes,
    keys: Key | KeySet,
    *,
    enc: Collection[str] | None = None,
    understood: Collection[str] = (),
    max_decompressed: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> DecryptedJWE:
    """Decrypt a token in flattened or general syntax, as the first of its recipients that a key is for.

    Args:
        token: The token, as a mapping or as JSON.
        keys: The private keys or shared secrets.
        enc: The content encryptions to accept; all of the table unless given.
        understood: The critical extensions that the caller will process.
        max_decompressed: The most octets that compressed content may have. Unless given, compression is refused.
        limits: How much to look at.

    Raises:
        TokenError: One of its kinds, if anything at all is wrong; ``DecryptionError`` never says what.
        KeyUseError: If a key is not for decrypting.
    """
    members = read_object(token, limits)
    policy = make_policy(enc, understood=understood, max_decompressed=max_decompressed, limits=limits)
    entries = unflattened(members, "recipients", parts=("header", "encrypted_key"), limits=limits)
    key_set = as_key_set(keys)
    protected = segment_member(members, "protected", limits)
    aad_segment = segment_member(members, "aad", limits) if "aad" in members else None
    sealed = Sealed(
        iv=octets_member(members, "iv", limits),
        ciphertext=octets_member(members, "ciphertext", limits),
        tag=octets_member(members, "tag", limits),
        aad=_authenticated(protected, aad_segment),
    )
    aad = None if aad_segment is None else octets_member(members, "aad", limits)
    received = [_read_recipient(members, entry, segment=protected, policy=policy) for entry in entries]
    if len({entry.enc.name for entry in received}) != 1:
        raise InvalidHeaderError("The recipients do not agree on 'enc' (RFC 7516 section 7.2.1).")
    if len(received) > 1 and any(entry.header.alg in {"dir", "ECDH-ES"} for entry in received):
        raise InvalidHeaderError(
            "'dir' and 'ECDH-ES' alone allow exactly one recipient (RFC 7516 section 5.1)."
        )
    check_iterations([entry.header for entry in received], limits)
    budget = WorkBudget(limits)
    refused: TokenError = DecryptionError()
    for entry in received:
        try:
            plaintext, key = open_sealed(
                sealed,
                entry.encrypted_key,
                entry.header,
                enc=entry.enc,
                keys=key_set,
                policy=policy,
                budget=budget,
            )
        except (NoMatchingKeyError, AlgorithmMismatchError, DecryptionError) as error:
            refused = error
        else:
            # What anyone could have changed is kept apart from what was authenticated.
            authentic = Header({"alg": entry.header.alg, **entry.protected})
            return DecryptedJWE(plaintext, authentic, key, aad, frozen(entry.unprotected))
    raise refused


def _recipients(recipients: object) -> list[Key]:
    entries = list(recipients) if isinstance(recipients, (list, tuple)) else [recipients]
    keys = [entry for entry in entries if isinstance(entry, Key)]
    if not keys or len(keys) != len(entries):
        raise ConfigurationError("Recipients are given as a Key or a list of keys that is not empty.")
    if len(keys) > 1 and any(
        isinstance(key.algorithm, KeyEncryption) and key.algorithm.direct for key in keys
    ):
        raise ConfigurationError(
            "'dir' and 'ECDH-ES' alone allow exactly one recipient (RFC 7516 section 5.1)."
        )
    return keys


def _wrap_for_all(
    keys: list[Key], content: ContentEncryption, common: Mapping[str, Any]
) -> tuple[bytes, list[dict[str, Any]]]:
    """Make one content encryption key, and for each recipient the entry that carries it."""
    cek: bytes | None = None
    entries = []
    for key in keys:
        parameters = key_parameters(key)
        wrapped = wrapped_for(key, content, cek=cek, header={**common, **parameters})
        cek = wrapped.cek
        # What is common to all stands in the protected header, and may not stand twice.
        own = {name: value for name, value in wrapped.header.items() if name not in common}
        entry: dict[str, Any] = {"header": {**parameters, **own}}
        if wrapped.encrypted_key:
            entry["encrypted_key"] = base64url.encode(wrapped.encrypted_key)
        entries.append(entry)
    assert cek is not None  # noqa: S101 - there is at least one key
    return cek, entries


class _Received(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a received token, read and checked but not decrypted."""

    header: Header
    protected: Mapping[str, Any]
    unprotected: Mapping[str, Any]
    enc: ContentEncryption
    encrypted_key: bytes


def _read_recipient(
    members: Mapping[str, Any], entry: Mapping[str, Any], *, segment: bytes, policy: Policy
) -> _Received:
    shared, own = object_member(members, "unprotected"), object_member(entry, "header")
    protected, parameters = joined(segment, shared, own, limits=policy.limits)
    header, enc = check_headers(protected, parameters, policy)
    encrypted_key = octets_member(entry, "encrypted_key", policy.limits)
    return _Received(
        header=header,
        protected=protected,
        unprotected={**shared, **own},
        enc=enc,
        encrypted_key=encrypted_key,
    )


def _authenticated(protected: bytes, aad_segment: bytes | None) -> bytes:
    """Return what is authenticated beside the ciphertext (RFC 7516 section 5.1 step 14)."""
    return protected if aad_segment is None else protected + b"." + aad_segment
