"""The header of a token: parsed strictly, then handed around as an immutable value.

Whatever it says about keys (``jku``, ``jwk``, ``x5u``, ``x5c``) is carried and never followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, final

from .._core import base64url, json
from .errors import ConfigurationError, CriticalHeaderError, InvalidHeaderError, TokenTooLargeError
from .limits import Limits

__all__ = [
    "Header",
    "check_critical",
    "check_parameters",
    "extra_parameters",
    "frozen",
    "is_media_type",
    "parse_header",
    "same_media_type",
]

_STRING_PARAMETERS = ("alg", "kid", "typ", "cty", "enc", "zip", "jku", "x5u", "x5t", "x5t#S256", "apu", "apv")

# Names that RFC 7515, 7516, 7518 and 7519 define may not be listed as critical extensions (RFC 7515 section 4.1.11).
_NOT_EXTENSIONS = frozenset(
    {*_STRING_PARAMETERS, "jwk", "x5c", "crit", "epk", "iv", "tag", "p2s", "p2c", "iss", "sub", "aud"}
)


@final
class Header(Mapping[str, Any]):
    """The parameters of a token's header: a read-only mapping with names for the common ones."""

    __slots__ = ("_parameters",)

    _parameters: Mapping[str, Any]

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """Take parameters whose types have been checked by ``check_parameters``."""
        object.__setattr__(self, "_parameters", frozen(parameters))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A header cannot be changed.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("A header cannot be changed.")

    @property
    def alg(self) -> str:
        """The algorithm."""
        alg: str = self._parameters["alg"]
        return alg

    @property
    def kid(self) -> str | None:
        """The identifier of the key, or ``None``."""
        kid: str | None = self._parameters.get("kid")
        return kid

    @property
    def typ(self) -> str | None:
        """The kind of token, or ``None``."""
        typ: str | None = self._parameters.get("typ")
        return typ

    @property
    def cty(self) -> str | None:
        """The content type, or ``None``."""
        cty: str | None = self._parameters.get("cty")
        return cty

    @property
    def enc(self) -> str | None:
        """The content encryption of a JWE, or ``None``."""
        enc: str | None = self._parameters.get("enc")
        return enc

    def __getitem__(self, name: str) -> Any:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return f"Header({dict(self._parameters)!r})"


def frozen(value: Any) -> Any:
    """Return a copy that nobody can change: a header is shared by every token that carries it."""
    if isinstance(value, Mapping):
        # Most parameters are text, which needs no copy.
        members = {name: item if type(item) is str else frozen(item) for name, item in value.items()}
        return MappingProxyType(members)
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in value)
    return value


def parse_header(segment: bytes, limits: Limits) -> dict[str, Any]:
    """Decode a protected header (RFC 7515 section 5.2 steps 2 to 4). Its members' types are checked elsewhere.

    Raises:
        TokenTooLargeError: If it is longer than the limit.
        InvalidHeaderError: If it is not base64url of a JSON object with distinct names, or nests too deep.
    """
    if len(segment) > limits.header:
        raise TokenTooLargeError(f"The header is longer than {limits.header} characters.")
    try:
        return json.decode_object(base64url.decode(segment), max_depth=limits.depth)
    except base64url.Base64URLError:
        raise InvalidHeaderError("The header is not canonical base64url.") from None
    except json.JSONError as error:
        raise InvalidHeaderError(f"The header cannot be read: {error}.") from None


def check_parameters(parameters: Mapping[str, Any]) -> Header:
    """Check the types of the registered parameters and return the header.

    Raises:
        InvalidHeaderError: If ``alg`` is missing or a parameter has the wrong type.
    """
    if "alg" not in parameters:
        raise InvalidHeaderError("The header names no algorithm ('alg').")
    for name in _STRING_PARAMETERS:
        if name in parameters and not isinstance(parameters[name], str):
            raise InvalidHeaderError(f"The header parameter {name!r} must be a string.")
    try:
        return Header(parameters)
    except RecursionError:  # of a mapping, which no parser has bounded
        raise InvalidHeaderError("The header nests too deep.") from None


def extra_parameters(header: object) -> dict[str, Any]:
    """Return a copy of the caller's own parameters. Raises ``ConfigurationError`` if they are no mapping of names."""
    if header is None:
        return {}
    if not isinstance(header, Mapping) or not all(isinstance(name, str) for name in header):
        raise ConfigurationError("'header' must be a mapping of parameter names to values.")
    return dict(header)


def check_critical(
    protected: Mapping[str, Any], parameters: Mapping[str, Any], understood: Collection[str]
) -> None:
    """Honour ``crit`` (RFC 7515 section 4.1.11): every extension it lists must be there and be understood.

    Args:
        protected: The integrity-protected parameters, where alone ``crit`` may stand.
        parameters: All of them.
        understood: The extensions that the caller or this library processes.

    Raises:
        CriticalHeaderError: If the list is malformed or names something not understood.
    """
    if "crit" not in parameters:
        return
    names = protected.get("crit")
    if not isinstance(names, (list, tuple)) or not names:
        raise CriticalHeaderError("'crit' must be a list that is not empty, in the protected header.")
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise CriticalHeaderError("'crit' must list distinct names.")
    for name in names:
        if name in _NOT_EXTENSIONS:
            raise CriticalHeaderError("'crit' lists a parameter that the specification itself defines.")
        if name not in protected:
            raise CriticalHeaderError("'crit' lists a parameter that is not in the protected header.")
        if name not in understood:
            raise CriticalHeaderError("'crit' lists an extension that is not understood here.")


def same_media_type(stated: str, expected: str) -> bool:
    """Compare ``typ`` or ``cty`` values, without case and a leading ``application/`` (RFC 7515 section 4.1.9)."""
    return _short(stated) == _short(expected)


def is_media_type(text: str) -> bool:
    """Tell whether a text names a media type at all."""
    return bool(_short(text))


def _short(media_type: str) -> str:
    # Media types are ASCII. Beyond it, lower() makes letters of other characters: the Kelvin sign becomes a k.
    lowered = media_type.lower() if media_type.isascii() else media_type
    rest = lowered.removeprefix("application/")
    return lowered if "/" in rest else rest
