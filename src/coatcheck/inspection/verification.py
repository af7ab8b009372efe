"""A verification told step by step.

The judgement is the verifier's alone, made in one call; from the error it raised follows which check failed, and from
the order in which it checks, which ones had passed before and which were not reached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec

from .._core.spans import clamped, in_words, iso
from .._core.text import spelled
from ..jose import Claims, Key, KeySet, TokenError, hazmat, jwt
from ..jose.errors import (
    AlgorithmMismatchError,
    AudienceMismatchError,
    ClaimError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidHeaderError,
    InvalidSignatureError,
    IssuedInFutureError,
    IssuerMismatchError,
    MissingClaimError,
    NoMatchingKeyError,
    TokenNotYetValidError,
    UnexpectedTypeError,
)
from ..jose.jwt.claims import REGISTERED
from .meanings import claim_meanings

__all__ = ["Hint", "Outcome", "Step", "Wish", "verify_in_steps"]

Status = Literal["ok", "failed", "not reached"]
Name = Literal[
    "form",
    "header",
    "type",
    "key",
    "algorithm",
    "signature",
    "claims",
    "required",
    "expiry",
    "not before",
    "issued at",
    "issuer",
    "audience",
]
_ORDER: tuple[Name, ...] = Name.__args__  # type: ignore[attr-defined]  # the order in which a verifier checks

_FAILED_BY: tuple[tuple[type[TokenError], Name], ...] = (
    (InvalidHeaderError, "header"),
    (UnexpectedTypeError, "type"),
    (NoMatchingKeyError, "key"),
    (AlgorithmMismatchError, "algorithm"),
    (InvalidSignatureError, "signature"),
    (InvalidClaimError, "claims"),
    (ExpiredTokenError, "expiry"),
    (TokenNotYetValidError, "not before"),
    (IssuedInFutureError, "issued at"),
    (IssuerMismatchError, "issuer"),
    (AudienceMismatchError, "audience"),
)


Wish = Literal["type", "issuer", "audience", "past", "leeway"]
"""What a person may want, who sees that the verifier expected something else: another value, or another time."""

Hint = Callable[[Wish, str], str]
"""How that is told to the verifier: takes the wish and the value from the token, and returns a clause."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One check.

    Attributes:
        check: What was checked.
        status: How it went.
        message: What was found, and for a failure what would pass.
        actual: For a failure, what the token says, where that is known.
        expected: For a failure, what would pass, where that is known.
    """

    check: str
    status: Status
    message: str
    actual: Any = msgspec.UNSET
    expected: Any = msgspec.UNSET


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, in order.

    Attributes:
        valid: Whether all of them passed.
        code: The stable code of the error, or ``None``.
        claims: The claims; only if the token is valid.
        meanings: Of these claims, what they mean.
    """

    valid: bool
    code: str | None
    steps: list[Step]
    claims: dict[str, Any] | None
    meanings: dict[str, str]


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told beside checks that have passed."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    keys: Sequence[Key]


def verify_in_steps(
    token: str, verifier: jwt.Verifier[Claims], *, keys: KeySet, now: float, hint: Hint
) -> Outcome:
    """Verify a token and tell how each check went.

    Args:
        token: The compact token.
        verifier: Which makes the judgement.
        keys: Those of the verifier.
        now: The time, in seconds since 1970.
        hint: How the person tells the verifier what would pass.
    """
    known = _known(token, keys)
    try:
        verified = verifier.verify(token, now=now)
    except TokenError as error:
        steps = _until(error, known, advice=_Advice(token, now, hint))
        return Outcome(valid=False, code=error.code, steps=steps, claims=None, meanings={})
    claims = verified.as_type(dict)
    steps = [_passed(name, known) for name in _ORDER]
    return Outcome(valid=True, code=None, steps=steps, claims=claims, meanings=claim_meanings(claims, now))


def _until(error: TokenError, known: _Known, *, advice: _Advice) -> list[Step]:
    name = _failed_step(error, advice.token)
    values = _values(error, known)
    failed = Step(check=name, status="failed", message=advice.on(error), **values)
    position = _ORDER.index(name)
    # Claims that are not registered are looked for last, so that all the rest has passed.
    is_last = isinstance(error, MissingClaimError) and name == "required" and error.claim not in REGISTERED
    later = [
        _passed(other, known) if is_last else Step(check=other, status="not reached", message="")
        for other in _ORDER[position + 1 :]
    ]
    return [*(_passed(other, known) for other in _ORDER[:position]), failed, *later]


def _values(error: TokenError, known: _Known) -> dict[str, Any]:
    """Return what the token says and what would pass, as far as the error knows."""
    if isinstance(error, UnexpectedTypeError):
        return {"actual": error.typ, "expected": error.expected}
    if isinstance(error, NoMatchingKeyError):
        return {"actual": error.kid, "expected": [key.kid for key in known.keys if key.kid is not None]}
    if isinstance(error, AlgorithmMismatchError):
        return {"actual": error.alg, "expected": error.expected}
    if isinstance(error, ClaimError):
        values = {"actual": known.claims.get(error.claim)}
        return values if error.expected is None else {**values, "expected": error.expected}
    return {}


def _failed_step(error: TokenError, token: str) -> Name:
    for kind, name in _FAILED_BY:
        if isinstance(error, kind):
            return name
    if isinstance(error, MissingClaimError):
        if error.expected is not None:
            return "issuer" if error.claim == "iss" else "audience"
        return "required"
    # What remains is malformed or too large: before the signature in its form, after it in its claims.
    return "claims" if _is_readable(token) else "form"


def _is_readable(token: str) -> bool:
    try:
        return not hazmat.read_unverified(token).is_encrypted
    except TokenError:
        return False


def _passed(name: Name, known: _Known) -> Step:
    return Step(check=name, status="ok", message=_PASSED[name](known))


def _known(token: str, keys: KeySet) -> _Known:
    """Read what the token says."""
    able = [key for key in keys if key.allows("verify")]
    header: Mapping[str, Any] = {}
    claims: Mapping[str, Any] = {}
    with suppress(TokenError):
        unverified = hazmat.read_unverified(token)
        header = unverified.header
        claims = unverified.claims
    return _Known(header=header, claims=claims, keys=able)


def _key(known: _Known) -> str:
    kid = known.header.get("kid")
    only = len(known.keys) == 1
    if kid is None:
        return f"{'the only one' if only else 'one of those'} given (the token names none)"
    if any(key.kid == kid for key in known.keys):
        return spelled(kid)
    return (
        f"{'the only one given (it' if only else 'one of those given (which'} has no name; "
        f"the token says {spelled(kid)})"
    )


def _time(name: str) -> Callable[[_Known], str]:
    def told(known: _Known) -> str:
        value = known.claims.get(name)
        return "none stated" if value is None else (iso(value) or spelled(value))

    return told


def _text(name: str) -> Callable[[_Known], str]:
    def told(known: _Known) -> str:
        return spelled(known.claims[name]) if name in known.claims else "none stated, none expected"

    return told


def _parameter(name: str) -> Callable[[_Known], str]:
    def told(known: _Known) -> str:
        return spelled(known.header[name]) if name in known.header else "none stated"

    return told


def _always(words: str) -> Callable[[_Known], str]:
    return lambda _: words


_PASSED: dict[Name, Callable[[_Known], str]] = {
    "form": _always("three parts of canonical base64url"),
    "header": _always("well formed, nothing critical that is not understood"),
    "type": _parameter("typ"),
    "key": _key,
    "algorithm": _parameter("alg"),
    "signature": _always("made with the key"),
    "claims": _always("well formed"),
    "required": _always("all there"),
    "expiry": _time("exp"),
    "not before": _time("nbf"),
    "issued at": _time("iat"),
    "issuer": _text("iss"),
    "audience": _text("aud"),
}


class _Advice(msgspec.Struct, frozen=True):
    """Says what is wrong, and what would pass."""

    token: str
    now: float
    hint: Hint

    def on(self, error: TokenError) -> str:
        if isinstance(error, ClaimError):
            return self._on_claim(error)
        if isinstance(error, UnexpectedTypeError):
            stated = "states no type" if error.typ is None else f"is of type {spelled(error.typ)}"
            hint = self.hint("type", "JWT" if error.typ is None else error.typ)
            return f"the token {stated}, expected {spelled(error.expected)}; {hint} if that is what you want"
        if isinstance(error, NoMatchingKeyError):
            return f"no key has the identifier {spelled(error.kid)}; give the issuer's current keys"
        if isinstance(error, AlgorithmMismatchError):
            expected = " or ".join(error.expected)
            return (
                f"the token says {spelled(error.alg)}, the key is for {expected}; "
                "give the key that the issuer signs with (a token never chooses the algorithm)"
            )
        if isinstance(error, InvalidSignatureError):
            return "not made with this key, or the token was changed since; give the issuer's key"
        return self._on_form(error)

    def _on_form(self, error: TokenError) -> str:
        if self.token.startswith("{"):
            return "the token is in JSON serialisation; verify takes the compact form, which every JWT has"
        if self.token.count(".") == 4:
            return (
                "the token is encrypted; decrypt it first and verify what is inside: coatcheck token decrypt"
            )
        return error.message

    def _on_claim(self, error: ClaimError) -> str:
        if isinstance(error, (IssuerMismatchError, AudienceMismatchError)):
            return self._on_mismatch(error)
        if isinstance(error, ExpiredTokenError):
            return f"expired {_ago(error.value, self.now)}; get a new token, or {self.hint('past', '')} to look back"
        if isinstance(error, TokenNotYetValidError):
            return f"not valid before {_ago(error.value, self.now)}; wait, or check your clock"
        if isinstance(error, IssuedInFutureError):
            clocks = f"check your clock and the issuer's, or {self.hint('leeway', '')}"
            return f"issued {_ago(error.value, self.now)}; {clocks}"
        if isinstance(error, MissingClaimError):
            wanted = "" if error.expected is None else f", expected {_listed(error.expected)}"
            return f"the claim {spelled(error.claim)} is missing{wanted}; it takes a token that has it"
        return error.message

    def _on_mismatch(self, error: IssuerMismatchError | AudienceMismatchError) -> str:
        is_issuer = isinstance(error, IssuerMismatchError)
        values = list(error.value) if isinstance(error.value, (list, tuple)) else [error.value]
        wanted = f"expected {_listed(error.expected)}" if error.expected else "and none was expected"
        hint = (
            f"; {self.hint('issuer' if is_issuer else 'audience', values[0])} if that is right"
            if values
            else ""
        )
        return f"the token is {'from' if is_issuer else 'for'} {_listed(values)}, {wanted}{hint}"


def _listed(values: Any) -> str:
    several = values if isinstance(values, (list, tuple)) else [values]
    return " or ".join(spelled(value) for value in several) or "nobody"


def _ago(moment: Any, now: float) -> str:
    direction = "from now" if moment > now else "ago"
    stamp = iso(moment)
    return f"{in_words(clamped(moment) - now)} {direction}{'' if stamp is None else f' ({stamp})'}"
