"""How a rule says no."""

from __future__ import annotations

from ..errors import InvalidClientMetadataError

__all__ = ["refused"]


def refused(field: str, message: str) -> InvalidClientMetadataError:
    """Return the refusal of one member of the metadata. What stood in it is not repeated."""
    return InvalidClientMetadataError(f"{field}: {message}", field=field)
