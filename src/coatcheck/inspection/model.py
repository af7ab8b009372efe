"""The values of an inspection: what was read, and what is reported."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["Entry", "Finding", "HeaderView", "Part", "Reading", "Report", "Severity", "Weight"]

Severity = Literal["danger", "warning", "note"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One signature or recipient, with its headers.

    Attributes:
        protected: The parameters under the signature or authentication tag.
        unprotected: Those that anyone can change.
        segment: The protected header's text, as it stands under the signature.
        signature: The octets of the signature; ``None`` for a recipient.
    """

    protected: dict[str, Any]
    unprotected: dict[str, Any]
    segment: str
    signature: bytes | None

    @property
    def header(self) -> dict[str, Any]:
        """All parameters together, the protected ones first in line."""
        return {**self.unprotected, **self.protected}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A token taken apart.

    Attributes:
        encrypted: Whether it is a JWE.
        form: Its serialisation.
        length: Its characters.
        parts: Its signatures or recipients.
        body: The text that stands for the payload in the signing input; empty for a JWE.
        payload: The octets of the payload; ``None`` if it is encrypted or detached.
        claims: The payload, if it is a JSON object.
        segments: Characters of each part of the text.
        oddities: What a strict reader would have refused, in words.
    """

    encrypted: bool
    form: Literal["compact", "flattened JSON", "general JSON"]
    length: int
    parts: list[Part]
    body: str
    payload: bytes | None
    claims: dict[str, Any] | None
    segments: dict[str, int]
    oddities: list[str]

    @property
    def header(self) -> dict[str, Any]:
        """The header of the first signature or recipient."""
        return self.parts[0].header


class Entry(msgspec.Struct, frozen=True):
    """A header parameter or a claim, with its meaning in a few words."""

    name: str
    value: Any
    meaning: str


class HeaderView(msgspec.Struct, frozen=True, kw_only=True):
    """The header of one signature or recipient."""

    protected: list[Entry]
    unprotected: list[Entry]


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What the token weighs, in bytes, and the same for a session cookie.

    Attributes:
        token: The token.
        segments: Its parts, as they are encoded.
        authorization: The line of an ``Authorization`` header.
        cookie: The line of a ``Cookie`` header.
        session_cookie: That line with a session identifier of 43 characters.
        ratio: How many times the session cookie's line the token's is.
        megabytes_per_million: What a million requests carry, with the token and with the session identifier.
    """

    token: int
    segments: dict[str, int]
    authorization: int
    cookie: int
    session_cookie: int
    ratio: float
    megabytes_per_million: tuple[float, float]


class Finding(msgspec.Struct, frozen=True):
    """Something to know about the token, and what to do."""

    severity: Severity
    code: str
    message: str
    fix: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that an inspection shows.

    Attributes:
        verified: Always false: no signature was checked.
        kind: ``JWS`` or ``JWE``.
        form: Its serialisation.
        headers: One for each signature or recipient.
        claims: The payload, if it is a JSON object that can be read.
        meanings: Of the claims that are known here, what they mean.
        content: The payload, if it is anything else.
        weight: What it costs to carry.
        findings: What to know, and what to do.
    """

    verified: Literal[False] = False
    kind: Literal["JWS", "JWE"]
    form: str
    headers: list[HeaderView]
    claims: dict[str, Any] | None
    meanings: dict[str, str]
    content: str | None
    weight: Weight
    findings: list[Finding]
