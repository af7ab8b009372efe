"""The registered claims (RFC 7519 section 4.1) as types, and how a payload becomes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, dataclass_transform

import msgspec

from ..._core.json import nests_deeper_than
from ..errors import ClaimError, ConfigurationError, InvalidClaimError, MalformedTokenError, MissingClaimError

__all__ = ["REGISTERED", "Claims", "ClaimsDecoder", "keeps_registered_fields"]

C = TypeVar("C")

REGISTERED = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")

_NOT_DECODABLE = "'claims' must be a type that msgspec can decode, such as a subclass of Claims, or dict."

_PATH = re.compile(r"\$\.?(?P<claim>[^.`\[]*)")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<claim>.*)`", re.DOTALL)
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
        except (TypeError, ValueError, NameError, AttributeError) as error:
            raise ConfigurationError(_NOT_DECODABLE, detail=str(error)) from None
        _check_kind(kind)
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
        except (ValueError, msgspec.MsgspecError, RecursionError):
            raise MalformedTokenError("The payload is not a JSON object in UTF-8.") from None
        return registered, claims


def _check_kind(kind: Any) -> None:
    """Refuse decodable types that cannot stand for a JSON object of claims, before the first token comes.

    Raises:
        ConfigurationError: If it is written as an array, or only a hook that is not here could decode it.
    """
    if getattr(getattr(kind, "__struct_config__", None), "array_like", False):
        raise ConfigurationError("A type that is written as an array (array_like) is no type for claims.")
    if isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.CustomType) and kind is not object:
        raise ConfigurationError(
            f"{getattr(kind, '__name__', kind)} is no type that msgspec can decode. For models of "
            "another library use claims=dict, and build the model from the verified claims."
        )


def keeps_registered_fields(kind: Any) -> bool:
    """Tell whether a type has the registered claims under their own names and types, and invents and hides none.

    A default of its own would stand in for a claim that the token does not make; a class attribute, a property or an
    attribute hook would hide the claim that it does make.
    """
    if not (isinstance(kind, type) and issubclass(kind, Claims)):
        return False
    wanted = {field.name: field for field in msgspec.structs.fields(Claims)}
    found = {field.name: field for field in msgspec.structs.fields(kind)}
    return not _hides_fields(kind) and all(
        found[name].encode_name == name
        and _is_within(found[name].type, field.type)
        and found[name].default in (None, msgspec.NODEFAULT)
        and found[name].default_factory is msgspec.NODEFAULT
        for name, field in wanted.items()
    )


def _hides_fields(kind: Any) -> bool:
    """Tell whether reading a registered claim from an object could give anything but the decoded field."""
    hooked = kind.__getattribute__ is not object.__getattribute__ or hasattr(kind, "__getattr__")
    first_in_line = (
        next(base.__dict__[name] for base in kind.__mro__ if name in base.__dict__) for name in REGISTERED
    )
    return hooked or not all(isinstance(attribute, MemberDescriptorType) for attribute in first_in_line)


def _is_within(narrow: Any, wide: Any) -> bool:
    """Tell whether a field's type is the one of ``Claims`` or a part of it, such as ``str`` of ``str | None``."""
    return narrow == wide or set(_alternatives(narrow)) <= set(_alternatives(wide))


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    is_union = type(annotation).__name__ in {"UnionType", "_UnionGenericAlias", "Union"}
    return arguments if is_union else (annotation,)


def _translated(error: msgspec.ValidationError) -> ClaimError | MalformedTokenError:
    """Turn msgspec's words into an error that names the claim."""
    # The reason may quote the token; the path behind it never does.
    reason, _, location = str(error).rpartition(" - at `")
    if not reason:
        return _translated_without_path(location)
    path = _PATH.match(location)
    if path is None or not path["claim"]:
        return MalformedTokenError("The payload is not a JSON object of claims.")
    claim, inner = path["claim"], location.rstrip("`")
    place = "" if inner == f"$.{claim}" else f", at {inner}"
    return InvalidClaimError(f"The claim {claim!r} has the wrong type: {_shown(reason)}{place}.", claim=claim)


def _translated_without_path(text: str) -> ClaimError | MalformedTokenError:
    """Translate what concerns the claims as a whole."""
    missing, unknown = _MISSING.fullmatch(text), _UNKNOWN.fullmatch(text)
    if missing is not None:
        return MissingClaimError(f"The claim {missing['claim']!r} is missing.", claim=missing["claim"])
    if unknown is not None:
        claim = _shown(unknown["claim"])
        return InvalidClaimError(f"The claim {claim!r} is not one of those that are known.", claim=claim)
    if text.startswith("Expected `"):
        return MalformedTokenError("The payload is not a JSON object of claims.")
    return InvalidClaimError(f"The claims are refused by their type: {_shown(text)}.", claim="")


def _shown(reason: str) -> str:
    """Shorten what may hold any value of the token, and keep it on one line."""
    short = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in short)
