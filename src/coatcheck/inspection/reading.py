"""Taking a token apart leniently (RFC 7515 sections 3 and 7, RFC 7516 sections 3 and 7), and noting every leniency."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from typing import Any, Literal

from .._core import base64url
from .._core.json import nests_deeper_than
from ..jose.errors import MalformedTokenError
from .model import Part, Reading

__all__ = ["read"]

_DEEPEST = 64
_MOST_PARTS = 16
_LENIENT = re.compile(r"[A-Za-z0-9_\-+/]*={0,2}")
_JWS_NAMES = ("header", "payload", "signature")
_JWE_NAMES = ("header", "encrypted key", "initialisation vector", "ciphertext", "tag")


def read(text: str) -> Reading:
    """Take a token apart.

    Raises:
        MalformedTokenError: If it is no token: not of three or five parts, nor JSON of one, or without a header.
    """
    oddities: list[str] = []
    if text.startswith("{"):
        return _read_json(text, oddities)
    segments = text.split(".")
    if len(segments) not in {3, 5}:
        raise MalformedTokenError(_why_not_compact(text, len(segments)))
    protected = _header(segments[0], oddities)
    if len(segments) == 5:
        return _read_jwe(text, protected, oddities)
    signature = _octets(segments[2], "signature", oddities)
    part = Part(protected=protected, unprotected={}, segment=segments[0], signature=signature)
    return _signed("compact", text, parts=[part], body=segments[1], oddities=oddities)


def _why_not_compact(text: str, count: int) -> str:
    if "-----BEGIN " in text:
        return "This is a key or a certificate in PEM, not a token: coatcheck key show reads it."
    if re.search(r"\s", text):
        return "This is no token: there is white space inside."
    parts = "1 part" if count == 1 else f"{count} parts"
    return f"This is no token: it has {parts}. A signed token has three and an encrypted one five."


def _read_jwe(text: str, protected: dict[str, Any], oddities: list[str]) -> Reading:
    segments = text.split(".")
    for name, segment in zip(_JWE_NAMES[1:], segments[1:], strict=True):
        _octets(segment, name, oddities)
    return Reading(
        encrypted=True,
        form="compact",
        length=len(text),
        parts=[Part(protected=protected, unprotected={}, segment=segments[0], signature=None)],
        body="",
        payload=None,
        claims=None,
        segments={name: len(segment) for name, segment in zip(_JWE_NAMES, segments, strict=True)},
        oddities=oddities,
    )


def _signed(
    form: Literal["compact", "flattened JSON", "general JSON"],
    text: str,
    *,
    parts: list[Part],
    body: str | None,
    oddities: list[str],
) -> Reading:
    unencoded = any(part.header.get("b64") is False for part in parts)
    detached = body is None or (body == "" and form == "compact")
    payload = None
    if not detached and body is not None:
        payload = body.encode("utf-8", "replace") if unencoded else _octets(body, "payload", oddities)
    return Reading(
        encrypted=False,
        form=form,
        length=len(text),
        parts=parts,
        body=body or "",
        payload=payload,
        claims=None if payload is None else _claims(payload, oddities),
        segments={
            "header": sum(len(part.segment) for part in parts),
            "payload": len(body or ""),
            "signature": sum(len(base64url.encode(part.signature or b"")) for part in parts),
        },
        oddities=oddities,
    )


def _read_json(text: str, oddities: list[str]) -> Reading:
    members = _object(text, "token", oddities)
    if members is None:
        raise MalformedTokenError("This is no token: it begins like JSON, but is none that can be read.")
    if "kty" in members or "keys" in members:
        raise MalformedTokenError("This is a key, not a token: coatcheck key show reads it.")
    if "ciphertext" in members:
        return _read_json_jwe(text, members, oddities)
    if "signature" not in members and "signatures" not in members:
        raise MalformedTokenError("This is JSON, but no token: it has neither a signature nor a ciphertext.")
    entries = _entries(members, "signatures")
    parts = [_json_part(entry, members, oddities, signed=True) for entry in entries]
    body = members.get("payload")
    if body is not None and not isinstance(body, str):
        raise MalformedTokenError("The token's member 'payload' is no string.")
    form: Literal["general JSON", "flattened JSON"] = (
        "general JSON" if "signatures" in members else "flattened JSON"
    )
    return _signed(form, text, parts=parts, body=body, oddities=oddities)


def _read_json_jwe(text: str, members: dict[str, Any], oddities: list[str]) -> Reading:
    entries = _entries(members, "recipients")
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag", "aad")
    return Reading(
        encrypted=True,
        form="general JSON" if "recipients" in members else "flattened JSON",
        length=len(text),
        parts=[_json_part(entry, members, oddities, signed=False) for entry in entries],
        body="",
        payload=None,
        claims=None,
        segments={name: len(members[name]) for name in names if isinstance(members.get(name), str)},
        oddities=oddities,
    )


def _entries(members: dict[str, Any], plural: str) -> list[dict[str, Any]]:
    entries = members.get(plural, [members])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise MalformedTokenError(f"The token's member {plural!r} is no list of objects.")
    if len(entries) > _MOST_PARTS:
        raise MalformedTokenError(f"The token has more than {_MOST_PARTS} {plural}.")
    return entries


def _json_part(entry: dict[str, Any], members: dict[str, Any], oddities: list[str], *, signed: bool) -> Part:
    segment = (entry if signed else members).get("protected", "")
    unprotected = entry.get("header", {})
    shared = {} if signed else members.get("unprotected", {})
    signature = entry.get("signature", "") if signed else ""
    if not (isinstance(segment, str) and isinstance(signature, str)):
        raise MalformedTokenError("The token's members 'protected' and 'signature' are no strings.")
    if not (isinstance(unprotected, dict) and isinstance(shared, dict)):
        raise MalformedTokenError("The token's unprotected header is no object.")
    protected = _header(segment, oddities) if segment else {}
    twice = sorted(protected.keys() & (unprotected.keys() | shared.keys()))
    oddities.extend(f"The header parameter {name!r} stands in two headers." for name in twice)
    return Part(
        protected=protected,
        unprotected={**shared, **unprotected},
        segment=segment,
        signature=_octets(signature, "signature", oddities) if signed else None,
    )


def _header(segment: str, oddities: list[str]) -> dict[str, Any]:
    octets = _octets(segment, "header", oddities)
    header = _object(octets.decode("utf-8", "replace"), "header", oddities)
    if header is None:
        raise MalformedTokenError("This is no token: its header is no JSON object.")
    return header


def _claims(payload: bytes, oddities: list[str]) -> dict[str, Any] | None:
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return _object(text, "payload", oddities)


def _octets(segment: str, name: str, oddities: list[str]) -> bytes:
    """Decode base64url, strictly if possible. Raises ``MalformedTokenError`` if not even leniently."""
    try:
        return base64url.decode(segment.encode("ascii"))
    except ValueError:
        pass
    if not _LENIENT.fullmatch(segment):
        raise MalformedTokenError(f"This is no token: its {name} is not base64url.")
    text = segment.rstrip("=").translate(str.maketrans("+/", "-_"))
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise MalformedTokenError(f"This is no token: its {name} is cut off, or not base64url.") from None
    oddities.append(f"The {name} is not canonical base64url (padding, the other alphabet or stray bits).")
    return octets


def _object(text: str, name: str, oddities: list[str]) -> dict[str, Any] | None:
    """Parse a JSON object, the last of equal names standing; ``None`` if it is none."""
    if not text.lstrip().startswith("{") or nests_deeper_than(text.encode("utf-8", "replace"), _DEEPEST):
        return None
    repeated: list[str] = []
    constants: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            counts = Counter(member for member, _ in pairs)
            repeated.extend(member for member, count in counts.items() if count > 1)
        return members

    try:
        value = json.loads(text, object_pairs_hook=collect, parse_constant=constants.append)
    except (ValueError, RecursionError):
        return None
    if repeated:
        listed = ", ".join(repr(member[:40]) for member in dict.fromkeys(repeated))
        oddities.append(f"The {name} repeats the member {listed}: readers disagree on which one counts.")
    if constants:
        oddities.append(f"The {name} holds {constants[0]}, which is no JSON.")
    return value if isinstance(value, dict) else None
