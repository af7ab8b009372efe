"""Links that were mailed: looked at without using them up, because whoever scans mail follows them too."""

from __future__ import annotations

from .._core.secrets import digest
from ..accounts.errors import InvalidLinkError
from ..accounts.model import Link, LinkPurpose
from .context import Context

__all__ = ["look_at_link"]


async def look_at_link(context: Context, secret: str, purpose: LinkPurpose) -> Link:
    """Return the link of a secret, if it works for this purpose.

    Raises:
        InvalidLinkError: If it does not work (any more).
    """
    link = await context.storage.records.find_link(digest(secret), purpose)
    if link is None or context.clock() >= link.expires_at:
        raise InvalidLinkError
    return link
