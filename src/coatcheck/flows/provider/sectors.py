"""The document that holds the hosts of a sector together (OpenID Connect Core section 8.1, Registration section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...oauth.documents import DocumentError
from ...oauth.errors import InvalidClientMetadataError
from ...oauth.metadata_rules.subjects import check_sector_document
from ...oauth.registration import CheckedMetadata

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["check_sector"]


async def check_sector(context: Context, checked: CheckedMetadata) -> None:
    """Fetch the document of a ``sector_identifier_uri``, if there is one, and check that it names all redirect URIs.

    It is asked for whenever a client is registered or changed, by whoever, and never kept.

    Raises:
        InvalidClientMetadataError: If it cannot be had, or does not name them.
    """
    url = checked.sector_identifier_uri
    if url is None:
        return
    try:
        document = await context.documents.fetch(url)
    except DocumentError as error:
        raise InvalidClientMetadataError(
            "sector_identifier_uri: its document cannot be fetched.",
            field="sector_identifier_uri",
            detail=error.detail,
        ) from None
    check_sector_document(document, checked.redirect_uris)
