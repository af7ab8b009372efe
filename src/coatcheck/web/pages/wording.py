"""Words for what programs know as numbers: HTTP statuses and the methods of RFC 8176."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

__all__ = [
    "describe_actor",
    "describe_claims",
    "describe_methods",
    "describe_openid_scope",
    "describe_reason",
    "describe_wait",
    "problem_words",
]

_PROBLEMS: dict[int, tuple[str, str]] = {
    400: (
        "That did not arrive properly",
        "Something in the request could not be understood. Go back, reload the page and try again.",
    ),
    401: (
        "Please sign in",
        "This page is for people who are signed in. It may also be that your session has ended.",
    ),
    403: (
        "This was not let through",
        "The request did not clearly come from this site. Open the page again and repeat what you did.",
    ),
    404: (
        "Nothing hangs here",
        "There is no page at this address. The link may be old, or a letter may have gone missing.",
    ),
    405: ("Not this way", "This address exists, but it cannot be opened like this."),
    409: ("Something changed meanwhile", "Reload the page to see how things stand now, then try again."),
    410: ("This link is used up", "Links work once and only for a while. Ask for a new one."),
    413: ("That was too much", "What was sent is larger than what can be accepted here."),
    415: ("Unknown format", "What was sent is in a format that is not understood here."),
    422: ("That does not fit", "Something in the form is not as it should be. Go back and look it over."),
    429: ("One moment, please", "There were too many attempts in a short time."),
    500: (
        "This is our fault",
        "Something went wrong on our side. It has been written down for those who run this site.",
    ),
    503: ("A full house", "More is going on here than can be handled at once."),
}
_UNKNOWN_REFUSAL = ("That did not work", "The request was refused. Go back and try again.")
_UNKNOWN_FAILURE = ("That did not work", "Something went wrong on the way. Please try again in a moment.")

_METHODS = {
    "pwd": "password",
    "otp": "one-time code",
    "hwk": "passkey",
    "swk": "passkey",
    "pop": "key",
    "sms": "text message",
    "fed": "another account",
    "rba": "known device",
}
_OPENID = {
    "openid": ("Know that it is you", "An identifier for you, and when and how you signed in."),
    "profile": ("Your profile", "Name, picture, language, time zone, and what else you have filled in."),
    "email": ("Your e-mail address", "And whether it is confirmed."),
    "address": ("Your postal address", ""),
    "phone": ("Your phone number", "And whether it is confirmed."),
    "offline_access": (
        "Access while you are away",
        "Also after you have signed out, until you take it back.",
    ),
}
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))
_IMPLIED = frozenset({"mfa", "user"})  # say nothing more than the others together


def problem_words(status: int) -> tuple[str, str]:
    """Return title and message for an HTTP status from 400."""
    return _PROBLEMS.get(status, _UNKNOWN_FAILURE if status >= 500 else _UNKNOWN_REFUSAL)


def describe_methods(methods: Iterable[str]) -> str:
    """Return how somebody signed in, ``password and one-time code`` for example."""
    told = (_METHODS.get(method, "another way") for method in methods if method not in _IMPLIED)
    return " and ".join(dict.fromkeys(told)) or "unknown"


def describe_wait(seconds: float) -> str:
    """Return a time to wait in words, rounded up: ``3 minutes`` for example."""
    length, name = next((row for row in _UNITS if seconds > row[0]), _UNITS[-1])
    count = max(1, math.ceil(seconds / length))
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def describe_reason(reason: str) -> str:
    """Return why access ended, ``signed out`` for example."""
    # Who it was is told beside it.
    return "revoked" if reason == "ended-by-administrator" else reason.replace("-", " ")


def describe_actor(actor: str, emails: Mapping[str, str]) -> str:
    """Return who ended access, with the address of a user whose is known by their identifier."""
    if actor == "administrator":
        return "the command line"
    if actor == "server":
        return "this server"
    kind, _, name = actor.partition(":")
    return emails.get(name, name) if kind == "user" else name or kind


def describe_openid_scope(scope: str) -> tuple[str, str]:
    """Return what a scope of OpenID Connect gives away, in a few words and in a sentence, perhaps ``""``."""
    return _OPENID.get(scope, (scope, ""))


def describe_claims(names: Iterable[str]) -> str:
    """Return the names of claims, ``family name, phone number`` for example. A stranger has chosen them."""
    return ", ".join(name.partition("#")[0].replace("_", " ") for name in names)
