"""What a good password is. It is judged as it was typed, and never trimmed, normalised or cut."""

from __future__ import annotations

import re

from .blocklist import Blocklist, fold
from .errors import PasswordRefusedError
from .policy import PasswordPolicy

__all__ = ["check_password"]

_SHORTEST_WORD = 3  # a single letter with ten digits around it is a letter, not the domain x.com
_MOST_AROUND = 10  # more than a date and two marks around a word is a password of its own

_DIGITS = "0123456789"
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SEPARATORS = re.compile(r"[^\w]|_")


def check_password(password: str, policy: PasswordPolicy, *, email: str, blocklist: Blocklist) -> None:
    """Refuse a new password that is too short, too long, or what a guesser would try first.

    The length is counted in code points (NIST SP 800-63B-4 section 3.1.1.2). Any character may be in it, except for NUL
    and half a surrogate pair, which not every client can send again.

    Args:
        password: As it was typed.
        policy: The bounds, and the words that stand for this site.
        email: The address of the account: neither it nor a part of it is a password.
        blocklist: The common passwords, compared without case and as a whole: ``load_blocklist()``.

    Raises:
        PasswordRefusedError: With the reason ``not_text``, ``too_short``, ``too_long``, ``common`` or ``contextual``,
            and a message for the person who chose it.
    """
    if len(password) < policy.minimum:
        raise PasswordRefusedError(f"Use at least {policy.minimum} characters.", reason="too_short")
    if len(password) > policy.maximum:
        raise PasswordRefusedError(f"Use at most {policy.maximum} characters.", reason="too_long")
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        raise PasswordRefusedError(
            "Something in this password is not a character. Type it again.", reason="not_text"
        )
    if password in blocklist:
        raise PasswordRefusedError(
            "This is one of the passwords that are guessed first. Choose another: a few words that have nothing to do "
            "with each other are strong and easy to remember.",
            reason="common",
        )
    if _is_contextual(password, _context(policy.context_words, email)):
        raise PasswordRefusedError(
            "This is too close to your e-mail address or to the name of this site. Choose something that nobody would "
            "connect with either.",
            reason="contextual",
        )


def _context(words: frozenset[str], email: str) -> set[str]:
    """Return the words to avoid: those given, the address, both of its sides, and their parts."""
    local_part, _, domain = email.partition("@")
    person = local_part.partition("+")[0]
    parts = [*_SEPARATORS.split(local_part), *domain.split(".")]
    texts = [*words, email, local_part, f"{person}@{domain}", person, domain, *parts]
    return {word for word in map(_bare, texts) if word}


def _is_contextual(password: str, words: set[str]) -> bool:
    """Tell whether a password is one of the words, perhaps repeated, with little but digits and marks around it."""
    bare = _bare(password)
    core = bare.strip(_DIGITS)
    if bare in words or _repeats_one(bare, words):
        return True
    is_little_around = len(password) - len(core) <= _MOST_AROUND
    return is_little_around and _repeats_one(core, {word.strip(_DIGITS) for word in words})


def _repeats_one(text: str, words: set[str]) -> bool:
    return any(
        text == word * (len(text) // len(word)) for word in words if _SHORTEST_WORD <= len(word) <= len(text)
    )


def _bare(text: str) -> str:
    """Return the letters and digits of a text, without case."""
    return _NOT_ALPHANUMERIC.sub("", fold(text))
