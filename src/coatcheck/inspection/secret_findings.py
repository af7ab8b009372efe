"""HMAC signatures made with secrets out of tutorials, which anyone can forge."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

from .model import Finding, Part, Reading

__all__ = ["WELL_KNOWN_SECRETS", "secret_findings"]

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}

# Examples from documentation and the first guesses of every cracking tool. None of them is anybody's secret.
WELL_KNOWN_SECRETS = (
    *(
        "",
        "secret",
        "secretkey",
        "secret_key",
        "secret-key",
        "secret123",
        "mysecret",
        "mysecretkey",
        "my-secret",
    ),
    *(
        "your-256-bit-secret",
        "your-384-bit-secret",
        "your-512-bit-secret",
        "your-secret-key",
        "your_secret_key",
    ),
    *("your-secret", "yoursecret", "a-string-secret-at-least-256-bits-long", "supersecret", "super-secret"),
    *(
        "supersecretkey",
        "super_secret_key",
        "topsecret",
        "shhhhh",
        "changeme",
        "change-me",
        "changeit",
        "password",
    ),
    *(
        "password123",
        "Password1",
        "passw0rd",
        "123456",
        "12345678",
        "qwerty",
        "admin",
        "test",
        "testing",
        "key",
    ),
    *("jwt", "jwt-secret", "jwtsecret", "jwt_secret", "jwt_secret_key", "token", "default", "example", "dev"),
    *(
        "development",
        "private",
        "keyboard cat",
        "s3cr3t",
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75",
    ),
)


def secret_findings(reading: Reading) -> Iterator[Finding]:
    """Yield a warning for each signature that a well-known secret makes."""
    for part in reading.parts:
        secret = _found(part, reading.body)
        if secret is not None:
            name = f"the well-known secret {secret!r}" if secret else "an empty secret"
            yield Finding(
                "danger",
                "well_known_secret",
                f"It is signed with {name}: anyone can forge such tokens.",
                "Replace the secret now: coatcheck key generate HS256.",
            )


def _found(part: Part, body: str) -> str | None:
    hash_of = _HASHES.get(str(part.protected.get("alg")))
    if hash_of is None or not part.signature:
        return None
    message = f"{part.segment}.{body}".encode("utf-8", "replace")
    for secret in WELL_KNOWN_SECRETS:
        if hmac.compare_digest(hmac.digest(secret.encode(), message, hash_of), part.signature):
            return secret
    return None
