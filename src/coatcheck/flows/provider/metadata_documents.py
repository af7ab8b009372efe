"""Clients that nobody registered: their identifier is a URL, and there is their metadata.

draft-ietf-oauth-client-id-metadata-document-02. The document is fetched when somebody begins an authorization request,
and kept as long as its server says, within bounds; that it could not be had is never kept. What is stored of the client
is what the document said last: grants, codes and consents belong to it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from ..._core.json import JSONError, decode_object
from ...accounts.throttle import document_limits
from ...identity import Client
from ...oauth.documents import DocumentError
from ...oauth.errors import InvalidClientError, OAuthError
from ...oauth.metadata_rules.document_ids import check_document, is_document_id
from ...oauth.model import OAuthClient
from ...oauth.registration import CheckedMetadata, check_metadata, read_metadata
from ..attempts import admit
from .document_cache import Keeping
from .sectors import check_sector
from .stale import forget_consents

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["client_by_document"]

_KEEPING: Final = Keeping(
    accept=("application/json", "application/*+json"),
    least=timedelta(minutes=1),
    usual=timedelta(hours=1),
    most=timedelta(hours=24),
)
_MAX_DEPTH: Final = 8


async def client_by_document(context: Context, client_id: str, *, client: Client) -> OAuthClient | None:
    """Return the client that its own document describes; ``None`` if its identifier leads to no document.

    For the beginning of an authorization request, from a browser or pushed: everything after that finds the client in
    the storage, where this puts it.

    Args:
        context: What flows share.
        client_id: The identifier.
        client: What the request shows of where it comes from: whoever has too much fetched is refused.

    Raises:
        InvalidClientError: If the document cannot be had, or describes no client that is accepted.
        TooManyAttemptsError: If too many documents were fetched for this address, or from that host.
    """
    policy = context.provider
    if policy.registration != "open" or not is_document_id(client_id, development=policy.development):
        return None
    known = await context.storage.records.find_client(client_id)
    if known is not None and (known.registered_by != "metadata-document" or known.disabled_at is not None):
        return known
    if not context.document_cache.is_fresh(client_id, at=context.clock()):
        host = urlsplit(client_id).netloc
        await admit(context, document_limits(context.throttles, host=host, address=client.address))
    elif known is not None:
        return known  # it was stored when the document was fetched
    try:
        checked = await _checked(context, client_id)
    except (DocumentError, JSONError) as error:
        raise InvalidClientError(detail=f"its document cannot be had: {_detail(error)}") from None
    except OAuthError as error:
        raise InvalidClientError(detail=f"its document is not accepted: {error.message}") from None
    return await _stored(context, client_id, checked, address=client.address)


async def _checked(context: Context, client_id: str) -> CheckedMetadata:
    policy = context.provider
    body = await context.document_cache.get(context, client_id, keeping=_KEEPING)
    try:
        document = check_document(decode_object(body, max_depth=_MAX_DEPTH), client_id)
        checked = check_metadata(
            read_metadata(document), trusted=False, hybrid=policy.hybrid, development=policy.development
        )
        await check_sector(context, checked)
    except (OAuthError, JSONError):
        context.document_cache.forget(client_id)  # mended, it is to be seen at once
        raise
    return checked


async def _stored(context: Context, client_id: str, checked: CheckedMetadata, *, address: str) -> OAuthClient:
    for algorithm in (checked.id_token_signed_response_alg, checked.userinfo_signed_response_alg):
        if algorithm is not None:
            await context.access_tokens.keys.ensure(algorithm)
    known = await context.storage.records.find_client(client_id)
    if known is not None and _told(known, checked) == known:
        return known  # nearly always: nobody has to make way for that
    async with context.storage.transaction() as records:
        before = await records.find_client(client_id)
        if before is None:
            client = replace(
                checked.new(client_id, created_at=context.clock()),
                registered_by="metadata-document",
                address=address,
            )
            await records.add_client(client)
            return client
        client = _told(before, checked)
        await records.replace_client(client)
        await forget_consents(records, before, client)
        return client


def _told(before: OAuthClient, checked: CheckedMetadata) -> OAuthClient:
    """Return a client as its document has it now. What only the operator gives, stays."""
    return replace(checked.on(before), first_party=before.first_party, audiences=before.audiences)


def _detail(error: DocumentError | JSONError) -> str:
    return (error.detail or "") if isinstance(error, DocumentError) else "it is no JSON object"
