"""Verifying tokens: the hot path of everything that stands on this package."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, overload

import msgspec

from ..._core import base64url
from ..._core.clock import Clock, system_clock
from .. import jwe
from ..algorithms import Verify
from ..compact import token_octets
from ..errors import (
    ConfigurationError,
    InvalidHeaderError,
    InvalidSignatureError,
    KeyUseError,
    MalformedTokenError,
    UnexpectedTypeError,
)
from ..header import Header, is_media_type, parse_header, same_media_type
from ..jws.signature import check_headers
from ..key import Key
from ..key_set import KeySet, as_key_set
from ..limits import DEFAULT_LIMITS, Limits, the_limits
from .claims import Claims, ClaimsDecoder
from .model import VerifiedToken
from .policy import Anything, make_policy, missing, seconds_of, the_clock

__all__ = ["Verifier"]

C = TypeVar("C")

_DEFAULT_LEEWAY = timedelta(seconds=10)
_MOST_KNOWN_HEADERS = 128

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Verifier(Generic[C]):
    """Accepts tokens of one kind, from one issuer, for one audience, signed with one of the given keys.

    Immutable in its demands, and safe to share between threads and tasks. Make one and keep it: it remembers the
    headers of tokens that it has verified, so that a header is parsed once and not with every token.
    """

    __slots__ = ("_claims", "_clock", "_decrypt_with", "_keys", "_known", "_limits", "_policy", "_typ")

    @overload
    def __init__(
        self: Verifier[Claims],
        keys: Key | KeySet,
        *,
        issuer: str | Anything | None,
        audience: str | Collection[str] | Anything | None,
        typ: str = ...,
        require: Collection[str] = ...,
        leeway: timedelta = ...,
        max_age: timedelta | None = ...,
        clock: Clock = ...,
        decrypt_with: Key | KeySet | None = ...,
        limits: Limits = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        keys: Key | KeySet,
        *,
        issuer: str | Anything | None,
        audience: str | Collection[str] | Anything | None,
        claims: type[C],
        typ: str = ...,
        require: Collection[str] = ...,
        leeway: timedelta = ...,
        max_age: timedelta | None = ...,
        clock: Clock = ...,
        decrypt_with: Key | KeySet | None = ...,
        limits: Limits = ...,
    ) -> None: ...

    def __init__(
        self,
        keys: Key | KeySet,
        *,
        issuer: str | Anything | None,
        audience: str | Collection[str] | Anything | None,
        claims: type[Any] = Claims,
        typ: str = "JWT",
        require: Collection[str] = ("exp",),
        leeway: timedelta = _DEFAULT_LEEWAY,
        max_age: timedelta | None = None,
        clock: Clock = system_clock,
        decrypt_with: Key | KeySet | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Fix what is demanded.

        Args:
            keys: The issuer's keys.
            issuer: The only ``iss`` accepted. ``None`` accepts only tokens without one.
            audience: Who the recipient is; ``aud`` must contain one of these. ``None`` accepts only tokens without.
            claims: The type in which to return claims: a subclass of ``Claims``, or any type that msgspec decodes.
            typ: The kind of token (RFC 8725 section 3.11). ``"JWT"`` also accepts tokens that state no kind; any
                other must be stated.
            require: Claims that must be there, beside ``iss`` and ``aud`` where they are demanded.
            leeway: By how much clocks may differ, for ``exp``, ``nbf`` and ``iat``.
            max_age: How long ago the token may have been issued; demands ``iat``.
            clock: Where the time comes from, in seconds.
            decrypt_with: The keys to decrypt with. If given, tokens must be encrypted, and signed inside.
            limits: How much to look at.

        Raises:
            ConfigurationError: If a demand makes no sense.
            KeyUseError: If a key is not for verifying, or one of ``decrypt_with`` not for decrypting.
        """
        self._keys = _able(as_key_set(keys), "verify")
        self._decrypt_with = None if decrypt_with is None else _able(as_key_set(decrypt_with), "decrypt")
        self._policy = make_policy(
            issuer=issuer, audience=audience, require=require, leeway=leeway, max_age=max_age
        )
        if not isinstance(typ, str) or not is_media_type(typ):
            raise ConfigurationError("'typ' must name the kind of token, for example 'at+jwt'.")
        self._typ = typ
        self._limits = the_limits(limits)
        self._claims: ClaimsDecoder[C] = ClaimsDecoder(claims, depth=limits.depth)
        self._clock = the_clock(clock)
        self._known: dict[bytes, tuple[Verify, Header, Key]] = {}

    def verify(self, token: str | bytes, *, now: float | datetime | None = None) -> VerifiedToken[C]:
        """Verify a token: its form, header, key, signature, kind, and every claim that is demanded.

        Args:
            token: The token.
            now: The time, in seconds since 1970 or as an aware ``datetime``; the clock's unless given.

        Returns:
            The token's claims with the proof that they were checked.

        Raises:
            TokenError: One of its kinds, if anything at all is wrong.
        """
        octets = token_octets(token, self._limits.token)
        if self._decrypt_with is not None:
            octets = self._decrypted(octets)
        message, separator, signature_segment = octets.rpartition(b".")
        header_segment, second, payload_segment = message.partition(b".")
        if not separator or not second:
            raise MalformedTokenError(_wrong_form(octets))
        try:
            signature = base64url.decode(signature_segment)
            payload = base64url.decode(payload_segment)
        except base64url.Base64URLError:
            raise MalformedTokenError(_wrong_form(octets)) from None
        known = self._known.get(header_segment)
        if known is None:
            header, key = self._verify_unknown(header_segment, message, signature)
        else:
            verify, header, key = known
            verify(message, signature)
        # Not a claim is looked at before this line: the signature holds.
        registered, claims = self._claims.decode(payload)
        policy = self._policy
        policy.check(registered, seconds_of(self._clock() if now is None else now))
        if policy.required_names:
            _check_required(policy.required_names, payload)
        return VerifiedToken(claims, header, key, payload)

    def _verify_unknown(self, segment: bytes, message: bytes, signature: bytes) -> tuple[Header, Key]:
        """Verify under a header not seen before; remember it if it was a good token that brought it."""
        if segment[:7].lower() == b"bearer ":
            raise MalformedTokenError("What was given begins with 'Bearer': take the scheme off first.")
        parameters = parse_header(segment, self._limits)
        header, b64 = check_headers(parameters, parameters, ())
        if not b64:
            raise InvalidHeaderError("A JWT must not have an unencoded payload (RFC 7797 section 7).")
        self._check_type(header)
        candidates = self._keys.select(alg=header.alg, kid=header.kid)
        for key in candidates:
            try:
                key.verify(message, signature)
            except InvalidSignatureError:
                continue
            if len(candidates) == 1:
                self._remember(segment, header, key)
            return header, key
        raise InvalidSignatureError

    def _remember(self, segment: bytes, header: Header, key: Key) -> None:
        # Only whoever holds a signing key gets here, but even that one shall not fill the memory.
        if len(self._known) >= _MOST_KNOWN_HEADERS:
            self._known.clear()
        self._known[segment] = (key.verify, header, key)

    def _check_type(self, header: Header) -> None:
        typ = header.typ
        if typ is None:
            if self._typ == "JWT":
                return
        elif same_media_type(typ, self._typ):
            return
        stated = "states no type" if typ is None else "is of another type"
        raise UnexpectedTypeError(
            f"The token {stated}; it must be of type {self._typ!r} ('typ').", typ=typ, expected=self._typ
        )

    def _decrypted(self, octets: bytes) -> bytes:
        """Decrypt the outer token; what is inside must say that it is a JWT (RFC 7519 section 5.2)."""
        assert self._decrypt_with is not None  # noqa: S101 - the caller asked
        outer = jwe.decrypt(octets, self._decrypt_with, limits=self._limits)
        cty = outer.header.cty
        if cty is None or not same_media_type(cty, "JWT"):
            raise UnexpectedTypeError("The encrypted content must be a JWT ('cty').", typ=cty, expected="JWT")
        return outer.plaintext

    def __repr__(self) -> str:
        return f"<Verifier {self._typ} issuer={self._policy.issuer!r} audience={sorted(self._policy.audience)!r}>"


_NO_KEY = {
    "verify": "There is no key for signatures among the keys, or none that may verify ('use', 'key_ops').",
    "decrypt": "There is no private key or secret for encryption among 'decrypt_with', or none that may decrypt.",
}


def _able(keys: KeySet, operation: Literal["verify", "decrypt"]) -> KeySet:
    """Return the keys of a set that may do this. Raises ``KeyUseError`` if there are none."""
    able = [key for key in keys if key.allows(operation)]
    if not able:
        raise KeyUseError(_NO_KEY[operation])
    return KeySet(able)


def _wrong_form(octets: bytes) -> str:
    if octets.count(b".") == 4:
        return "The token is encrypted: a verifier reads those if it is given 'decrypt_with'."
    return "A signed token has three parts of canonical base64url, separated by periods."


def _check_required(names: tuple[str, ...], payload: bytes) -> None:
    """Look for claims beyond the registered ones. A ``null`` counts as missing."""
    # Their values stay unread: what the claims' type does not name must not be refused here and passed over elsewhere.
    present = _decode_members(payload)
    for name in names:
        if bytes(present.get(name, b"null")) == b"null":
            raise missing(name)
