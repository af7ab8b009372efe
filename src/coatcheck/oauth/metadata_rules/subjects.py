"""By which name a client knows users, and for whom that name is made (OpenID Connect Core section 8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from ..redirect_uris import is_private_scheme
from .refusal import refused

__all__ = ["check_sector_document", "check_subject_type", "sector_of"]


def check_subject_type(asked: str | None) -> Literal["public", "pairwise"]:
    """Return the subject type; ``public`` for a client that does not say.

    Raises:
        InvalidClientMetadataError: If there is no such type.
    """
    if asked is None or asked == "public":
        return "public"
    if asked == "pairwise":
        return "pairwise"
    raise refused("subject_type", "it is public or pairwise.")


def sector_of(redirect_uris: Sequence[str], sector_identifier_uri: str | None, *, pairwise: bool) -> str:
    """Return the host that pairwise subjects are made for; ``""`` for a client that needs none.

    Raises:
        InvalidClientMetadataError: If the redirect URIs are on several hosts, or on none, and there is no document
            that holds them together.
    """
    if sector_identifier_uri is not None:
        return urlsplit(sector_identifier_uri).hostname or ""
    if not pairwise:
        return ""
    parts = [urlsplit(each) for each in redirect_uris]
    hosts = {each.hostname or "" for each in parts}
    if len(hosts) != 1 or "" in hosts or any(map(is_private_scheme, parts)):
        raise refused(
            "sector_identifier_uri", "pairwise subjects need it where redirect URIs are not all on one host."
        )
    return hosts.pop()


def check_sector_document(document: bytes, redirect_uris: Collection[str]) -> None:
    """Check that a sector's document names all redirect URIs (OpenID Connect Registration section 5).

    A client could otherwise name somebody else's sector, and learn who their users are.

    Raises:
        InvalidClientMetadataError: If it does not.
    """
    try:
        named = frozenset(msgspec.json.decode(document, type=list[str]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise refused("sector_identifier_uri", "its document is no JSON array of URIs.") from None
    if not named.issuperset(redirect_uris):
        raise refused("sector_identifier_uri", "its document does not name all of the redirect URIs.")
