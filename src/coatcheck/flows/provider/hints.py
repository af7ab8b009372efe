"""Whom an ID token names that a client shows again (``id_token_hint``, OpenID Connect Core section 3.1.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...jose import Claims, JOSEError, KeySet, jwt
from ...jose.hazmat import read_unverified
from ...oauth.errors import InvalidRequestError
from ...oauth.model import OAuthClient
from .shared_secrets import secret_key

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Hint", "read_hint", "subject_of_hint"]

_BY_SECRET: Final = "HS256"  # noqa: S105 - an algorithm


class Hint(Claims):
    """What an ID token says that a client shows again.

    Attributes:
        sub: The user, by the name that the client knows.
        iat: When it was issued.
        sid: The client's session.
    """

    sub: str
    iat: int | float
    sid: str = ""


async def subject_of_hint(context: Context, client: OAuthClient, hint: str) -> str:
    """Return the ``sub`` of an ID token of this server for this client. It may have expired.

    Raises:
        InvalidRequestError: If it is none.
    """
    try:
        return (await read_hint(context, client, hint)).sub
    except (JOSEError, OverflowError) as error:
        raise _refused(type(error).__name__) from None


async def read_hint(context: Context, client: OAuthClient, hint: str) -> Hint:
    """Return what an ID token of this server for this client says. It may have expired.

    Raises:
        JOSEError: If it is none.
        OverflowError: If the time in it is none.
        InvalidRequestError: If it does not say when it was issued.
    """
    issued_at = read_unverified(hint).claims.get("iat")
    if not isinstance(issued_at, int | float) or isinstance(issued_at, bool):
        raise _refused("no iat")
    verifier = jwt.Verifier(
        await _keys(context, client),
        issuer=context.access_tokens.issuer,
        audience=client.id,
        claims=Hint,
        typ="JWT",
        require=("iat", "sub"),
        clock=context.clock,
    )
    # Who it names does not expire. It is looked at as of when it was issued, which the signature covers.
    return verifier.verify(hint, now=min(float(issued_at), context.clock())).claims


async def _keys(context: Context, client: OAuthClient) -> KeySet:
    if client.id_token_signed_response_alg == _BY_SECRET and client.sealed_secret is not None:
        return KeySet([secret_key(context.sealer, client.sealed_secret, owner="client")])
    return await context.access_tokens.key_set()


def _refused(detail: str) -> InvalidRequestError:
    return InvalidRequestError(
        "The id_token_hint is no ID token for this client.", field="id_token_hint", detail=detail
    )
