"""The client credentials grant (OAuth 2.1 section 4.2)."""

from __future__ import annotations

from typing import Final

from ....oauth.errors import UnauthorizedClientError
from ....oauth.model import OAuthClient
from .machine_tokens import MachineTokens
from .model import TokenAnswer, TokenRequest

__all__ = ["ClientCredentialsGrant"]


class ClientCredentialsGrant:
    """A client asks in its own name, and has shown who it is."""

    def __init__(self, tokens: MachineTokens) -> None:
        self._tokens: Final = tokens

    async def __call__(self, client: OAuthClient, request: TokenRequest) -> TokenAnswer:
        """Return a token for a client.

        Raises:
            UnauthorizedClientError: If it is a public client, which has shown nothing.
            InvalidScopeError: If it asks for more than it may.
            InvalidTargetError: If it asks for an API that is none, or not for it.
        """
        if client.is_public:
            raise UnauthorizedClientError("A public client cannot ask in its own name.")
        return await self._tokens.issue(client, request)
