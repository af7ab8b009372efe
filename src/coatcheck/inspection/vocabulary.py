"""What names in tokens mean, in a few words."""

from __future__ import annotations

from typing import Any

__all__ = ["algorithm_words", "claim_words", "parameter_words"]

_PARAMETERS = {
    "kid": "which key is meant",
    "typ": "what kind of token this is",
    "cty": "what kind of content is inside",
    "jku": "a URL where the keys are said to be; never followed here",
    "jwk": "a key that the token brings along; never trusted here",
    "x5u": "a URL of a certificate; never followed here",
    "x5c": "a certificate chain that the token brings along",
    "x5t": "SHA-1 thumbprint of a certificate",
    "x5t#S256": "SHA-256 thumbprint of a certificate",
    "crit": "extensions that must be understood, or the token refused",
    "b64": "whether the payload is base64url-encoded (RFC 7797)",
    "zip": "how the content is compressed",
    "epk": "the sender's one-time key",
    "apu": "about the sender, for the key agreement",
    "apv": "about the recipient, for the key agreement",
    "iv": "initialisation vector of the key wrapping",
    "tag": "authentication tag of the key wrapping",
    "p2s": "salt of the password",
    "p2c": "rounds of password hashing",
    "nonce": "makes the token unlike any other",
    "url": "what the request is for (RFC 8555)",
    "iss": "copy of the claim of that name, in the open",
    "sub": "copy of the claim of that name, in the open",
    "aud": "copy of the claim of that name, in the open",
}

_CLAIMS = {
    "iss": "who issued it",
    "sub": "whom it is about",
    "aud": "for whom it is meant",
    "exp": "when it ends",
    "nbf": "when it begins",
    "iat": "when it was issued",
    "jti": "its own identifier",
    "auth_time": "when the person signed in",
    "updated_at": "when the profile last changed",
    "azp": "the client it was issued to",
    "client_id": "the client it was issued to",
    "scope": "what it allows",
    "nonce": "ties it to one sign-in",
    "acr": "how strong the sign-in was",
    "amr": "by which means the person signed in",
    "at_hash": "ties it to an access token",
    "c_hash": "ties it to an authorization code",
    "sid": "the session it belongs to",
    "cnf": "the key that its bearer must prove to have",
    "act": "who acts on the subject's behalf",
    "may_act": "who may act on the subject's behalf",
    "events": "what happened",
    "roles": "roles of the subject",
    "groups": "groups of the subject",
    "entitlements": "rights of the subject",
    "htm": "the request's method",
    "htu": "the request's address",
    "ath": "ties it to an access token",
    "authorization_details": "what it allows, in detail",
    "email": "personal data",
    "email_verified": "whether the address was checked",
    "name": "personal data",
    "given_name": "personal data",
    "family_name": "personal data",
    "phone_number": "personal data",
    "birthdate": "personal data",
    "address": "personal data",
}

_HASHES = {"256": "SHA-256", "384": "SHA-384", "512": "SHA-512"}
_SIGNATURES = {
    "HS": "HMAC with {}: one secret signs and verifies",
    "RS": "RSA signature (PKCS#1 v1.5) with {}",
    "PS": "RSA signature (PSS) with {}",
    "ES": "ECDSA signature with {}",
}
_ALGORITHMS = {
    "ES256K": "ECDSA signature on secp256k1",
    "Ed25519": "Edwards-curve signature",
    "Ed448": "Edwards-curve signature",
    "EdDSA": "Edwards-curve signature, old name",
    "ML-DSA-44": "lattice signature, safe from quantum computers",
    "ML-DSA-65": "lattice signature, safe from quantum computers",
    "ML-DSA-87": "lattice signature, safe from quantum computers",
    "dir": "a shared secret encrypts the content itself",
    "RSA1_5": "RSA encryption (PKCS#1 v1.5)",
    "RSA-OAEP": "RSA encryption (OAEP, SHA-1)",
    "ECDH-ES": "key agreement with the recipient's key",
}
_FAMILIES = (
    ("RSA-OAEP-", "RSA encryption (OAEP)"),
    ("ECDH-ES+", "key agreement, then AES key wrapping"),
    ("PBES2-", "a password encrypts the key"),
    ("A", "a shared secret wraps the key"),
)
_CONTENT = {"GCM": "AES in GCM encrypts the content", "HS": "AES in CBC and HMAC encrypt the content"}


def algorithm_words(name: object) -> str:
    """Say what an ``alg`` is."""
    if not isinstance(name, str):
        return "no name of an algorithm"
    if name.lower() == "none":
        return "no signature at all"
    if name in _ALGORITHMS:
        return _ALGORITHMS[name]
    if name[:2] in _SIGNATURES and name[2:] in _HASHES:
        return _SIGNATURES[name[:2]].format(_HASHES[name[2:]])
    words = (
        words
        for prefix, words in _FAMILIES
        if name.startswith(prefix) and name.endswith(("W", "6", "4", "2"))
    )
    return next(words, "not an algorithm known here")


def parameter_words(name: str, value: Any) -> str:
    """Say what a header parameter is."""
    if name == "alg":
        return algorithm_words(value)
    if name == "enc":
        is_text = isinstance(value, str)
        return next(
            (words for part, words in _CONTENT.items() if is_text and part in value), "not known here"
        )
    return _PARAMETERS.get(name, "")


def claim_words(name: str) -> str:
    """Say what a claim is."""
    return _CLAIMS.get(name, "")
