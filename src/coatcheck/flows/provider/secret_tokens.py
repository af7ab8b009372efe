"""Access tokens that the secret of an API signs: good at that API alone, and here only to be asked about.

Whoever has the secret can make such tokens, so they open nothing at this server: not its API, not userinfo.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from ...jose import TokenError, jwt
from ...jose.errors import AudienceMismatchError, MalformedTokenError
from ...jose.hazmat import read_unverified
from ..access_tokens import TYPE, AccessClaims, check_length
from ..context import Context
from .shared_secrets import secret_key

__all__ = ["is_by_secret", "verify_by_secret", "verify_wherever"]

_read_claims = msgspec.json.Decoder(AccessClaims).decode


def is_by_secret(token: str) -> bool:
    """Tell whether a token says that a secret signed it. That is to be verified."""
    try:
        return str(read_unverified(token).header.get("alg", "")).startswith("HS")
    except TokenError:
        return False


async def verify_by_secret(context: Context, token: str, *, audience: str) -> AccessClaims:
    """Return the claims of an access token that an API's own secret signed.

    Args:
        context: What flows share.
        token: The token.
        audience: The API: a token of another is none here, whatever it says.

    Raises:
        TokenError: If it is no such token, or is not good any more.
    """
    api = await context.storage.records.find_api(audience)
    if api is None or api.sealed_secret is None or api.algorithm != "HS256":
        raise MalformedTokenError("There is no API with a secret of which this could be a token.")
    verifier = jwt.Verifier(
        secret_key(context.sealer, api.sealed_secret, owner="api"),
        issuer=context.access_tokens.issuer,
        audience=audience,
        claims=AccessClaims,
        typ=TYPE,
        require=("exp", "iat", "jti", "sub"),
        leeway=timedelta(0),
        clock=context.clock,
    )
    claims = verifier.verify(token).claims
    if claims.aud != audience:
        raise AudienceMismatchError("The token is for others too.", claim="aud")
    check_length(claims)
    return claims


async def verify_wherever(context: Context, token: str) -> tuple[AccessClaims, str]:
    """Return the claims of an access token of this server for whichever API, and the ``kid`` of its key.

    For those who ask what a token is worth, or revoke it. The ``kid`` is empty where a secret signed it.

    Raises:
        TokenError: If it is no such token, or is not good any more.
    """
    if not is_by_secret(token):
        return await context.access_tokens.verify(token, recipient="anybody")
    try:
        stated = _read_claims(read_unverified(token).payload or b"")
    except msgspec.MsgspecError:
        raise MalformedTokenError("The token says nothing that could be one of an API.") from None
    # What it says of its API only tells which secret to verify it with.
    audience = stated.aud if isinstance(stated.aud, str) else ""
    return await verify_by_secret(context, token, audience=audience), ""
