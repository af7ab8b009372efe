"""What a protected service says about itself: which server it believes, and which scopes there are (RFC 9728).

A client that is refused finds it by ``resource_metadata`` in the challenge, and in it the server that issues what it
lacks. It is public, and the same for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from .refusals import Refusal

__all__ = ["WELL_KNOWN", "metadata_path", "metadata_url", "resource_metadata"]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_LIFETIME = 3600


class _Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    resource: str
    authorization_servers: tuple[str, ...]
    bearer_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...] = ()
    resource_name: str = ""


def metadata_path(resource: str) -> str:
    """Return the path of a resource's metadata: the well-known one, followed by the resource's own (section 3.1).

    Args:
        resource: The identifier of the resource, which is the audience of its tokens. One that is no URL has no path.
    """
    return WELL_KNOWN + (urlsplit(resource).path.rstrip("/") if _is_url(resource) else "")


def metadata_url(resource: str) -> str | None:
    """Return the URL of a resource's metadata; ``None`` if the resource is not named by a URL.

    It comes from the configuration, and never from the ``Host`` of a request: whoever forged that could send a client
    to a server of their own.
    """
    if not _is_url(resource):
        return None
    parts = urlsplit(resource)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{metadata_path(resource)}{query}"


def resource_metadata(resource: str, *, issuer: str, scopes: Sequence[str] = (), name: str = "") -> Refusal:
    """Return the metadata as a response (section 3.2).

    Args:
        resource: The identifier of the resource. It comes back to the client exactly as it is here (section 3.3).
        issuer: The server whose tokens are good here.
        scopes: The scopes that routes demand; left out where none is known.
        name: What the service is called, for readers; left out if empty.
    """
    body = msgspec.json.encode(
        _Metadata(
            resource=resource,
            authorization_servers=(issuer,),
            bearer_methods_supported=("header",),
            scopes_supported=tuple(scopes),
            resource_name=name,
        )
    )
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", f"public, max-age={_LIFETIME}"),
        (
            "Access-Control-Allow-Origin",
            "*",
        ),  # a client in a browser has to read it before it has any credential
    ]
    return Refusal(status=200, headers=headers, body=body)


def _is_url(resource: str) -> bool:
    return resource.startswith(("https://", "http://"))
