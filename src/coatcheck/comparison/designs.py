"""The designs that are compared: what they are called and what they mean, in one table."""

from __future__ import annotations

from typing import Final

from .model import Design

__all__ = [
    "CREDENTIALS",
    "ENCRYPTED",
    "OPAQUE",
    "OWN_COOKIE",
    "OWN_TOKEN",
    "SIGNED",
    "WAYS",
    "asked_each_time",
    "denylist_in",
]

OPAQUE: Final = "opaque-id"
OWN_COOKIE: Final = "coatcheck-cookie"
OWN_TOKEN: Final = "coatcheck-token"  # noqa: S105 - the name of a design

SIGNED: Final[dict[str, str]] = {
    "jwt-hs256": "HS256",
    "jwt-rs256": "RS256",
    "jwt-es256": "ES256",
    "jwt-ed25519": "Ed25519",
    "jwt-ml-dsa-44": "ML-DSA-44",
    "jwt-ml-dsa-65": "ML-DSA-65",
}
"""The signature algorithm of each design that is a signed token."""

ENCRYPTED: Final[dict[str, tuple[str, str]]] = {
    "jwe-dir": ("HS256", "A256GCM"),
    "jwe-ecdh-es": ("ES256", "ECDH-ES"),
}
"""The algorithms of each design that is a token signed inside an encrypted one: the signature's and the key's."""

CREDENTIALS: Final = (
    Design(
        id=OPAQUE,
        name="Opaque ID",
        meaning="A cookie with 256 random bits; what they stand for is looked up where the sessions are.",
        family="session",
    ),
    Design(
        id="jwt-hs256",
        name="JWT, HS256",
        meaning="Claims with an HMAC; whoever checks it has the secret, and could make tokens too.",
        family="signed",
    ),
    Design(
        id="jwt-rs256",
        name="JWT, RS256",
        meaning="Claims with an RSA signature of 2048 bits, which anybody can check by the public key.",
        family="signed",
    ),
    Design(
        id="jwt-es256",
        name="JWT, ES256",
        meaning="Claims with an ECDSA signature on P-256, which anybody can check by the public key.",
        family="signed",
    ),
    Design(
        id="jwt-ed25519",
        name="JWT, Ed25519",
        meaning="Claims with an Ed25519 signature, which anybody can check by the public key.",
        family="signed",
    ),
    Design(
        id="jwt-ml-dsa-44",
        name="JWT, ML-DSA-44",
        meaning="Claims with a signature that is to hold against quantum computers (FIPS 204, category 2).",
        family="signed",
    ),
    Design(
        id="jwt-ml-dsa-65",
        name="JWT, ML-DSA-65",
        meaning="The same, stronger (FIPS 204, category 3).",
        family="signed",
    ),
    Design(
        id="jwe-dir",
        name="Encrypted JWT, shared key",
        meaning="An HS256 token inside an encrypted one (dir, A256GCM): only holders of the shared key can read it.",
        family="encrypted",
    ),
    Design(
        id="jwe-ecdh-es",
        name="Encrypted JWT, public key",
        meaning="An ES256 token encrypted to the recipient's public key (ECDH-ES, A256GCM).",
        family="encrypted",
    ),
    Design(
        id=OWN_COOKIE,
        name="Coatcheck cookie",
        meaning="An opaque ID; the server remembers what it stands for, until its ledger says something about it.",
        family="coatcheck",
    ),
    Design(
        id=OWN_TOKEN,
        name="Coatcheck token",
        meaning="An ES256 access token; a service remembers that it was good, until its ledger says otherwise.",
        family="coatcheck",
    ),
)
"""What carries access."""

WAYS: Final = (
    Design(
        id="expiry-only",
        name="Token until it expires",
        meaning="One token for the whole time that somebody stays signed in; nobody is asked.",
        family="revocation",
    ),
    Design(
        id="refresh",
        name="Short token and refresh",
        meaning="A short-lived access token; the server is asked only when it is refreshed.",
        family="revocation",
    ),
    Design(
        id="introspection-cached",
        name="Introspection, remembered",
        meaning="The server is asked what the token is worth (RFC 7662), and its answer is kept for a while.",
        family="revocation",
    ),
    Design(
        id="introspection",
        name="Introspection, each time",
        meaning="The server is asked with each request what the token is worth (RFC 7662).",
        family="revocation",
    ),
    Design(
        id="ledger-process",
        name="Coatcheck, same process",
        meaning="The process that ends the session checks the cookie too, in memory, against the ledger.",
        family="coatcheck",
    ),
    Design(
        id="ledger-services",
        name="Coatcheck, other processes",
        meaning="Services in processes of their own follow the ledger, and check cookie and token in memory.",
        family="coatcheck",
    ),
)
"""How access ends, beside those that ask a store, which depend on the stores that were measured."""


def denylist_in(kind: str, name: str) -> Design:
    """Return the design with a list of revoked tokens in a store of that kind."""
    return Design(
        id=f"denylist-{kind}",
        name=f"Denylist in {name}",
        meaning=f"The token is verified, and then looked for with each request in a list of revoked ones in {name}.",
        family="revocation",
    )


def asked_each_time(kind: str, name: str) -> Design:
    """Return the design that looks the session up with each request in a store of that kind."""
    return Design(
        id=f"session-{kind}",
        name=f"Session in {name}",
        meaning=f"The opaque ID is looked up with each request in {name}.",
        family="session",
    )
