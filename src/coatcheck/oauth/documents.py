"""Documents that clients name by URL."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from ..errors import CoatcheckError

__all__ = ["Document", "DocumentError", "NoDocuments"]


class DocumentError(CoatcheckError):
    """A document that a client named cannot be had."""

    code = "document_unavailable"

    def __init__(self, *, detail: str) -> None:
        super().__init__("A document that the client names cannot be fetched.", detail=detail)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it came.

    Attributes:
        body: Its octets.
        fresh_for: For how many seconds it may be kept by what its server says of that (RFC 9111); 0 for not at all,
            ``None`` if it says nothing.
    """

    body: bytes
    fresh_for: int | None = None


class NoDocuments:
    """Fetches nothing: where there is no network to fetch from. Satisfies ``oauth.ports.DocumentFetcher``."""

    async def fetch(self, url: str, *, accept: Collection[str] = ("application/json",)) -> bytes:
        """Refuse."""
        raise DocumentError(detail=f"no documents are fetched here, {url!r} neither: {', '.join(accept)}")

    async def get(self, url: str, *, accept: Collection[str] = ("application/json",)) -> Document:
        """Refuse."""
        return Document(body=await self.fetch(url, accept=accept))
