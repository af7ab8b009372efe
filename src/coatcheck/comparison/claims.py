"""The claims to compare with: the user's, read with suspicion, or a realistic few."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from .._core import json
from .errors import ClaimsError
from .model import ClaimSize, ClaimsUsed

__all__ = ["LARGEST_FILE", "Subject", "default_claims", "describe", "read_claims"]

LARGEST_FILE: Final = 65_536
"""The largest file of claims, in octets."""

_DEEPEST: Final = 16
_TIMES: Final = frozenset({"exp", "iat", "nbf"})
_TEXTS: Final = ("iss", "sub", "jti")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.:/#+-]{1,80}")
_KINDS: Final[dict[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
    list: "list",
    dict: "object",
    type(None): "null",
}
_PERSONAL_NAMES: Final = re.compile(
    r"(?:^|[^a-z])(e?mails?|(?:first|last|given|family|middle|nick|full|user|display|preferred_user)?_?names?|phones?"
    r"|phone_number|mobile|address|street|birth_?(?:date|day)|dob|gender|ssn|ip|ip_address|picture|photo|avatar"
    r"|nationality|iban|passport)(?:$|[^a-z])"
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"\+\d[\d ()-]{6,18}\d")
_ADDRESS: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_UNSHOWN: Final = "(a name that is not shown)"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of the tokens to be compared.

    Attributes:
        source: Where they are from.
        given: As they were given, without times: those are always new.
        times: Which of the times were among them.
    """

    source: Literal["a file", "the default"]
    given: dict[str, Any]
    times: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Subject from {self.source}: {len(self.given)} claims>"


def default_claims() -> Subject:
    """Return what an access token of an ordinary application says (RFC 9068, section 2.2), with a role and a name."""
    return Subject(
        source="the default",
        given={
            "iss": "https://id.example.com",
            "sub": "b9a3bd4c-3f1a-4f2e-9f42-0d3d6c1f6a55",
            "aud": "https://api.example.com",
            "client_id": "web",
            "scope": "orders:read orders:write profile",
            "roles": ["customer", "support"],
            "email": "ada@example.com",
            "name": "Ada Example",
        },
    )


def read_claims(octets: bytes) -> Subject:
    """Return the claims that a file has.

    Args:
        octets: Its content: one JSON object, in UTF-8.

    Raises:
        ClaimsError: If it is too large, not such an object, or names something twice, or if a registered claim is of a
            type that no verifier would take (RFC 7519, section 4.1).
    """
    if len(octets) > LARGEST_FILE:
        raise ClaimsError(
            f"The claims are larger than {LARGEST_FILE // 1024} KiB: no server takes such a token."
        )
    try:
        given = json.decode_object(octets.removeprefix(b"\xef\xbb\xbf"), max_depth=_DEEPEST)
    except json.JSONError as error:
        raise ClaimsError(f"The claims cannot be read: {error}. They are one JSON object.") from None
    for name in _TEXTS:
        if not isinstance(given.get(name, ""), str):
            raise ClaimsError(f"The claim {name!r} must be text.")
    if given.get("iss") == "":
        raise ClaimsError("The claim 'iss' is empty.")
    audience = given.get("aud", "x")
    names = audience if isinstance(audience, list) else [audience]
    if not names or not all(isinstance(each, str) and each for each in names):
        raise ClaimsError("The claim 'aud' must be text or a list of texts, and not empty.")
    return Subject(
        source="a file",
        given={name: value for name, value in given.items() if name not in _TIMES},
        times=_TIMES.intersection(given),
    )


def describe(subject: Subject, written: Mapping[str, Any]) -> ClaimsUsed:
    """Return what is told of claims: names, sizes, and which look personal. No value is among it.

    Args:
        subject: The claims that were given.
        written: Those of a token that was made of them.
    """
    return ClaimsUsed(
        source=subject.source,
        octets=len(json.encode(dict(written))),
        claims=tuple(
            ClaimSize(
                name=_shown(name),
                octets=len(json.encode({name: value})) - 1,  # without the braces, with a comma
                kind=_KINDS.get(type(value), "text"),
                given=name in subject.given or name in subject.times,
                personal=_why_personal(name, value),
            )
            for name, value in written.items()
        ),
    )


def _shown(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) and not _looks_personal(name) else _UNSHOWN


def _why_personal(name: str, value: Any) -> str | None:
    """Say why a claim looks personal. The identifier of a user alone does not: it says nothing to others."""
    if _looks_personal(name):
        return "its name looks personal"
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if _PERSONAL_NAMES.search(spaced):
        return "its name says so"
    return "its value looks so" if any(map(_looks_personal, _texts(value))) else None


def _looks_personal(text: str) -> bool:
    if "://" in text:
        return False
    return any(pattern.search(text) for pattern in (_EMAIL, _PHONE, _ADDRESS))


def _texts(value: Any) -> list[str]:
    """Return all texts in a value. It is not nested deeply: that was checked."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (key, *_texts(each))]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []
