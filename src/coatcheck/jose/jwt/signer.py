"""Signing tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from ..._core import base64url, json
from ..._core.clock import Clock, system_clock
from .. import jwe
from ..errors import ConfigurationError, KeyUseError
from ..header import is_media_type
from ..json_serialization import encoded_header
from ..jwe.sealing import chosen_content
from ..jws.signature import protected_parameters
from ..key import Key, the_key
from .claims import REGISTERED, Claims, keeps_registered_fields
from .policy import Anything, instant, seconds_of, the_clock

__all__ = ["Signer"]

_DEFAULT_LIFETIME = timedelta(minutes=5)
_TIMES = ("exp", "nbf", "iat")
_NOTHING = (None,) * 5
_NO_SIGNING = {
    True: "The key is not for signing: see its algorithm, 'use' and 'key_ops'.",
    False: "This is a public key; to sign takes the private key.",
}
_TEXT = frozenset({str})


class Signer:
    """Signs tokens of one kind, as one issuer, with one key. Immutable, and safe to share.

    Every token gets ``iss``, ``iat`` and ``exp`` (and ``aud`` where the signer is for one audience).
    """

    __slots__ = (
        "_clock",
        "_enc",
        "_encrypt_to",
        "_head",
        "_issuer",
        "_key",
        "_lifetime",
        "_pinned",
        "_protected",
        "_typ",
    )

    def __init__(
        self,
        key: Key,
        *,
        issuer: str | None,
        audience: str | Collection[str] | None = None,
        typ: str = "JWT",
        lifetime: timedelta | Anything = _DEFAULT_LIFETIME,
        header: Mapping[str, Any] | None = None,
        clock: Clock = system_clock,
        encrypt_to: Key | None = None,
        enc: str | None = None,
    ) -> None:
        """Fix what all tokens have in common.

        Args:
            key: The private key or secret.
            issuer: The ``iss`` of all tokens; ``None`` for kinds of tokens that have none.
            audience: The ``aud`` of all tokens, unless their claims name it.
            typ: The kind of token (RFC 8725 section 3.11), for example ``"at+jwt"``.
            lifetime: How long tokens live, unless their claims say when they end.
            header: Further header parameters.
            clock: Where the time comes from, in seconds.
            encrypt_to: The recipient's key, to encrypt each signed token to (RFC 7519 section 11.2).
            enc: The content encryption for that; unless given, the one the key is pinned to, or A256GCM.

        Raises:
            ConfigurationError: If an argument makes no sense.
            KeyUseError: If a key is not for signing, or not for encrypting.
        """
        if not the_key(key).allows("sign"):
            raise KeyUseError(_NO_SIGNING[key.is_private])
        if encrypt_to is not None:
            if not the_key(encrypt_to).allows("encrypt"):
                raise KeyUseError("'encrypt_to' takes a key that is for encryption and may encrypt.")
            enc = chosen_content(enc, [encrypt_to]).name
        if not isinstance(typ, str) or not is_media_type(typ):
            raise ConfigurationError("'typ' must name the kind of token, for example 'at+jwt'.")
        if issuer is not None and (not isinstance(issuer, str) or not issuer):
            raise ConfigurationError(
                "'issuer' must be text that is not empty, or None for tokens without one."
            )
        self._key = key
        self._typ = typ
        self._issuer = issuer
        self._lifetime = _seconds(lifetime)
        self._clock = the_clock(clock)
        self._encrypt_to = encrypt_to
        self._enc = enc
        parameters = protected_parameters(key, typ=typ, cty=None, header=header, b64=True)
        self._protected = encoded_header(parameters) + b"."
        pinned = {"iss": issuer, "aud": _audience(audience)}
        self._pinned = {name: value for name, value in pinned.items() if value is not None}
        self._head = _template(self._pinned, expires=self._lifetime is not None)

    def sign(self, claims: Mapping[str, Any] | msgspec.Struct, *, now: float | datetime | None = None) -> str:
        """Sign claims and return the token.

        Args:
            claims: The claims: a ``Claims`` object, a mapping, or another ``msgspec.Struct``. Times may be aware
                ``datetime`` objects.
            now: The time of issue, in seconds since 1970 or as an aware ``datetime``; the clock's unless given.

        Raises:
            ConfigurationError: If the claims contradict the signer or cannot be written as JSON.
            KeyUseError: If the key may not sign.
        """
        issued_at = int(seconds_of(self._clock() if now is None else now))
        payload = self._payload(claims, issued_at)
        message = self._protected + base64url.encode_to_bytes(payload)
        token = message + b"." + base64url.encode_to_bytes(self._key.sign(message))
        if self._encrypt_to is not None:
            return jwe.encrypt(token, self._encrypt_to, enc=self._enc, cty="JWT")
        return token.decode("ascii")

    def _payload(self, claims: object, issued_at: int) -> bytes:
        try:
            if type(claims) is dict:
                if _leaves_all_to_signer(claims):
                    return self._spliced(_encoded(claims), issued_at)
            elif isinstance(claims, Claims):
                states_nothing = (claims.iss, claims.aud, claims.iat, claims.exp, claims.nbf) == _NOTHING
                if states_nothing and _is_written_as_stated(type(claims)):
                    return self._spliced(_encoded(claims), issued_at)
                claims = _stated(claims)
            elif isinstance(claims, msgspec.Struct):
                claims = msgspec.to_builtins(claims, builtin_types=(datetime,))
            if not isinstance(claims, Mapping):
                raise ConfigurationError(
                    "Claims are given as a mapping, a Claims object or another msgspec.Struct."
                )
            return _encoded(self._completed(claims, issued_at))
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            raise ConfigurationError("The claims have a value that cannot be written as JSON.") from None

    def _spliced(self, body: bytes, issued_at: int) -> bytes:
        """Put what the signer adds before claims that are already written: nothing is written twice."""
        lifetime = self._lifetime
        head = self._head % (issued_at if lifetime is None else (issued_at, issued_at + lifetime))
        return head + (b"," + body[1:] if len(body) > 2 else b"}")

    def _completed(self, claims: Mapping[str, Any], issued_at: int) -> dict[str, Any]:
        """Add what the claims do not say, and check what they say."""
        completed: dict[str, Any] = {**self._pinned, "iat": issued_at}
        if self._lifetime is not None:
            completed["exp"] = issued_at + self._lifetime
        completed.update(claims)
        if self._issuer is not None and completed["iss"] != self._issuer:
            raise ConfigurationError("The claim 'iss' contradicts the signer's issuer.")
        for name in _TIMES:
            if name in completed:
                completed[name] = _numeric_date(completed[name], name)
        _check_texts(completed)
        return completed

    def __repr__(self) -> str:
        return f"<Signer {self._typ} issuer={self._issuer!r} key={self._key!r}>"


def _stated(claims: Claims) -> dict[str, Any]:
    """Return what a claims object states. A registered claim of ``None`` is one that it does not."""
    members = msgspec.to_builtins(claims, builtin_types=(datetime,))
    if not isinstance(members, dict):
        raise ConfigurationError("A type that is written as an array (array_like) is no type for claims.")
    # A default counts as stated too, and no registered claim goes by another name.
    members.update((name, getattr(claims, name)) for name in REGISTERED)
    return {name: value for name, value in members.items() if value is not None or name not in REGISTERED}


@lru_cache(maxsize=256)
def _is_written_as_stated(kind: type[Claims]) -> bool:
    """Tell whether writing an object of this type leaves out exactly the registered claims that it does not state."""
    config = kind.__struct_config__
    return config.omit_defaults and not config.array_like and keeps_registered_fields(kind)


def _encoded(claims: object) -> bytes:
    """Write claims as JSON. Raises ``ConfigurationError`` for NaN and infinity, which JSON does not have."""
    written = json.encode(claims)
    # The encoder writes null in their place, and only there is it worth looking for them.
    if written.rfind(b"null") >= 0 and _has_no_number(msgspec.to_builtins(claims)):
        raise ConfigurationError("The claims have a number that JSON cannot write (NaN or infinity).")
    return written


def _has_no_number(value: object) -> bool:
    if isinstance(value, float):
        return not isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_no_number, value))


def _seconds(lifetime: object) -> int | None:
    if isinstance(lifetime, Anything):
        return None
    if not isinstance(lifetime, timedelta) or lifetime < timedelta(seconds=1):
        raise ConfigurationError(
            "'lifetime' must be a timedelta of at least a second; for tokens that never end: hazmat.NO_EXPIRY."
        )
    return int(lifetime.total_seconds())


def _audience(audience: object) -> str | list[str] | None:
    if audience is None or isinstance(audience, str):
        return audience
    names = list(audience) if isinstance(audience, Collection) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError("'audience' must be text or a collection of texts.")
    return names


def _numeric_date(value: object, name: str) -> float:
    """Return a NumericDate (RFC 7519 section 2): whole seconds where the value is whole."""
    if type(value) is int:
        return value
    if not isinstance(value, (int, float, datetime)):
        raise ConfigurationError(f"The claim {name!r} must be a number of seconds or an aware datetime.")
    seconds = instant(value)
    return int(seconds) if seconds == int(seconds) else seconds


def _template(pinned: Mapping[str, Any], *, expires: bool) -> bytes:
    """Return what every token's claims begin with, with places for the numbers of ``iat`` and ``exp``."""
    try:
        head = json.encode(dict(pinned))[:-1].replace(b"%", b"%%")
    except UnicodeEncodeError:
        raise ConfigurationError("'issuer' and 'audience' must be valid Unicode text.") from None
    separator = b"," if pinned else b""
    return head + separator + b'"iat":%d' + (b',"exp":%d' if expires else b"")


def _leaves_all_to_signer(claims: dict[Any, Any]) -> bool:
    """Tell whether claims have nothing to be checked, completed or converted: the common case, made quick."""
    return not (
        "iss" in claims
        or "aud" in claims
        or "exp" in claims
        or "iat" in claims
        or type(claims.get("nbf", 0)) is not int
        or type(claims.get("sub", "")) is not str
        or type(claims.get("jti", "")) is not str
        or not _TEXT.issuperset(map(type, claims))
    )


def _check_texts(claims: Mapping[str, Any]) -> None:
    """Refuse names that are no text, and registered claims of a type that every strict verifier would refuse."""
    # A subclass of str may have an equality of its own, and so write a claim twice.
    if not _TEXT.issuperset(map(type, claims)):
        raise ConfigurationError("The names of claims must be text.")
    for name in ("iss", "sub", "jti"):
        if not isinstance(claims.get(name, ""), str):
            raise ConfigurationError(f"The claim {name!r} must be text.")
    audience = claims.get("aud", "")
    several = isinstance(audience, (list, tuple)) and all(isinstance(item, str) for item in audience)
    if not (several or isinstance(audience, str)):
        raise ConfigurationError("The claim 'aud' must be text or a list of texts.")
