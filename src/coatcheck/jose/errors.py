"""Every error that ``coatcheck.jose`` raises. Nothing else escapes it.

::

    CoatcheckError
    └─ JOSEError
       ├─ ConfigurationError          a mistake in the caller's own arguments
       ├─ UnsupportedAlgorithmError   a name that is not in the table
       ├─ KeyImportError              the key's text cannot be read as a key
       │  ├─ KeyPasswordError         its private key needs a password, or needs none
       │  ├─ UnsupportedKeyError      a kind of key that is not in the table
       │  └─ WeakKeyError             a key that must not be used
       ├─ KeySetError                 a set of keys that is ambiguous or mixed
       ├─ KeyUseError                 a good key, asked to do what it is not for
       └─ TokenError                  the token is refused
          ├─ MalformedTokenError      not in the shape of a token
          ├─ TokenTooLargeError       beyond a limit
          ├─ InvalidHeaderError       a header that breaks the rules
          │  └─ CriticalHeaderError   a critical extension that is not understood
          ├─ AlgorithmMismatchError   the header asks for another algorithm than the key's
          ├─ NoMatchingKeyError       no key of that identifier
          ├─ InvalidSignatureError    the signature or MAC does not verify
          ├─ DecryptionError          the token does not decrypt; never says why
          ├─ UnexpectedTypeError      a token of another kind
          └─ ClaimError               signed, but its claims are refused
             ├─ MissingClaimError
             ├─ InvalidClaimError     wrong type or form
             ├─ ExpiredTokenError
             ├─ TokenNotYetValidError
             ├─ IssuedInFutureError
             ├─ TokenTooOldError
             ├─ IssuerMismatchError
             └─ AudienceMismatchError

A ``ClaimError`` names the first claim that failed; the others may not have been looked at.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import CoatcheckError

__all__ = [
    "AlgorithmMismatchError",
    "AudienceMismatchError",
    "ClaimError",
    "ConfigurationError",
    "CriticalHeaderError",
    "DecryptionError",
    "ExpiredTokenError",
    "InvalidClaimError",
    "InvalidHeaderError",
    "InvalidSignatureError",
    "IssuedInFutureError",
    "IssuerMismatchError",
    "JOSEError",
    "KeyImportError",
    "KeyPasswordError",
    "KeySetError",
    "KeyUseError",
    "MalformedTokenError",
    "MissingClaimError",
    "NoMatchingKeyError",
    "TokenError",
    "TokenNotYetValidError",
    "TokenTooLargeError",
    "TokenTooOldError",
    "UnexpectedTypeError",
    "UnsupportedAlgorithmError",
    "UnsupportedKeyError",
    "WeakKeyError",
]


class JOSEError(CoatcheckError):
    """Base of everything that ``coatcheck.jose`` refuses."""

    code: ClassVar[str] = "jose_error"


class ConfigurationError(JOSEError):
    """The caller's own arguments make no sense; the message says which and what would."""

    code: ClassVar[str] = "invalid_configuration"


class UnsupportedAlgorithmError(JOSEError):
    """The algorithm is not in the table, or deprecated and not asked for by the caller.

    Attributes:
        alg: The name as it was given.
    """

    code: ClassVar[str] = "unsupported_algorithm"

    def __init__(self, message: str, *, alg: object, detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.alg = alg


class KeyImportError(JOSEError):
    """The text or the octets given are not a key that can be read."""

    code: ClassVar[str] = "invalid_key"


class KeyPasswordError(KeyImportError):
    """The private key is encrypted and no password was given, or a password was given to what is not encrypted."""

    code: ClassVar[str] = "key_password"


class UnsupportedKeyError(KeyImportError):
    """A well-known or unknown kind of key (``kty``, ``crv``) that no algorithm of the table uses."""

    code: ClassVar[str] = "unsupported_key"


class WeakKeyError(KeyImportError):
    """The key is too small or is known to be broken."""

    code: ClassVar[str] = "weak_key"


class KeySetError(JOSEError):
    """The keys of a set contradict each other."""

    code: ClassVar[str] = "invalid_key_set"


class KeyUseError(JOSEError):
    """The key is not for this: its algorithm, its ``use``, its ``key_ops`` or its missing private part forbid it."""

    code: ClassVar[str] = "wrong_key_use"


class TokenError(JOSEError):
    """Base of every reason to refuse a token. Catch this around ``verify`` and ``decrypt``."""

    code: ClassVar[str] = "invalid_token"


class MalformedTokenError(TokenError):
    """The text is not in the form that was asked for (RFC 7515 section 3, RFC 7516 section 3)."""

    code: ClassVar[str] = "malformed_token"


class TokenTooLargeError(TokenError):
    """The token goes beyond one of the ``Limits``."""

    code: ClassVar[str] = "token_too_large"


class InvalidHeaderError(TokenError):
    """The header is not a JSON object of the right members and types."""

    code: ClassVar[str] = "invalid_header"


class CriticalHeaderError(InvalidHeaderError):
    """``crit`` is malformed or names an extension that is not understood (RFC 7515 section 4.1.11)."""

    code: ClassVar[str] = "unsupported_critical_header"


class AlgorithmMismatchError(TokenError):
    """The header names another algorithm than the one the key is for.

    Attributes:
        alg: What the header says. Hostile input.
        expected: The algorithms of the keys that could have been meant.
    """

    code: ClassVar[str] = "algorithm_not_allowed"

    def __init__(
        self, message: str, *, alg: str, expected: tuple[str, ...], detail: str | None = None
    ) -> None:
        super().__init__(message, detail=detail)
        self.alg = alg
        self.expected = expected


class NoMatchingKeyError(TokenError):
    """None of the keys has the identifier that the header names.

    Attributes:
        kid: What the header says, or ``None``. Hostile input.
    """

    code: ClassVar[str] = "no_matching_key"

    def __init__(self, message: str, *, kid: str | None, detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.kid = kid


class InvalidSignatureError(TokenError):
    """The signature or MAC does not belong to this content and this key."""

    code: ClassVar[str] = "invalid_signature"

    def __init__(self, message: str = "The signature does not verify.") -> None:
        super().__init__(message)


class DecryptionError(TokenError):
    """The token cannot be decrypted with this key. All causes look alike, so that none becomes an oracle."""

    code: ClassVar[str] = "decryption_failed"

    def __init__(self, message: str = "The token cannot be decrypted.") -> None:
        super().__init__(message)


class UnexpectedTypeError(TokenError):
    """The token is of another kind (``typ`` or ``cty``) than the one expected (RFC 8725 section 3.11).

    Attributes:
        typ: What the header says, or ``None``. Hostile input.
        expected: What was expected.
    """

    code: ClassVar[str] = "unexpected_type"

    def __init__(self, message: str, *, typ: str | None, expected: str) -> None:
        super().__init__(message)
        self.typ = typ
        self.expected = expected


class ClaimError(TokenError):
    """The signature is good and the claims are refused.

    Attributes:
        claim: The name of the claim that failed.
        value: Its value as the token states it, or ``None`` where there is none.
        expected: What would have passed: for a time the number of seconds it had to be beyond or within, leeway
            included; for the issuer the text, for the audience a tuple of texts; ``None`` where there is no value.
    """

    code: ClassVar[str] = "claim_error"

    def __init__(
        self, message: str, *, claim: str, value: Any = None, expected: Any = None, detail: str | None = None
    ) -> None:
        super().__init__(message, detail=detail)
        self.claim = claim
        self.value = value
        self.expected = expected


class MissingClaimError(ClaimError):
    """A required claim is not there."""

    code: ClassVar[str] = "missing_claim"


class InvalidClaimError(ClaimError):
    """A claim has the wrong type or form."""

    code: ClassVar[str] = "invalid_claim"


class ExpiredTokenError(ClaimError):
    """``exp`` has passed (RFC 7519 section 4.1.4)."""

    code: ClassVar[str] = "token_expired"


class TokenNotYetValidError(ClaimError):
    """``nbf`` has not come yet (RFC 7519 section 4.1.5)."""

    code: ClassVar[str] = "token_not_yet_valid"


class IssuedInFutureError(ClaimError):
    """``iat`` lies in the future by more than the leeway."""

    code: ClassVar[str] = "issued_in_future"


class TokenTooOldError(ClaimError):
    """``iat`` lies further back than ``max_age`` allows."""

    code: ClassVar[str] = "token_too_old"


class IssuerMismatchError(ClaimError):
    """``iss`` is not the issuer whose keys these are (RFC 8725 section 3.8)."""

    code: ClassVar[str] = "issuer_mismatch"


class AudienceMismatchError(ClaimError):
    """``aud`` does not name this recipient (RFC 7519 section 4.1.3)."""

    code: ClassVar[str] = "audience_mismatch"
