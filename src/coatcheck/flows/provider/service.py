"""The flows of the provider, made once from what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .apis import APIs
from .applications import Applications
from .authorization import Authorization
from .back_channel import BackChannel
from .clients import Clients
from .initial_access_tokens import InitialAccessTokens
from .issuing import TokenIssuer
from .logout import Logout
from .permissions import Permissions
from .profiles import Profiles
from .pushed_requests import PushedRequests
from .registration import Registration
from .roles import Roles
from .token_endpoint import TokenEndpoint
from .token_revocation import TokenRevocation
from .userinfo import Userinfo

if TYPE_CHECKING:
    from ..authentication import Authentication
    from ..context import Context

__all__ = ["Provider"]


class Provider:
    """The flows of the provider, each under its name.

    Attributes:
        apis: The registered APIs.
        applications: What a user gave to which clients, and taking it back.
        authorization: From an authorization request to its answer.
        back_channel: Telling clients that sessions ended.
        clients: The registered clients.
        initial_access_tokens: What allows to register clients.
        issuer: Issuing tokens for clients.
        logout: Signing out because a client asks for it.
        permissions: Who may do what at which API.
        pushed_requests: Authorization requests that clients put down beforehand.
        registration: Clients that register themselves.
        roles: Names for permissions that several users have.
        token_endpoint: Exchanging what clients have for tokens.
        token_revocation: Revoking what clients need no more.
    """

    def __init__(self, context: Context, authentication: Authentication) -> None:
        """Make the flows. ``authentication`` checks tokens."""
        self._context = context
        self.apis: APIs = APIs(context)
        self.clients: Clients = Clients(context)
        self.permissions: Permissions = Permissions(context)
        self.roles: Roles = Roles(context)
        self.initial_access_tokens: InitialAccessTokens = InitialAccessTokens(context)
        self.issuer: TokenIssuer = TokenIssuer(context)
        self.pushed_requests: PushedRequests = PushedRequests(context)
        self.authorization: Authorization = Authorization(context, self.issuer, self.pushed_requests)
        self.applications: Applications = Applications(context)
        self.logout: Logout = Logout(context)
        self.back_channel: BackChannel = BackChannel(context, self.issuer)
        self.token_endpoint: TokenEndpoint = TokenEndpoint(context, self.issuer)
        self.token_revocation: TokenRevocation = TokenRevocation(context)
        self.profiles: Profiles = Profiles(context)
        self.userinfo: Userinfo = Userinfo(context, authentication, self.issuer)
        self.registration: Registration = Registration(context, self.clients)
