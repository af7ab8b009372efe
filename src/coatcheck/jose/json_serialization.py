"""What the JSON serialisations of JWS and JWE share: reading a JSON object of strings, objects and lists of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .._core import base64url, json
from .errors import ConfigurationError, InvalidHeaderError, MalformedTokenError, TokenTooLargeError
from .header import parse_header
from .limits import Limits, the_limits

__all__ = ["joined", "object_member", "octets_member", "read_object", "segment_member", "unflattened"]


def read_object(token: object, limits: Limits) -> Mapping[str, Any]:
    """Take a mapping, or parse JSON text, within the limits. Raises ``MalformedTokenError``."""
    if isinstance(token, Mapping):
        _check_shape(token, the_limits(limits))
        return token
    if not isinstance(token, (str, bytes)):
        raise MalformedTokenError("A token in JSON serialisation must be a mapping or JSON text.")
    if len(token) > 2 * the_limits(limits).token:
        raise TokenTooLargeError(f"The token is longer than {2 * limits.token} characters.")
    try:
        return json.decode_object(json.octets_of(token), max_depth=limits.depth)
    except json.JSONError as error:
        raise MalformedTokenError(f"The token is not in JSON serialisation: {error}.") from None


def _check_shape(token: Mapping[str, Any], limits: Limits) -> None:
    """Refuse what nests too deep or has too many members, level by level: recursion has a limit of its own."""
    containers: list[Any] = [token]
    seen = 0
    for _ in range(limits.depth):
        found: list[Any] = []
        for container in containers:
            seen += len(container)
            # One list may stand in many places, and those in many more.
            if seen > limits.token:
                raise TokenTooLargeError(f"The token has more than {limits.token} members.")
            items = container.values() if isinstance(container, Mapping) else container
            found += [item for item in items if isinstance(item, (Mapping, list, tuple))]
        if not found:
            return
        containers = found
    raise MalformedTokenError(f"The token is nested deeper than {limits.depth} levels.")


def segment_member(members: Mapping[str, Any], name: str, limits: Limits) -> bytes:
    """Return the base64url text of a member, empty if it is absent. Raises ``MalformedTokenError``."""
    value = members.get(name, "")
    if not isinstance(value, str) or not value.isascii():
        raise MalformedTokenError(f"The token's member {name!r} must be a base64url string.")
    if len(value) > limits.token:
        raise TokenTooLargeError(f"The token's member {name!r} is longer than {limits.token} characters.")
    return value.encode("ascii")


def octets_member(members: Mapping[str, Any], name: str, limits: Limits) -> bytes:
    """Return the decoded octets of a base64url member, empty if it is absent."""
    try:
        return base64url.decode(segment_member(members, name, limits))
    except base64url.Base64URLError:
        raise MalformedTokenError(f"The token's member {name!r} is not canonical base64url.") from None


def object_member(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that must be an object, empty if it is absent."""
    value = members.get(name, {})
    if not isinstance(value, Mapping):
        raise MalformedTokenError(f"The token's member {name!r} must be an object.")
    return value


def unflattened(
    members: Mapping[str, Any], plural: str, *, parts: tuple[str, ...], limits: Limits
) -> list[Mapping[str, Any]]:
    """Return the entries of ``signatures`` or ``recipients``, of which the flattened syntax has just one, unfolded.

    Raises:
        MalformedTokenError: If both syntaxes are mixed, or the list is empty or not one of objects.
        TokenTooLargeError: If there are more entries than the limit.
    """
    if plural not in members:
        return [{name: members[name] for name in parts if name in members}]
    if any(name in members for name in parts):
        raise MalformedTokenError(f"The token mixes the flattened syntax with {plural!r}.")
    entries = members[plural]
    if not isinstance(entries, (list, tuple)) or not entries:
        raise MalformedTokenError(f"The token's member {plural!r} must be a list that is not empty.")
    if len(entries) > limits.recipients:
        raise TokenTooLargeError(f"The token has more than {limits.recipients} {plural}.")
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise MalformedTokenError(f"The token's member {plural!r} must be a list of objects.")
    return list(entries)


def joined(
    protected_segment: bytes, *others: Mapping[str, Any], limits: Limits
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the protected parameters and all parameters together (RFC 7515 section 7.2.1: names must be distinct).

    Raises:
        InvalidHeaderError: If a parameter stands in two headers.
    """
    protected = parse_header(protected_segment, limits) if protected_segment else {}
    parameters = dict(protected)
    for other in others:
        if parameters.keys() & other.keys():
            raise InvalidHeaderError("A header parameter stands in more than one header.")
        parameters.update(other)
    return protected, parameters


def encoded_header(parameters: Mapping[str, Any]) -> bytes:
    """Write header parameters as base64url of JSON. Raises ``ConfigurationError`` for what JSON cannot say."""
    try:
        return base64url.encode_to_bytes(json.encode(dict(parameters)))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        raise ConfigurationError("The header has a value that cannot be written as JSON.") from None
