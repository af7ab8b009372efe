"""Real credentials of each design, and the real checks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from .._core import base64url
from .._core.clock import system_clock
from .._core.entropy import random_bytes
from .._core.secrets import new_identifier
from ..errors import CoatcheckError
from ..jose import Key, KeySet, Limits, jwt
from .claims import Subject
from .designs import ENCRYPTED, SIGNED
from .errors import ClaimsError

__all__ = ["LIFETIME", "LIMITS", "TYPE", "Issuance", "Tokens", "make_issuance"]

LIFETIME: Final = timedelta(minutes=30)
LIMITS: Final = Limits(token=1_048_576)  # what the user asks about is to be measured, however large
TYPE: Final = "at+jwt"
_RSA_BITS: Final = 2048
_ISSUER, _AUDIENCE = "https://id.example.com", "https://api.example.com"


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """One design's keys, and what signs and verifies with them.

    Attributes:
        design: Which.
        sign: Makes a token of claims.
        verifier: Checks one.
        private: The keys that a recipient needs, as JWKs: to verify, and to decrypt.
    """

    design: str
    sign: Callable[[Mapping[str, Any]], str]
    verifier: jwt.Verifier[Any]
    private: tuple[dict[str, Any], dict[str, Any] | None]

    def __repr__(self) -> str:
        return f"<Tokens of {self.design}>"


class Issuance:
    """Makes tokens of every design that say the same.

    Attributes:
        tokens: What makes and checks them, by design.
        issuer: The ``iss`` that is demanded.
        audience: The ``aud`` that is demanded.
    """

    def __init__(self, subject: Subject) -> None:
        """Make the keys. The claims were read."""
        given = {"iss": _ISSUER, "sub": new_identifier(), "aud": _AUDIENCE, **subject.given}
        self._given = given
        self._times = subject.times
        self._jti = len(str(given.get("jti", ""))) if "jti" in given else 22
        audience = given["aud"]
        self.issuer: str = given["iss"]
        self.audience: str = audience if isinstance(audience, str) else audience[0]
        self.tokens: dict[str, Tokens] = {}
        for design, alg in SIGNED.items():
            self.tokens[design] = self._signed(design, alg)
        for design, (alg, wrapping) in ENCRYPTED.items():
            self.tokens[design] = self._signed(design, alg, wrapping=wrapping)

    def claims(self, *, now: float | None = None) -> dict[str, Any]:
        """Return the claims of one more token: as given, with times of now and an identifier of its own."""
        at = int(system_clock() if now is None else now)
        claims = {**self._given, "iat": at, "exp": at + int(LIFETIME.total_seconds())}
        if "nbf" in self._times:
            claims["nbf"] = at
        claims["jti"] = base64url.encode(random_bytes(self._jti))[: self._jti]
        return claims

    def token(self, design: str) -> str:
        """Return one more token of a design."""
        return self.tokens[design].sign(self.claims())

    def _signed(self, design: str, alg: str, *, wrapping: str | None = None) -> Tokens:
        key = Key.generate(alg, bits=_RSA_BITS if alg.startswith("RS") else None)
        public = key if key.is_symmetric else key.public()
        secret = None if wrapping is None else Key.generate(wrapping)
        signer = jwt.Signer(
            key,
            issuer=self.issuer,
            typ=TYPE,
            lifetime=LIFETIME,
            encrypt_to=None if secret is None else secret if secret.is_symmetric else secret.public(),
        )
        verifier = jwt.Verifier(
            KeySet([public]),
            issuer=self.issuer,
            audience=self.audience,
            claims=dict[str, Any],
            typ=TYPE,
            decrypt_with=secret,
            limits=LIMITS,
        )
        return Tokens(
            design=design,
            sign=signer.sign,
            verifier=verifier,
            private=(
                key.to_private_jwk() if key.is_symmetric else public.to_jwk(),
                None if secret is None else secret.to_private_jwk(),
            ),
        )


def make_issuance(subject: Subject) -> Issuance:
    """Return what makes the tokens, having made and checked one of each design.

    Raises:
        ClaimsError: If no token can be made of the claims.
    """
    try:
        issuance = Issuance(subject)
        for design, tokens in issuance.tokens.items():
            tokens.verifier.verify(issuance.token(design))
    except CoatcheckError as error:
        raise ClaimsError(f"No token can be made of these claims: {error.message}") from None
    return issuance
