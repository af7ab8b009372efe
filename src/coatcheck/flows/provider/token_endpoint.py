"""The token endpoint (RFC 6749 section 3.2): one table of grants, and the phases that they share.

Read aloud: there is such a grant; the client shows who it is; it may use this grant; what it presents is loaded and
decided on, and what comes of it committed; then tokens are issued. The last three are the grant's own file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from ...oauth.errors import InvalidClientError, UnauthorizedClientError, UnsupportedGrantTypeError
from ...oauth.model import OAuthClient
from ..counts import counted_grant
from ..model import TokenResponse
from ..tokens import Tokens
from .client_authentication import authenticate
from .grants.authorization_code import AuthorizationCodeGrant
from .grants.client_credentials import ClientCredentialsGrant
from .grants.jwt_bearer import JWTBearerGrant
from .grants.machine_tokens import MachineTokens
from .grants.model import TokenAnswer, TokenRequest
from .grants.refresh_token import RefreshTokenGrant
from .grants.user_tokens import UserTokens

if TYPE_CHECKING:
    from ..context import Context
    from .issuing import TokenIssuer

__all__ = ["TokenEndpoint"]

_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class TokenEndpoint:
    """Answers token requests."""

    def __init__(self, context: Context, issuer: TokenIssuer) -> None:
        """Take what all flows share, and what issues tokens."""
        self._context = context
        self._own = Tokens(context)
        of_users, of_machines = UserTokens(context, issuer), MachineTokens(context, issuer)
        self._by_assertion = JWTBearerGrant(context, of_machines)
        self._grants: dict[str, Callable[[OAuthClient, TokenRequest], Awaitable[TokenAnswer]]] = {
            "authorization_code": AuthorizationCodeGrant(context, of_users),
            "refresh_token": RefreshTokenGrant(context, of_users),
            "client_credentials": ClientCredentialsGrant(of_machines),
            _JWT_BEARER: self._by_assertion,
        }

    @counted_grant
    async def answer(self, request: TokenRequest) -> TokenAnswer | TokenResponse:
        """Answer a token request.

        A refresh token with no word of a client is one of this site's own, for whoever signed in here themselves.

        Raises:
            InvalidRequestError: If a parameter is missing, or the client authenticates in several ways.
            UnsupportedGrantTypeError: If there is no such grant.
            InvalidClientError: If the client did not show who it is.
            UnauthorizedClientError: If it is not registered for this grant.
            CoatcheckError: What the grant raises.
        """
        grant_type = request.required("grant_type")
        grant = self._grants.get(grant_type)
        if grant is None:
            raise UnsupportedGrantTypeError("There is no such grant type here.", field="grant_type")
        if request.credentials.are_none:
            if grant_type == "refresh_token":
                return await self._own.refresh(request.required("refresh_token"), client=request.sender)
            if grant_type == _JWT_BEARER:
                return await self._by_assertion(None, request)
            raise InvalidClientError(detail="token: no client_id and no client authentication")
        client = await authenticate(self._context, request.credentials, endpoint="token")
        if grant_type not in client.grant_types:
            raise UnauthorizedClientError("This client is not registered for this grant type.")
        return await grant(client, request)
