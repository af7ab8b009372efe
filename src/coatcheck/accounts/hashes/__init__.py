"""The closed table of password hashes that are verified: our own, and those of what people come from.

It owns what a hash looks like, how much work it may ask for, and how it is verified. New hashes are argon2id and are
made in ``coatcheck.accounts.hashing``; every other kind is replaced when its owner signs in. There is no way to
register another.

Verifying blocks for as long as the hash demands, so it is called in a thread, by ``HashingPool``.
"""

from __future__ import annotations

from ..errors import UnknownHashError
from .argon2 import read_argon2, read_django_argon2
from .bcrypt import read_bcrypt, read_django_bcrypt, read_django_bcrypt_sha256
from .better_auth import read_better_auth
from .bounds import BOUNDS
from .django_pbkdf2 import read_pbkdf2_sha1, read_pbkdf2_sha256
from .django_scrypt import read_django_scrypt
from .firebase import read_firebase
from .model import Read

__all__ = ["check_encoded", "verify_password"]

_FAMILIES: tuple[tuple[str, Read], ...] = (
    ("$argon2", read_argon2),  # PHC: argon2-cffi, passlib, pwdlib, libsodium, ...
    ("$2", read_bcrypt),  # Auth0, PHP, Ruby, passlib, ...
    ("argon2$", read_django_argon2),
    ("bcrypt$", read_django_bcrypt),
    ("bcrypt_sha256$", read_django_bcrypt_sha256),
    ("pbkdf2_sha256$", read_pbkdf2_sha256),
    ("pbkdf2_sha1$", read_pbkdf2_sha1),
    ("scrypt$", read_django_scrypt),
    ("better-auth$", read_better_auth),
    ("firebase-scrypt$", read_firebase),
)


def verify_password(password: str, encoded: str) -> bool:
    """Tell whether a password belongs to a hash. Nothing is trimmed or normalised, but by the rules of the hash.

    A password with a NUL belongs to none: it cannot be chosen, and to PBKDF2 and scrypt, which fill short passwords up
    with NULs, and to bcrypt, which repeats them with a NUL between, it would be the same as another.

    Raises:
        UnknownHashError: If the hash is of no known kind, damaged, or asks for more work than is accepted.
    """
    verify = _find(encoded)(encoded)
    return verify(password.encode("utf-8", "surrogatepass")) and "\0" not in password


def check_encoded(encoded: str) -> None:
    """Refuse a hash that could never be verified, without computing anything: for imports.

    Raises:
        UnknownHashError: As ``verify_password``.
    """
    _find(encoded)(encoded)


def _find(encoded: str) -> Read:
    if len(encoded) <= BOUNDS.characters and encoded.isascii():
        for prefix, read in _FAMILIES:
            if encoded.startswith(prefix):
                return read
    raise UnknownHashError("This password hash is of no known kind.")
