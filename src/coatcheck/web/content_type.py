"""``Content-Type`` (RFC 9110 section 8.3), as far as it matters for the two kinds of body that are read."""

from __future__ import annotations

__all__ = ["FORM", "JSON", "charset", "media_type"]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def media_type(content_type: str) -> str:
    """Return type and subtype in lower case, without parameters."""
    return content_type.partition(";")[0].strip(" \t").lower()


def charset(content_type: str) -> str | None:
    """Return the charset in lower case; ``None`` if none is named."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip(" \t").lower() == "charset":
            return value.strip(' \t"').lower()
    return None
