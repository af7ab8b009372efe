"""What is asked of the token endpoint, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ....identity import Client
from ....oauth.client_authentication.model import Credentials
from ....oauth.errors import InvalidRequestError

__all__ = ["TokenAnswer", "TokenRequest"]


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A token request (RFC 6749 section 3.2), read and not looked at.

    Attributes:
        parameters: What it says, each once; what is empty is not there. ``resource`` is in ``resources``.
        resources: The APIs that it asks for (RFC 8707).
        credentials: What it says of its client.
        sender: What it shows of the program and the place that it comes from.
    """

    parameters: Mapping[str, str]
    resources: tuple[str, ...] = ()
    credentials: Credentials = Credentials()
    sender: Client = Client()

    def __repr__(self) -> str:
        return "<TokenRequest>"

    def required(self, name: str) -> str:
        """Return a parameter.

        Raises:
            InvalidRequestError: If it is missing.
        """
        value = self.parameters.get(name)
        if value is None:
            raise InvalidRequestError(f"The parameter {name} is missing.", field=name)
        return value


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a client gets (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).

    Attributes:
        access_token: A JWT (RFC 9068).
        expires_in: For how many seconds it is good.
        scope: What it may do, space-delimited.
        token_type: How it is sent (RFC 6750).
        refresh_token: What the next ones are got with, once.
        id_token: Who signed in.
    """

    access_token: str
    expires_in: int
    scope: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a scheme, no secret
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET
    id_token: str | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return f"<TokenAnswer expires_in={self.expires_in}>"
