"""Pushed authorization requests (RFC 9126): put down here by the client itself, and used once through the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.secrets import digest, new_token
from ...accounts.throttle import request_limits
from ...identity import Client
from ...oauth.authorization_request import read_request
from ...oauth.client_authentication.model import Credentials
from ...oauth.errors import InvalidRequestError, UnsafeRequestError
from ...oauth.model import AuthorizationRequest, OAuthClient, PushedRequest
from ...oauth.parameters import Parameters
from ...oauth.vocabulary import PUSHED_REQUEST
from ..attempts import admit
from .client_authentication import authenticate
from .metadata_documents import client_by_document
from .requests import rules_for

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["PushedRequests"]


class PushedRequests:
    """The endpoint that takes them, and who uses them."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def push(
        self, parameters: Parameters, credentials: Credentials, *, client: Client
    ) -> tuple[str, int]:
        """Check a request and put it down; return its ``request_uri`` and for how many seconds it can be used.

        All checks are made now, so that an error is told to the client directly (section 2.3).

        Args:
            parameters: The request.
            credentials: What came with it, to show who the client is. A public client only says its name.
            client: What the HTTP request shows of where it comes from.

        Raises:
            InvalidClientError: If the client has not shown that it is the one.
            OAuthError: If the request does not pass its checks.
            TooManyAttemptsError: If a public client pushes too many from one network.
        """
        context = self._context
        parameters.check_unique()
        if credentials.client_id is not None:
            await client_by_document(context, credentials.client_id, client=client)
        asking = await authenticate(context, credentials, endpoint="par")
        if asking.is_public or asking.registered_by != "administrator":  # it has proven nothing that matters
            await admit(context, request_limits(context.throttles, address=client.address))
        request = await self._checked(parameters, asking)
        reference, lifetime = new_token(), context.provider.pushed_request
        await context.storage.records.add_pushed_request(
            PushedRequest(
                digest=digest(reference),
                client_id=asking.id,
                request=request,
                expires_at=context.clock() + lifetime.total_seconds(),
            )
        )
        return PUSHED_REQUEST + reference, int(lifetime.total_seconds())

    async def consume(self, client: OAuthClient, request_uri: str) -> AuthorizationRequest:
        """Return the request that a client pushed. Nobody else can use it, and nobody a second time.

        Raises:
            UnsafeRequestError: If it is unknown, used, expired or another client's. There is no redirect URI to tell it
                to: that would have been in the request.
        """
        records = self._context.storage.records
        key = digest(request_uri.removeprefix(PUSHED_REQUEST))
        found = await records.find_pushed_request(key)
        # Looked at first: whoever else has seen it shall not be able to use it up.
        if found is not None and found.client_id == client.id:
            found = await records.consume_pushed_request(key)
            if found is not None and self._context.clock() < found.expires_at:
                return found.request
        raise UnsafeRequestError(
            "This request was used already, or it waited for too long. Go back to the app and start again there.",
            field="request_uri",
            detail=f"client {client.id}",
        )

    async def _checked(self, parameters: Parameters, client: OAuthClient) -> AuthorizationRequest:
        if parameters.get("request_uri") is not None:
            raise InvalidRequestError("What is pushed does not refer to elsewhere.", field="request_uri")
        rules = await rules_for(self._context, client, parameters, pushed=True)
        try:
            return read_request(parameters, client, rules)
        except UnsafeRequestError as error:
            # Here it can be told: the client itself is asking.
            raise InvalidRequestError(error.message, field=error.field, detail=error.detail) from None
