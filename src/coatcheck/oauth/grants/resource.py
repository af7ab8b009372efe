"""Which API a token is for (RFC 8707): one that was granted, and one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..errors import InvalidTargetError

__all__ = ["canonical_resource", "chosen_audience", "the_resource"]

_HOST_AND_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]+/", re.ASCII)


def canonical_resource(resource: str) -> str:
    """Return a resource as it is compared: letter by letter, but for the slash that URL parsers add to a bare host."""
    return resource[:-1] if _HOST_AND_SLASH.fullmatch(resource) else resource


def the_resource(resources: Sequence[str]) -> str | None:
    """Return the one resource that a token request asks for; ``None`` if it does not say.

    Raises:
        InvalidTargetError: If it asks for several: a token is for one API.
    """
    if not resources:
        return None
    if len({canonical_resource(each) for each in resources}) > 1:
        raise InvalidTargetError(
            "A token is for one resource: ask for each in a request of its own.", field="resource"
        )
    return resources[0]


def chosen_audience(granted: Iterable[str], resource: str | None, *, default: str) -> str:
    """Return the audience of a token from a grant.

    Args:
        granted: The APIs that were granted, the first of which a token is for unless another is asked for.
        resource: What is asked for.
        default: What a grant without any API is for.

    Raises:
        InvalidTargetError: If it was not granted.
    """
    audiences = tuple(granted) or (default,)
    if resource is None:
        return audiences[0]
    wanted = canonical_resource(resource)
    for each in audiences:
        if canonical_resource(each) == wanted:
            return each
    raise InvalidTargetError("This resource was not granted.", field="resource")
