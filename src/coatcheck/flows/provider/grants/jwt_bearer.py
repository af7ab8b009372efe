"""The JWT bearer grant (RFC 7523 section 2.1): a machine signs its own JWT, as cloud service accounts do.

The assertion says who asks, so the client need not authenticate besides. An assertion about a user would be somebody
else's word for who signed in: such issuers would have to be registered first, and none can be here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....oauth.client_authentication.assertions import read_assertion
from ....oauth.errors import InvalidClientError, InvalidGrantError, UnauthorizedClientError
from ....oauth.model import OAuthClient
from ..client_authentication import registered_client, verify_assertion
from .machine_tokens import MachineTokens
from .model import TokenAnswer, TokenRequest

if TYPE_CHECKING:
    from ...context import Context

__all__ = ["JWTBearerGrant"]

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TYPE: Final = "authorization-grant+jwt"  # rfc7523bis section 5
_WRONG: Final = "The assertion is not good, or not of a machine that is registered here."


class JWTBearerGrant:
    """From an assertion that a machine signed to a token for that machine."""

    def __init__(self, context: Context, tokens: MachineTokens) -> None:
        self._context = context
        self._tokens = tokens
        issuer = context.access_tokens.issuer
        self._audiences = frozenset({issuer, f"{context.provider.base}/token"})

    async def __call__(self, client: OAuthClient | None, request: TokenRequest) -> TokenAnswer:
        """Return a token for the machine that signed.

        Args:
            client: Who has authenticated besides, if anybody: then it must be the machine itself.
            request: What is asked for.

        Raises:
            InvalidRequestError: If there is no assertion.
            InvalidGrantError: If it is not good, was used before, or is about anybody but who signed it.
            UnauthorizedClientError: If that client is not to use this grant.
            InvalidScopeError: If it asks for more than it may.
            InvalidTargetError: If it asks for an API that is none, or not for it.
        """
        machine = await self._signer_of(request.required("assertion"))
        if client is not None and client.id != machine.id:
            raise InvalidGrantError(_WRONG, detail=f"client {client.id} presents one of {machine.id}")
        return await self._tokens.issue(machine, request)

    async def _signer_of(self, token: str) -> OAuthClient:
        context = self._context
        try:
            assertion = read_assertion(token)
            machine = await registered_client(context, assertion.client_id)
            if machine.disabled_at is not None or assertion.method != "private_key_jwt":
                raise InvalidGrantError(
                    _WRONG, detail=f"client {machine.id}: disabled, or signed by a secret"
                )
            if _GRANT not in machine.grant_types:
                raise UnauthorizedClientError("This client is not registered for this grant.")
            await verify_assertion(
                context, machine, assertion, audiences=self._audiences, explicit_type=_TYPE
            )
        except InvalidClientError as error:
            raise InvalidGrantError(_WRONG, detail=error.detail) from None
        return machine
