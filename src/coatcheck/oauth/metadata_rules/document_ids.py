"""Client identifiers that are URLs, where the metadata is (draft-ietf-oauth-client-id-metadata-document-02)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import InvalidClientMetadataError, InvalidRedirectURIError
from ..redirect_uris import is_loopback_uri, split_uri
from .refusal import refused

__all__ = ["check_document", "is_document_id"]

_LONGEST: Final = 512
_METHODS: Final = frozenset({"none", "private_key_jwt"})


def is_document_id(client_id: str, *, development: bool) -> bool:
    """Tell whether a client identifier leads to a metadata document (section 3).

    It is an https URL with a path, without dot segments, a user or a fragment. In development, it may be on this
    machine, without https.
    """
    if not client_id.startswith(("https://", "http://")) or len(client_id) > _LONGEST:
        return False
    try:
        parts = split_uri(client_id)
    except InvalidRedirectURIError:
        return False
    here = development and is_loopback_uri(parts)
    return bool(parts.path) and (parts.scheme == "https" or here)


def check_document(document: Mapping[str, Any], client_id: str) -> dict[str, Any]:
    """Return the metadata of a document, if it is that client's (section 4).

    Nothing is secret in what everybody can read: no secret, no method that needs one, and none means ``none``.

    Raises:
        InvalidClientMetadataError: If it names another client, or a secret.
    """
    if document.get("client_id") != client_id:
        raise refused("client_id", "it must be the URL of the document.")
    if "client_secret" in document or "client_secret_expires_at" in document:
        raise InvalidClientMetadataError("client_secret: there is none in a document.", field="client_secret")
    metadata = {"token_endpoint_auth_method": "none", **document}
    method = metadata["token_endpoint_auth_method"]
    if not isinstance(method, str) or method not in _METHODS:
        raise refused("token_endpoint_auth_method", "it is none or private_key_jwt.")
    return metadata
