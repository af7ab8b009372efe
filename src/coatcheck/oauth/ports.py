"""What the provider needs of a storage, and of the outside. Every method is one atomic step.

The methods that return ``bool`` compare and set in one statement, so that of several callers exactly one is told
``True``; ``consume_*`` gives what it names to exactly one caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .documents import Document
from .model import (
    API,
    AuthorizationCode,
    Consent,
    Grant,
    HolderKind,
    InitialAccessToken,
    Interaction,
    LogoutNotice,
    OAuthClient,
    Permission,
    Profile,
    PushedRequest,
    Role,
)

__all__ = [
    "APIRecords",
    "AssertionRecords",
    "AuthorizationRecords",
    "ClientRecords",
    "ConsentRecords",
    "DocumentFetcher",
    "GrantRecords",
    "InitialAccessTokenRecords",
    "LogoutRecords",
    "PermissionRecords",
    "ProfileRecords",
    "ProviderRecords",
    "RoleRecords",
]


class ClientRecords(Protocol):
    """The registered clients."""

    async def add_client(self, client: OAuthClient) -> bool:
        """Add a client. ``False`` if there is one of that identifier."""
        ...

    async def find_client(self, client_id: str) -> OAuthClient | None:
        """Return the client of that identifier."""
        ...

    async def list_clients(self, *, after: str, limit: int) -> list[OAuthClient]:
        """Return clients in the order of their identifiers, from after one on; ``""`` is before all."""
        ...

    async def replace_client(self, client: OAuthClient) -> bool:
        """Replace a client's record; ``False`` if it is gone."""
        ...

    async def is_client_used(self, client_id: str) -> bool:
        """Tell whether anybody has granted a client anything, is about to, or has given it a permission."""
        ...

    async def delete_client(self, client_id: str) -> bool:
        """Delete a client with its permissions, consents, grants, codes, requests and notices."""
        ...


class APIRecords(Protocol):
    """The registered APIs."""

    async def add_api(self, api: API) -> bool:
        """Add an API. ``False`` if there is one of that audience."""
        ...

    async def find_api(self, audience: str) -> API | None:
        """Return the API of that audience."""
        ...

    async def list_apis(self) -> list[API]:
        """Return all APIs in the order of their audiences."""
        ...

    async def replace_api(self, api: API) -> bool:
        """Replace an API's record; ``False`` if it is gone."""
        ...

    async def delete_api(self, audience: str) -> bool:
        """Delete an API with all permissions on it."""
        ...


class RoleRecords(Protocol):
    """Roles, and who has them."""

    async def add_role(self, role: Role) -> bool:
        """Add a role. ``False`` if there is one of that name."""
        ...

    async def list_roles(self) -> list[Role]:
        """Return all roles in the order of their names."""
        ...

    async def delete_role(self, name: str) -> bool:
        """Delete a role with its permissions and memberships."""
        ...

    async def add_member(self, role: str, user_id: str) -> bool:
        """Give a user a role. ``False`` if they have it. Both exist."""
        ...

    async def remove_member(self, role: str, user_id: str) -> bool:
        """Take a role from a user. ``False`` if they do not have it."""
        ...

    async def list_members(self, role: str) -> list[str]:
        """Return the identifiers of the users who have a role."""
        ...

    async def list_roles_of(self, user_id: str) -> list[str]:
        """Return the names of a user's roles."""
        ...


class PermissionRecords(Protocol):
    """Who may do what at which API."""

    async def put_permission(self, permission: Permission) -> None:
        """Set what somebody may do at an API; without any scopes, delete it. API and holder exist."""
        ...

    async def find_permission(self, kind: HolderKind, holder: str, audience: str) -> Permission | None:
        """Return what somebody has been given at an API themselves."""
        ...

    async def list_permissions(
        self, *, kind: HolderKind | None = None, holder: str | None = None, audience: str | None = None
    ) -> list[Permission]:
        """Return permissions in the order of audience, kind and holder, only those that are named."""
        ...

    async def user_scopes(self, user_id: str, audience: str) -> frozenset[str]:
        """Return what a user may do at an API, by themselves and by their roles; not what everybody may."""
        ...


class GrantRecords(Protocol):
    """What was granted to the clients that have sessions."""

    async def put_grant(self, grant: Grant) -> None:
        """Set what was granted in a session. The session and the client exist."""
        ...

    async def find_grant(self, session_id: str) -> Grant | None:
        """Return what was granted in a session."""
        ...

    async def list_grants(self, *, user_id: str, client_id: str | None = None) -> list[Grant]:
        """Return a user's grants, the newest first."""
        ...

    async def list_client_sessions(self, client_id: str, *, limit: int) -> list[str]:
        """Return the identifiers of sessions that a client has grants in."""
        ...


class ConsentRecords(Protocol):
    """What users need not be asked again."""

    async def put_consent(self, consent: Consent) -> None:
        """Set what a user allowed a client. Both exist."""
        ...

    async def find_consent(self, user_id: str, client_id: str) -> Consent | None:
        """Return what a user allowed a client."""
        ...

    async def list_consents(self, user_id: str) -> list[Consent]:
        """Return a user's consents, the newest first."""
        ...

    async def delete_consent(self, user_id: str, client_id: str) -> bool:
        """Forget what a user allowed a client."""
        ...

    async def delete_consents(self, client_id: str) -> int:
        """Forget what all users allowed a client; return how many there were."""
        ...


class AuthorizationRecords(Protocol):
    """What is on its way from an authorization request to the tokens."""

    async def add_interaction(self, interaction: Interaction) -> None:
        """Add an interaction. Its digest is new."""
        ...

    async def find_interaction(self, digest: bytes) -> Interaction | None:
        """Return the interaction of a handle."""
        ...

    async def replace_interaction(self, interaction: Interaction) -> bool:
        """Replace an interaction's record; ``False`` if it is gone."""
        ...

    async def delete_interaction(self, digest: bytes) -> bool:
        """Delete an interaction: it was answered. Of several callers one is told ``True``."""
        ...

    async def add_pushed_request(self, request: PushedRequest) -> None:
        """Add a pushed request. Its digest is new."""
        ...

    async def find_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request that was not used."""
        ...

    async def consume_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request to exactly one caller, expired or not."""
        ...

    async def add_code(self, code: AuthorizationCode) -> None:
        """Add a code. Its digest is new."""
        ...

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """Return the code, consumed or not, as it was added: whose it is, and nothing to decide by."""
        ...

    async def consume_code(self, digest: bytes, *, at: float) -> tuple[AuthorizationCode, bool] | None:
        """Return the code, and whether it was consumed just now: exactly one caller is told so. ``None`` if unknown."""
        ...

    async def delete_open_codes(self, *, user_id: str, client_id: str) -> int:
        """Delete the codes of a user for a client that were not consumed; return how many."""
        ...

    async def delete_expired_authorizations(self, now: float, *, limit: int) -> int:
        """Delete up to so many interactions, pushed requests and codes of each kind that expired; return how many.

        Codes are kept for ten minutes longer, to recognise a second use.
        """
        ...


class AssertionRecords(Protocol):
    """The assertions that were used."""

    async def consume_assertion(self, digest: bytes, *, until: float) -> bool:
        """Note an assertion as used, by the SHA-256 of who issued it and its ``jti``. ``False`` if it was before."""
        ...

    async def delete_expired_assertions(self, now: float, *, limit: int) -> int:
        """Forget assertions that have expired; return how many."""
        ...


class InitialAccessTokenRecords(Protocol):
    """What allows to register clients."""

    async def add_initial_access_token(self, token: InitialAccessToken) -> None:
        """Add a token. Its digest and identifier are new."""
        ...

    async def use_initial_access_token(self, digest: bytes, *, at: float) -> InitialAccessToken | None:
        """Use a token once, if it is good at that time, and return it as it was. ``None`` if it is not."""
        ...

    async def list_initial_access_tokens(self) -> list[InitialAccessToken]:
        """Return all tokens, the newest first."""
        ...

    async def delete_initial_access_token(self, token_id: str) -> bool:
        """Delete a token."""
        ...


class LogoutRecords(Protocol):
    """Clients that have yet to be told of the end of sessions."""

    async def add_logout_notices(self, notices: Sequence[LogoutNotice]) -> None:
        """Queue notices. Their ``jti`` are new, their clients exist."""
        ...

    async def claim_logout_notice(
        self, now: float, *, until: float, but: Collection[str] = ()
    ) -> LogoutNotice | None:
        """Return a notice that is due, with ``attempts`` counted up, and hide it from others until then.

        Notices to the clients in ``but`` are passed over: those have enough to do, or did not answer just now.
        """
        ...

    async def postpone_logout_notice(self, notice: LogoutNotice, *, due_at: float) -> bool:
        """Set when a claimed notice is due again; ``False`` if it is gone, or was claimed by somebody else since."""
        ...

    async def delete_logout_notice(self, jti: str) -> bool:
        """Forget a notice: the client knows, or was given up."""
        ...

    async def delete_stale_logout_notices(self, queued_before: float, *, limit: int) -> int:
        """Give up to so many notices up that were queued before then; return how many."""
        ...

    async def next_logout_at(self) -> float | None:
        """Return when the next notice is due; ``None`` if none waits."""
        ...


class ProfileRecords(Protocol):
    """What users said of themselves."""

    async def put_profile(self, profile: Profile) -> None:
        """Set a user's profile; without any claims, delete it. The user exists."""
        ...

    async def find_profile(self, user_id: str) -> Profile | None:
        """Return a user's profile."""
        ...


class ProviderRecords(
    ClientRecords,
    APIRecords,
    RoleRecords,
    PermissionRecords,
    GrantRecords,
    ConsentRecords,
    AuthorizationRecords,
    AssertionRecords,
    InitialAccessTokenRecords,
    LogoutRecords,
    ProfileRecords,
    Protocol,
):
    """All records of the provider."""


class DocumentFetcher(Protocol):
    """Fetches documents that clients name: key sets, sector identifiers, metadata.

    It is the one way by which a stranger can have this server connect to somewhere, so it is strict: https only, no
    special-use addresses (RFC 6890), the address that was checked is the one that is connected to, no redirects, a
    limit of size and of time. In development, plain http and this machine are allowed.
    """

    async def fetch(self, url: str, *, accept: Collection[str] = ("application/json",)) -> bytes:
        """Return a document.

        Args:
            url: Where it is.
            accept: The media types that it may have.

        Raises:
            DocumentError: If it cannot be had, in ``oauth.documents``: one message for all causes, ``detail`` for the
                log, so that nobody can map a network by it.
        """
        ...

    async def get(self, url: str, *, accept: Collection[str] = ("application/json",)) -> Document:
        """Return a document with how long it may be kept. As ``fetch`` in all else."""
        ...
