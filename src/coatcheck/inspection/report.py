"""Putting a report together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..jose.errors import JOSEError, WeakKeyError
from .claim_findings import claim_findings
from .content_findings import content_findings
from .header_findings import header_findings
from .key_text import KeyText
from .meanings import claim_meanings
from .model import Entry, Finding, HeaderView, Reading, Report
from .reading import read
from .secret_findings import secret_findings
from .vocabulary import parameter_words
from .weighing import LARGEST_COOKIE, LARGEST_HEADERS, weigh
from .wording import in_commands

__all__ = ["inspect"]

_SEVERITIES = ("danger", "warning", "note")
_LARGEST_SHOWN = 4_096
_HEAVY = 3_072


def inspect(text: str, now: float, *, key: KeyText | None = None) -> Report:
    """Look into a token.

    Args:
        text: The token, compact or as JSON.
        now: The time that spans are told from, in seconds since 1970.
        key: The key that the token is said to be signed with; it is judged, not used.

    Raises:
        MalformedTokenError: If it is no token.
    """
    reading = read(text)
    findings = [*_findings(reading, now), *([] if key is None else _key_findings(key, reading))]
    unique = {(finding.code, finding.message): finding for finding in findings}
    return Report(
        kind="JWE" if reading.encrypted else "JWS",
        form=reading.form,
        headers=[_header_view(part.protected, part.unprotected) for part in reading.parts],
        claims=reading.claims,
        meanings=claim_meanings(reading.claims or {}, now),
        content=_content(reading),
        weight=weigh(reading),
        findings=sorted(unique.values(), key=lambda finding: _SEVERITIES.index(finding.severity)),
    )


def _header_view(protected: Mapping[str, Any], unprotected: Mapping[str, Any]) -> HeaderView:
    return HeaderView(
        protected=[Entry(name, value, parameter_words(name, value)) for name, value in protected.items()],
        unprotected=[Entry(name, value, parameter_words(name, value)) for name, value in unprotected.items()],
    )


def _content(reading: Reading) -> str | None:
    """Return a payload that is no JSON object, as text; of binary content only its size."""
    if reading.payload is None or reading.claims is not None:
        return None
    try:
        text = reading.payload.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(reading.payload):,} bytes of binary content)"
    return text if len(text) <= _LARGEST_SHOWN else f"{text[:_LARGEST_SHOWN]}…"


def _findings(reading: Reading, now: float) -> Iterator[Finding]:
    for oddity in reading.oddities:
        yield Finding(
            "warning", "not_canonical", oddity, "Refuse it: strict verifiers do, and others may be fooled."
        )
    if len(reading.parts) > 1:
        what = "recipients" if reading.encrypted else "signatures"
        yield Finding(
            "note",
            "several",
            f"It has {len(reading.parts)} {what}.",
            "Make sure that each reader checks the one that it means.",
        )
    yield from secret_findings(reading)
    yield from header_findings(reading)
    yield from claim_findings(reading, now)
    yield from content_findings(reading)
    yield from _size_findings(reading)


def _size_findings(reading: Reading) -> Iterator[Finding]:
    fix = "Carry less in it, or hand out a session identifier and keep the rest on the server."
    if reading.length > LARGEST_HEADERS:
        message = f"It is larger than the {LARGEST_HEADERS:,} bytes that many servers take as headers."
        yield Finding("danger", "too_large_for_headers", message, fix)
    elif reading.length > LARGEST_COOKIE:
        message = f"It is larger than the {LARGEST_COOKIE:,} bytes that browsers take as a cookie."
        yield Finding("warning", "too_large_for_cookie", message, fix)
    elif reading.length > _HEAVY:
        message = f"It comes near the {LARGEST_COOKIE:,} bytes that browsers take as a cookie."
        yield Finding("note", "near_cookie_limit", message, fix)


def _key_findings(key: KeyText, reading: Reading) -> Iterator[Finding]:
    """Judge the key that was given along. Only its strength and fitness: nothing is verified."""
    alg = reading.header.get("alg")
    try:
        # Pinned to the token's algorithm just to hear whether the key would be strong enough for that.
        key.pinned(alg) if isinstance(alg, str) and alg in key.fitting else key.key(None, use=None)
    except WeakKeyError as error:
        yield Finding(
            "danger", "weak_key", f"The key given is weak. {in_commands(error.message)}", "Make a new key."
        )
    except JOSEError as error:
        yield Finding(
            "warning",
            "unusable_key",
            f"The key given cannot be used. {in_commands(error.message)}",
            "Check the key.",
        )
    else:
        if isinstance(alg, str) and key.fitting and alg not in key.fitting:
            yield Finding(
                "warning",
                "other_key",
                "The key given is of a type that does not fit the token's algorithm.",
                "Use the key that the issuer signs with.",
            )
