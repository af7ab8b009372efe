"""The registered claims (RFC 7519 section 4.1) as types, and how a payload becomes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, dataclass_transform

import msgspec

from ..._core.json import nests_deeper_than
from ..errors import ConfigurationError, InvalidClaimError, MalformedTokenError, MissingClaimError

__all__ = ["REGISTERED", "Claims", "ClaimsDecoder", "keeps_registered_fields"]

C = TypeVar("C")

REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")

_PATH = re.compile(r"\$\.?(?P<claim>[^.`\[]*)")
_MISSING = re.compile(r"Object missing required field `(?P<claim>[^`]*)`")
_LONGEST_REASON = 120


if TYPE_CHECKING:
    Text: TypeAlias = str | None
    Texts: TypeAlias = str | tuple[str, ...] | None
    NumericDate: TypeAlias = int | float | None
else:
    # What the decoder sees: a claim may be absent, which reads as None, but a JSON null is neither text nor number.
    Text = str
    Texts = str | tuple[str, ...]
    NumericDate = int | float


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _ClaimsMeta(msgspec.StructMeta):
    """Makes subclasses what ``Claims`` is, without their having to repeat it: frozen, and with named fields."""

    def __new__(mcls, *definition: Any, kw_only: bool = True, **options: Any) -> Any:
        return super().__new__(mcls, *definition, kw_only=kw_only, **options)


class Claims(msgspec.Struct, metaclass=_ClaimsMeta, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The registered claims. Subclass it to add your own, with types; fields without a default are required.

    ::

        class Access(Claims):
            client_id: str
            scope: str = ""

    Attributes:
        iss: Who issued the token.
        sub: Whom it is about.
        aud: For whom it is meant: one recipient or several.
        exp: When it ends, in seconds since 1970-01-01T00:00:00Z.
        nbf: When it begins, likewise.
        iat: When it was issued, likewise.
        jti: Its own identifier.
    """

    iss: Text = None
    sub: Text = None
    aud: Texts = None
    exp: NumericDate = None
    nbf: NumericDate = None
    iat: NumericDate = None
    jti: Text = None


_decode_registered = msgspec.json.Decoder(Claims).decode


class ClaimsDecoder(Generic[C]):
    """Decodes payloads into one type of claims.

    A subclass of ``Claims`` is decoded once and serves for the checks too. Any other type that ``msgspec`` can decode
    (a mapping, another struct, a dataclass) is decoded beside the registered claims.
    """

    __slots__ = ("_decode", "_depth", "_serves_for_checks")

    def __init__(self, kind: type[C], *, depth: int) -> None:
        """Take the type and the deepest nesting allowed. Raises ``ConfigurationError`` if it cannot be decoded."""
        try:
            self._decode: Callable[[str], C] = msgspec.json.Decoder(kind).decode
        except (TypeError, ValueError):
            raise ConfigurationError(
                "'claims' must be a type that msgspec can decode, such as Claims or dict."
            ) from None
        self._depth = depth
        self._serves_for_checks = keeps_registered_fields(kind)

    def decode(self, payload: bytes) -> tuple[Claims, C]:
        """Return the registered claims and the caller's.

        Raises:
            MalformedTokenError: If the payload is not a JSON object in UTF-8, or nests too deep.
            InvalidClaimError: If a claim has the wrong type.
            MissingClaimError: If a field without a default is not there.
        """
        if nests_deeper_than(payload, self._depth):
            raise MalformedTokenError(f"The claims nest deeper than {self._depth} levels.")
        try:
            # msgspec does not look into the strings that it skips: this makes sure that all of it is UTF-8.
            text = payload.decode("utf-8")
            claims = self._decode(text)
            registered: Any = claims if self._serves_for_checks else _decode_registered(text)
        except msgspec.ValidationError as error:
            raise _translated(error) from None
        except (ValueError, RecursionError):
            raise MalformedTokenError("The payload is not a JSON object in UTF-8.") from None
        return registered, claims


def keeps_registered_fields(kind: object) -> bool:
    """Tell whether a type has the registered claims under their own names and types, and invents none.

    A default of its own would stand in for a claim that the token does not make.
    """
    if not (isinstance(kind, type) and issubclass(kind, Claims)):
        return False
    wanted = {field.name: field for field in msgspec.structs.fields(Claims)}
    found = {field.name: field for field in msgspec.structs.fields(kind)}
    return all(
        found[name].encode_name == name
        and _is_within(found[name].type, field.type)
        and found[name].default in (None, msgspec.NODEFAULT)
        and found[name].default_factory is msgspec.NODEFAULT
        for name, field in wanted.items()
    )


def _is_within(narrow: Any, wide: Any) -> bool:
    """Tell whether a field's type is the one of ``Claims`` or a part of it, such as ``str`` of ``str | None``."""
    return narrow == wide or set(_alternatives(narrow)) <= set(_alternatives(wide))


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    is_union = type(annotation).__name__ in {"UnionType", "_UnionGenericAlias", "Union"}
    return arguments if is_union else (annotation,)


def _translated(
    error: msgspec.ValidationError,
) -> InvalidClaimError | MissingClaimError | MalformedTokenError:
    """Turn msgspec's words into an error that names the claim."""
    # The reason may quote the token; the path behind it never does.
    reason, _, location = str(error).rpartition(" - at `")
    missing = _MISSING.fullmatch(location)
    if missing is not None and not reason:
        claim = missing["claim"]
        return MissingClaimError(f"The claim {claim!r} is missing.", claim=claim)
    path = _PATH.match(location)
    if path is None or not path["claim"] or not reason:
        return MalformedTokenError("The payload is not a JSON object of claims.")
    claim = path["claim"]
    return InvalidClaimError(f"The claim {claim!r} has the wrong type: {_shown(reason)}.", claim=claim)


def _shown(reason: str) -> str:
    """Shorten what may hold any value of the token, and keep it on one line."""
    short = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in short)
