"""Warnings about headers, algorithms and keys (RFC 8725 and its revision)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..jose import Key
from ..jose.algorithms import CONTENT_ENCRYPTION, KEY_ENCRYPTION, SIGNATURE
from ..jose.errors import JOSEError, WeakKeyError
from .model import Finding, Part, Reading
from .wording import in_commands

__all__ = ["header_findings"]

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "priv"})
_LONGEST_KID = 256
_INJECTION = re.compile(
    r"""
    \.\./ | \.\.\\ | ^[/\\~] | ^[a-z][a-z0-9+.-]*://         # paths and URLs
    | ['"`;|<>\\\x00-\x1f\x7f] | \$[({] | --\s | \{\{          # quotes, shells, templates
    | \b(?:union|select|insert|drop|sleep)\b.*\b(?:select|from|into|table)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MOST_ROUNDS, _FEWEST_ROUNDS, _ADVISED_ROUNDS = 1_200_000, 1_000, 600_000

_FETCHED = {
    "jku": "where its keys are",
    "x5u": "where its certificate is",
}
_BROUGHT = {"jwk": "key", "x5c": "certificate chain"}


def header_findings(reading: Reading) -> Iterator[Finding]:
    """Yield what is to be said about each signature's or recipient's header."""
    for part in reading.parts:
        yield from _algorithm(part, encrypted=reading.encrypted)
        yield from _type(part.header, encrypted=reading.encrypted)
        yield from _keys(part.header)
        yield from _kid(part.header.get("kid"))
        yield from _extensions(part)
        yield from _password_rounds(part.header)


def _algorithm(part: Part, *, encrypted: bool) -> Iterator[Finding]:
    alg = part.header.get("alg")
    if isinstance(alg, str) and alg.lower() == "none":
        yield Finding(
            "danger",
            "unsigned",
            "It is not signed ('alg' is none): anyone can have written every word of it.",
            "Refuse it. Accept only tokens signed by a key that you chose.",
        )
        return
    if not encrypted and not part.signature:
        yield Finding(
            "danger",
            "no_signature",
            "The signature is empty, although the header names an algorithm.",
            "Refuse it. Somebody cut the signature off.",
        )
    if "alg" in part.unprotected and "alg" not in part.protected:
        yield Finding(
            "warning",
            "unprotected_algorithm",
            "The algorithm is named outside of the protected header, where anyone can change it.",
            "Put 'alg' into the protected header.",
        )
    yield from _deprecated(alg, encrypted=encrypted)
    enc = part.header.get("enc")
    if encrypted and not (isinstance(enc, str) and enc in CONTENT_ENCRYPTION):
        yield Finding(
            "warning",
            "unknown_encryption",
            "The content encryption ('enc') is missing or unknown.",
            f"Use one of {', '.join(CONTENT_ENCRYPTION)}.",
        )


def _deprecated(alg: object, *, encrypted: bool) -> Iterator[Finding]:
    known = (*KEY_ENCRYPTION, "dir") if encrypted else (*SIGNATURE,)
    if alg not in known:
        yield Finding(
            "warning",
            "unknown_algorithm",
            "The algorithm ('alg') is missing or unknown here.",
            "Use ES256 or Ed25519 to sign, ECDH-ES+A256KW to encrypt.",
        )
    elif alg == "EdDSA":
        yield Finding(
            "warning",
            "deprecated_algorithm",
            "The name EdDSA is deprecated: it does not say which curve (RFC 9864).",
            "Use the name Ed25519 or Ed448.",
        )
    elif alg == "RSA1_5":
        yield Finding(
            "danger",
            "deprecated_algorithm",
            "RSA1_5 is deprecated: error messages or timing can betray the content.",
            "Encrypt with RSA-OAEP-256 or ECDH-ES+A256KW.",
        )
    elif str(alg).startswith("RS") and not encrypted:
        yield Finding(
            "note",
            "rsa_pkcs1",
            f"{alg} signs with PKCS#1 v1.5, which FAPI 2.0 and ASVS 5.0 appendix C disallow.",
            "Use PS256, ES256 or Ed25519 wherever both sides can.",
        )


def _type(header: Mapping[str, Any], *, encrypted: bool) -> Iterator[Finding]:
    typ = header.get("typ")
    if encrypted or (isinstance(typ, str) and typ.lower().removeprefix("application/") != "jwt"):
        return
    missing = typ is None
    yield Finding(
        "note",
        "no_type" if missing else "generic_type",
        f"The type ('typ') {'is missing' if missing else 'says only JWT'}: one kind of token can pass for another.",
        "State the kind, for example at+jwt for access tokens (RFC 8725 section 3.11).",
    )


def _keys(header: Mapping[str, Any]) -> Iterator[Finding]:
    for name, what in _FETCHED.items():
        if name in header:
            yield Finding(
                "danger",
                f"remote_key_{name}",
                f"The token itself says {what} ('{name}'). Whoever made it chose that address.",
                "Never fetch it. Take keys only from the issuer that you configured.",
            )
    for name, what in _BROUGHT.items():
        if name in header:
            yield Finding(
                "warning",
                f"embedded_{name}",
                f"The token brings its own {what} ('{name}'): its signature proves nothing by itself.",
                "Trust it only where a protocol binds that key to somebody, as DPoP does.",
            )
    jwk = header.get("jwk")
    if isinstance(jwk, dict):
        yield from _embedded_key(jwk, header.get("alg"))


def _embedded_key(jwk: dict[str, Any], alg: object) -> Iterator[Finding]:
    if _PRIVATE_MEMBERS & jwk.keys():
        yield Finding(
            "danger",
            "private_key_in_header",
            "The key in the header is a private one: everybody who sees the token has it.",
            "Replace that key now, and put only the public key into headers.",
        )
    try:
        Key.from_jwk(jwk, alg=alg if isinstance(alg, str) else None)
    except WeakKeyError as error:
        yield Finding(
            "danger",
            "weak_key",
            f"The key in the header is weak. {in_commands(error.message)}",
            "Make a new key.",
        )
    except JOSEError as error:
        yield Finding(
            "warning",
            "unusable_key",
            f"The key in the header cannot be used. {in_commands(error.message)}",
            "Refuse the token.",
        )


def _kid(kid: object) -> Iterator[Finding]:
    if kid is None:
        return
    if not isinstance(kid, str):
        yield Finding(
            "warning",
            "kid_type",
            "The key identifier ('kid') is no text.",
            "Refuse the token (RFC 7515 section 4.1.4).",
        )
    elif len(kid) > _LONGEST_KID or _INJECTION.search(kid[:_LONGEST_KID]):
        yield Finding(
            "danger",
            "kid_injection",
            "The key identifier ('kid') looks like a path, a URL or a piece of code rather than a name.",
            "Only ever compare it with the names of keys that you have. Never build a path or a query with it.",
        )


def _extensions(part: Part) -> Iterator[Finding]:
    header = part.header
    if "crit" in header:
        yield Finding(
            "note",
            "critical",
            "It demands that extensions be understood ('crit'); whoever does not must refuse it.",
            "Make sure that every verifier knows them, and that none ignores 'crit'.",
        )
    if "crit" in part.unprotected:
        yield Finding(
            "warning",
            "unprotected_critical",
            "'crit' stands outside of the protected header, where anyone can remove it.",
            "Refuse the token (RFC 7515 section 4.1.11).",
        )
    if "zip" in header:
        yield Finding(
            "warning",
            "compressed",
            "The content is compressed: its length tells about it, and a small token can grow huge.",
            "Do not compress. Where you must read such tokens, limit how large they may grow.",
        )
    if header.get("b64") is False:
        yield Finding(
            "note",
            "unencoded",
            "The payload is signed as it is, without base64url (RFC 7797), which a JWT must not be.",
            "Leave 'b64' out, unless the payload is detached and large.",
        )


def _password_rounds(header: Mapping[str, Any]) -> Iterator[Finding]:
    if "p2c" not in header:
        return
    rounds = header["p2c"]
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < _FEWEST_ROUNDS:
        yield Finding(
            "danger",
            "few_rounds",
            "The rounds of password hashing ('p2c') are too few, or no number.",
            f"Use {_ADVISED_ROUNDS:,}.",
        )
    elif rounds > _MOST_ROUNDS:
        yield Finding(
            "danger",
            "many_rounds",
            f"It demands more rounds of password hashing ('p2c') than {_MOST_ROUNDS:,}, to keep servers busy.",
            "Refuse it; coatcheck does.",
        )
    elif rounds < _ADVISED_ROUNDS:
        yield Finding(
            "note",
            "moderate_rounds",
            f"The password is hashed with {rounds:,} rounds ('p2c').",
            f"Use {_ADVISED_ROUNDS:,} or more.",
        )
