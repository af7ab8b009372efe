"""Trying common secrets on tokens. What is reported has been proven by computing the signature.

Three sources: the examples that ``coatcheck.inspection`` knows, the file ``common_secrets.txt``, and words that the
recording itself gives away (hosts, issuer, audience) with the endings people add to them. Nothing like a dictionary
attack: a secret that is not found may be weak all the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from ..inspection.model import Part, Reading
from ..inspection.secret_findings import WELL_KNOWN_SECRETS

__all__ = ["guess_secret", "known_secrets", "words_of"]

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
_ENDINGS = (
    *(
        "",
        "secret",
        "-secret",
        "_secret",
        "key",
        "-key",
        "_key",
        "-jwt",
        "_jwt",
        "-jwt-secret",
        "_jwt_secret",
    ),
    *("-secret-key", "_secret_key", "123", "1234", "!"),
)
_MOST_WORDS = 64
_LONGEST_WORD = 100


@cache
def known_secrets() -> tuple[str, ...]:
    """Return the secrets of both lists. The file is read once."""
    text = files(__package__).joinpath("common_secrets.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(dict.fromkeys((*WELL_KNOWN_SECRETS, *lines)))


def words_of(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the words that host names give: themselves, and their labels."""
    words: dict[str, None] = {}
    for host in hosts:
        labels = host.split(".")
        words.update(dict.fromkeys([host, *labels, ".".join(labels[-2:])]))
    return tuple(word for word in words if len(word) > 1 and not word.isdigit())[:_MOST_WORDS]


def guess_secret(reading: Reading, words: Iterable[str]) -> str | None:
    """Return how the secret was found that makes a token's signature; ``None`` if none of the known ones does.

    The secret itself is not in the answer: who reads the report could sign with it.

    Args:
        reading: The token.
        words: Words that belong to the application.
    """
    part = reading.parts[0]
    hash_of = _HASHES.get(str(part.header.get("alg")))
    if hash_of is None or not part.signature:
        return None
    message = f"{part.segment}.{reading.body}".encode("utf-8", "replace")
    for secret, how in _guesses([*words, *_words_inside(reading, part)]):
        if hmac.compare_digest(hmac.digest(secret, message, hash_of), part.signature):
            return how
    return None


def _guesses(words: list[str]) -> Iterator[tuple[bytes, str]]:
    for number, secret in enumerate(known_secrets(), 1):
        how = f"number {number} of the common secrets" if secret else "an empty secret"
        yield secret.encode(), how
        if (decoded := _base64(secret)) is not None:
            yield decoded, f"{how}, read as base64"
        yield base64.b64encode(secret.encode()), f"{how}, written in base64"
    for word in words:
        for ending in _ENDINGS:
            for spelling in (word, word.capitalize(), word.upper()):
                yield (
                    f"{spelling}{ending}".encode("utf-8", "surrogatepass"),
                    "a secret made of a name in this recording",
                )


def _words_inside(reading: Reading, part: Part) -> Iterator[str]:
    """Yield what the token itself names: issuer, audience, client, and the identifier of the key."""
    claims = reading.claims or {}
    named = [claims.get(name) for name in ("iss", "aud", "client_id", "azp")]
    for value in (*named, part.header.get("kid")):
        for text in value[:4] if isinstance(value, list) else [value]:
            if isinstance(text, str) and 1 < len(text) <= _LONGEST_WORD:
                yield text
                yield from words_of([_host(text)])


def _host(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def _base64(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True) or None
    except ValueError:
        return None
