"""The records: clients, APIs, who may do what, and what happens between a request and its answer.

Times are seconds since 1970. What is secret is kept as its SHA-256, or encrypted where it has to be used again.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .vocabulary import AuthenticationMethod, GrantType, Prompt, ResponseMode, ResponseType

__all__ = [
    "API",
    "APIScope",
    "AuthorizationCode",
    "AuthorizationRequest",
    "ClaimRequest",
    "ClaimsRequest",
    "Consent",
    "Grant",
    "HolderKind",
    "InitialAccessToken",
    "Interaction",
    "LogoutNotice",
    "OAuthClient",
    "Permission",
    "Profile",
    "PushedRequest",
    "Role",
]

HolderKind = Literal["user", "role", "client"]
"""Who can have a permission."""


class OAuthClient(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A registered client: an app, a service, a machine or an agent. Names are those of RFC 7591 section 2.

    Attributes:
        id: The ``client_id``.
        name: What people are told it is called. From a stranger it proves nothing.
        created_at: When it was registered.
        token_endpoint_auth_method: How it shows who it is; ``none`` for a public client.
        token_endpoint_auth_signing_alg: The one algorithm of its assertions; ``None`` for any that its keys have.
        secret_digest: SHA-256 of its secret.
        secret_expires_at: Until when the secret is good; ``None`` for ever.
        sealed_secret: Its secret encrypted, only where it has to be known: for ``client_secret_jwt`` and ID tokens that
            are signed with it.
        jwks: Its public keys, a JWK Set as JSON.
        jwks_uri: Where its public keys are; never beside ``jwks``.
        application_type: ``native`` ones may be redirected to the loopback interface and to their own URI schemes.
        redirect_uris: Where answers may be sent, compared letter by letter.
        post_logout_redirect_uris: Where a browser may be sent after signing out.
        grant_types: What it may exchange for tokens.
        response_types: What it may ask for at the authorization endpoint.
        scope: The scopes that it may ask for, of OpenID Connect and of APIs; ``None`` for any.
        audiences: The APIs that it may ask for; ``None`` for any.
        first_party: Whether it belongs to whoever runs this server, so that users are not asked for consent.
        subject_type: Whether it knows users by a name that is its own (OpenID Connect Core section 8).
        sector: The host that pairwise subjects are made for.
        sector_identifier_uri: Where that was learned from.
        id_token_signed_response_alg: What signs its ID tokens.
        userinfo_signed_response_alg: What signs its answers of userinfo; ``None`` for plain JSON.
        default_max_age: How old a sign-in may be, in seconds, where it does not say.
        require_auth_time: Whether its ID tokens always say when the user signed in.
        default_acr_values: What it prefers where it does not say.
        require_pushed_authorization_requests: Whether all of its requests must be pushed (RFC 9126 section 6).
        backchannel_logout_uri: Where it is told of the end of sessions.
        backchannel_logout_session_required: Whether it needs ``sid`` there.
        frontchannel_logout_uri: What a browser loads when it signs out.
        frontchannel_logout_session_required: Whether it needs ``iss`` and ``sid`` there.
        initiate_login_uri: Where it can be asked to begin a sign-in.
        client_uri: Its home page.
        logo_uri: Its logo. It is never fetched nor shown: it could imitate anybody's.
        policy_uri: Its policy.
        tos_uri: Its terms.
        contacts: Who answers for it.
        software_id: What software it is.
        software_version: Which version of that.
        registered_by: Who registered it: an administrator, itself, or its own metadata document.
        registration_digest: SHA-256 of the token by which it manages its registration (RFC 7592).
        address: Where it registered itself from.
        disabled_at: When it was switched off.
    """

    id: str
    name: str
    created_at: float
    token_endpoint_auth_method: AuthenticationMethod = "client_secret_basic"  # noqa: S105 - a name
    token_endpoint_auth_signing_alg: str | None = None
    secret_digest: bytes | None = None
    secret_expires_at: float | None = None
    sealed_secret: bytes | None = None
    jwks: bytes | None = None
    jwks_uri: str | None = None
    application_type: Literal["web", "native"] = "web"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[GrantType, ...] = ("authorization_code",)
    response_types: tuple[ResponseType, ...] = ("code",)
    scope: tuple[str, ...] | None = None
    audiences: tuple[str, ...] | None = None
    first_party: bool = False
    subject_type: Literal["public", "pairwise"] = "public"
    sector: str = ""
    sector_identifier_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - a name
    userinfo_signed_response_alg: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    initiate_login_uri: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    software_id: str | None = None
    software_version: str | None = None
    registered_by: Literal["administrator", "itself", "metadata-document"] = "administrator"
    registration_digest: bytes | None = None
    address: str = ""
    disabled_at: float | None = None

    def __repr__(self) -> str:
        return f"<OAuthClient {self.id}>"

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret (OAuth 2.1 section 2.1)."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - a name


class APIScope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that can be done at an API.

    Attributes:
        name: The scope, as tokens say it (RFC 6749 section 3.3).
        description: What users are told it allows.
        for_everybody: Whether every user has it, without a permission of their own.
    """

    name: str
    description: str = ""
    for_everybody: bool = False


class API(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A protected resource: what access tokens are for (RFC 8707, RFC 9068).

    Attributes:
        audience: Its resource indicator, and the ``aud`` of its tokens: an absolute URI without a fragment.
        name: What users are told it is called.
        scopes: What can be done there.
        token_lifetime: For how many seconds its tokens are good; ``None`` for the server's usual time.
        algorithm: What signs them.
        sealed_secret: For ``HS256``, its own secret, encrypted.
        created_at: When it was registered.
    """

    audience: str
    name: str
    scopes: tuple[APIScope, ...] = ()
    token_lifetime: int | None = None
    algorithm: str = "ES256"
    sealed_secret: bytes | None = None
    created_at: float

    def __repr__(self) -> str:
        return f"<API {self.audience}>"


class Role(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A name for permissions that several users have.

    Attributes:
        name: What it is called; unique.
        description: What it is for.
        created_at: When it was made.
    """

    name: str
    description: str = ""
    created_at: float


class Permission(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody may do at one API.

    Attributes:
        kind: Who: a user, all who have a role, or a client in its own name.
        holder: The user's identifier, the role's name, or the client's identifier.
        audience: The API.
        scopes: What they may do there.
    """

    kind: HolderKind
    holder: str
    audience: str
    scopes: frozenset[str]


class ClaimRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a client says of one claim (OpenID Connect Core section 5.5.1).

    Attributes:
        essential: Whether it needs it.
        value: The value that it wants.
        values: Values that it would take.
    """

    essential: bool = False
    value: Any = None
    values: tuple[Any, ...] = ()


class ClaimsRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The ``claims`` parameter (OpenID Connect Core section 5.5); ``None`` asks for a claim without more.

    Attributes:
        userinfo: The claims that it wants from userinfo.
        id_token: Those that it wants in the ID token.
    """

    userinfo: dict[str, ClaimRequest | None] = msgspec.field(default_factory=dict)
    id_token: dict[str, ClaimRequest | None] = msgspec.field(default_factory=dict)


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An authorization request that passed all checks. It is stored until it is answered.

    Attributes:
        client_id: Who asks.
        redirect_uri: Where the answer goes.
        redirect_uri_given: Whether the request named it, or meant the only one that there is.
        response_type: What is asked for.
        response_mode: How it is brought.
        scope: The scopes, in the order of the request, without those that are unknown here.
        audiences: The APIs that are asked for; the first is the one whose token comes with the code.
        state: What is given back to the client.
        nonce: What is put in the ID token.
        code_challenge: By S256 (RFC 7636).
        prompt: What the user is to be asked.
        max_age: How old the sign-in may be, in seconds.
        acr_values: The strengths that are preferred, in order.
        login_hint: The address to fill in.
        hinted_subject: The user that an ``id_token_hint`` names, by the name that the client knows.
        ui_locales: The languages that are preferred, in order.
        claims: The claims that are asked for one by one.
        pushed: Whether it was pushed.
    """

    client_id: str
    redirect_uri: str
    redirect_uri_given: bool = True
    response_type: ResponseType = "code"
    response_mode: ResponseMode = "query"
    scope: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: tuple[Prompt, ...] = ()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = None
    hinted_subject: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims: ClaimsRequest = ClaimsRequest()
    pushed: bool = False


class Interaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An authorization request on its way through sign-in and consent. Each tab has its own.

    Attributes:
        digest: SHA-256 of the handle in the URL.
        request: What is asked for.
        created_at: When it was asked.
        expires_at: Until when it can be answered.
        selected: The session whose account the user has chosen; ``None`` if none was.
        consented: The session in which the user consented to this very request; ``None`` if not yet.
        scope: The scopes that they consented to; fewer than asked for, perhaps.
    """

    digest: bytes
    request: AuthorizationRequest
    created_at: float
    expires_at: float
    selected: str | None = None
    consented: str | None = None
    scope: tuple[str, ...] | None = None


class PushedRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An authorization request that its client pushed (RFC 9126). It is used once.

    Attributes:
        digest: SHA-256 of the reference.
        client_id: Who pushed it: the only one who may use it.
        request: What it asks for; every check was made when it was pushed.
        expires_at: Until when it can be used.
    """

    digest: bytes
    client_id: str
    request: AuthorizationRequest
    expires_at: float


class AuthorizationCode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A code (RFC 6749 section 4.1.2). It is exchanged once; its record stays for a while, to recognise a second use.

    Attributes:
        digest: SHA-256 of it.
        client_id: Who may exchange it.
        user_id: Who granted it.
        parent_id: The session in which they did.
        session_id: The session that the tokens will come from, their ``sid``. It is opened when the code is exchanged.
        joins: Whether it was there already, when the code was made. If it is gone by then, it is not opened again.
        request: What was asked for.
        scope: What was granted.
        audiences: For which APIs.
        offline: Whether that session outlives the one in which it was granted (``offline_access``).
        redirect_uri_given: Whether the request named the redirect URI, so that a 2.0 client must repeat it.
        authenticated_at: When the user last proved who they are.
        methods: How.
        created_at: When it was made.
        expires_at: Until when it can be exchanged.
        consumed_at: When it was exchanged.
    """

    digest: bytes
    client_id: str
    user_id: str
    parent_id: str
    session_id: str
    request: AuthorizationRequest
    scope: tuple[str, ...]
    audiences: tuple[str, ...]
    offline: bool
    joins: bool = False
    redirect_uri_given: bool = True
    authenticated_at: float
    methods: tuple[str, ...]
    created_at: float
    expires_at: float
    consumed_at: float | None = None

    def __repr__(self) -> str:
        return f"<AuthorizationCode of {self.client_id}>"


class Grant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a user granted to a client, as long as the session lives that the client's tokens come from.

    Attributes:
        session_id: That session, the ``sid`` of the tokens. The grant goes with it.
        user_id: Who granted it.
        client_id: To whom.
        scope: What, of OpenID Connect and of APIs.
        audiences: For which APIs.
        by_api: Which scopes at which of them, as ``grants.per_api`` has it.
        claims: The claims that were asked for one by one.
        offline: Whether it outlives the session in which it was granted.
        created_at: When.
    """

    session_id: str
    user_id: str
    client_id: str
    scope: tuple[str, ...]
    audiences: tuple[str, ...]
    by_api: dict[str, frozenset[str]] = {}
    claims: ClaimsRequest = ClaimsRequest()
    offline: bool = False
    created_at: float


class Consent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a user allowed a client, so as not to be asked the same again.

    Attributes:
        user_id: Who.
        client_id: Whom.
        scope: What, of OpenID Connect and of APIs.
        audiences: For which APIs.
        by_api: Which scopes at which of them, as ``grants.per_api`` has it.
        claims: The names of claims that were asked for one by one.
        granted_at: When it was last said.
    """

    user_id: str
    client_id: str
    scope: frozenset[str]
    audiences: frozenset[str] = frozenset()
    by_api: dict[str, frozenset[str]] = {}
    claims: frozenset[str] = frozenset()
    granted_at: float


class InitialAccessToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What allows a stranger to register clients (RFC 7591 section 3).

    Attributes:
        digest: SHA-256 of it.
        id: Its identifier, not secret.
        name: What it is for.
        created_at: When it was made.
        expires_at: Until when it is good; ``None`` for ever.
        uses_left: How many clients may still be registered with it; ``None`` for any number.
    """

    digest: bytes
    id: str
    name: str
    created_at: float
    expires_at: float | None = None
    uses_left: int | None = None

    def __repr__(self) -> str:
        return f"<InitialAccessToken {self.id}>"


class LogoutNotice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A client that has yet to be told that a session ended (OpenID Connect Back-Channel Logout 1.0).

    Attributes:
        jti: Its identifier, the same however often it is sent.
        client_id: Whom to tell.
        sub: The user, by the name that the client knows.
        sid: The session, as the client knows it.
        queued_at: When it ended.
        due_at: When to tell (again).
        attempts: How often it was tried in vain.
    """

    jti: str
    client_id: str
    sub: str
    sid: str
    queued_at: float
    due_at: float
    attempts: int = 0


class Profile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a user said of themselves: standard claims (OpenID Connect Core section 5.1) but ``sub`` and ``email``.

    Attributes:
        user_id: Who.
        claims: By name, ``address`` as an object.
        updated_at: When that last changed.
    """

    user_id: str
    claims: dict[str, Any]
    updated_at: float

    def __repr__(self) -> str:
        return f"<Profile of {self.user_id}>"
