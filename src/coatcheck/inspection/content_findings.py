"""Warnings about what should not be readable in a signed token, which hides nothing: secrets and personal data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .model import Finding, Reading

__all__ = ["content_findings"]

_MOST_LISTED = 8
_LONGEST_SEARCHED = 4_096
_LONGEST_PATH = 80

_SECRET_NAMES = re.compile(
    r"pass(?:word|wd|phrase|code)|pwd|(?:client_|shared_)?secret(?:_?key)?|api_?key|private_?key|access_?key|(?:access|refresh|id|auth)_?token"
    r"|credentials?|cvv|cvc|pin(?:_?code)?|otp|seed_?phrase|mnemonic"
)
_PERSONAL_NAMES = re.compile(
    r"e?_?mail|email_?address|phone(?:_?number)?|mobile|birth_?(?:date|day)|date_?of_?birth|dob|(?:street_?)?address"
    r"|ssn|social_?security(?:_?number)?|national_?id|passport(?:_?number)?|tax_?id|(?:credit_?)?card(?:_?number)?"
    r"|iban|gender|nationality|religion|diagnosis|(?:given|family|middle|first|last|full)_?name|name"
)
_SECRET_VALUES = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("another token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")),
    ("an API key", re.compile(r"\b(?:sk_live_|rk_live_|ghp_|github_pat_|glpat-|xox[abprs]-)[\w-]{10,}")),
)
_DIGITS = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]{1,64}(?:\.[^\s@.]{1,64}){1,8}")


def content_findings(reading: Reading) -> Iterator[Finding]:
    """Yield what in a readable payload looks like a secret, or tells about a person."""
    if reading.claims is None:
        return
    secrets: list[str] = []
    personal: list[str] = []
    for path, name, value in _leaves(reading.claims):
        what = _secret(name, value)
        if what is not None:
            secrets.append(f"{path} ({what})")
            continue
        what = _personal(name, value)
        if what is not None:
            personal.append(f"{path} ({what})" if what else path)
    if secrets:
        yield Finding(
            "danger",
            "secret_in_payload",
            f"It seems to hold secrets, readable for everybody who sees it: {_listed(secrets)}.",
            "Take them out and replace them. A signature hides nothing.",
        )
    if personal:
        yield Finding(
            "warning",
            "personal_data",
            f"It holds what may be personal data, readable for everybody who sees it: {_listed(personal)}.",
            "Leave it out and look it up by 'sub', or encrypt the token.",
        )


def _listed(paths: list[str]) -> str:
    more = len(paths) - _MOST_LISTED
    return ", ".join(paths[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _leaves(claims: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield path, name and value of everything in the claims that is no object or list, without recursion."""
    pending: list[tuple[str, str, Any]] = [
        (_shown(name), name, value) for name, value in reversed(claims.items())
    ]
    while pending:
        path, name, value = pending.pop()
        if isinstance(value, dict):
            # Lists of objects keep the list's name; an object's members have their own.
            pending.extend(
                (f"{path}.{_shown(member)}"[: 2 * _LONGEST_PATH], member, item)
                for member, item in reversed(value.items())
            )
        elif isinstance(value, list):
            pending.extend((path, name, item) for item in reversed(value))
        else:
            yield path[:_LONGEST_PATH], name, value


def _shown(name: str) -> str:
    """Return the name of a member, unless it is itself what should not be shown: a map may have secrets for keys."""
    start = name[:_LONGEST_SEARCHED]
    is_secret = any(pattern.search(start) for _, pattern in _SECRET_VALUES) or _EMAIL.fullmatch(start)
    return "…" if is_secret else name


def _secret(name: str, value: Any) -> str | None:
    if isinstance(value, str):
        for what, pattern in _SECRET_VALUES:
            if pattern.search(value[:_LONGEST_SEARCHED]):
                return what
    if _SECRET_NAMES.fullmatch(_plain(name)) and value not in {None, True, False, ""}:
        return "by its name"
    return None


def _personal(name: str, value: Any) -> str | None:
    """Say what kind of personal data it is; the empty string if its name says it."""
    if value is None or value is True or value is False or value == "":
        return None
    text = str(value)[:_LONGEST_SEARCHED] if isinstance(value, (str, int)) else ""
    if any(_is_card_number(found[0]) for found in _DIGITS.finditer(text)):
        return "a card number"
    if any(_is_iban(found[0]) for found in _IBAN.finditer(text)):
        return "a bank account"
    if _PERSONAL_NAMES.fullmatch(_plain(name)):
        return ""
    if _EMAIL.fullmatch(text):
        return "an e-mail address"
    return None


def _plain(name: str) -> str:
    """``apiKey``, ``API-KEY`` and ``https://example.com/api_key`` are all ``api_key``."""
    last = name.rpartition("/")[2][:64]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).replace("-", "_").replace(" ", "_").lower()


def _is_card_number(text: str) -> bool:
    """Check the last digit of a payment card's number (ISO/IEC 7812, Luhn)."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return digits[0] in {2, 3, 4, 5, 6} and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Check the two digits of an account number (ISO 13616)."""
    compact = text.replace(" ", "")
    rotated = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in rotated)) % 97 == 1
