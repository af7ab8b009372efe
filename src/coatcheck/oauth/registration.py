"""Client metadata: as it is sent, what it has to satisfy, and as it is told (RFC 7591, OpenID Connect Registration).

It is the same whoever sends it: whoever runs this server, at the command line or over its API; a client that registers
itself; or the document that a client's identifier leads to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from ..identity import MalformedScopeError, parse_scope
from .client_names import check_name
from .errors import InvalidClientMetadataError, InvalidRedirectURIError
from .metadata_rules.addresses import check_address, check_front_channel, check_information
from .metadata_rules.algorithms import check_demands, check_signing_algorithm
from .metadata_rules.authentication import SECRET_METHODS, check_assertion_algorithm, check_method
from .metadata_rules.grants import check_grants
from .metadata_rules.keys import check_jwks
from .metadata_rules.refusal import refused
from .metadata_rules.subjects import check_subject_type, sector_of
from .metadata_rules.texts import check_text, check_texts
from .model import OAuthClient
from .redirect_uris import MOST_URIS, check_redirect_uri
from .vocabulary import AuthenticationMethod, GrantType, ResponseType

__all__ = ["CheckedMetadata", "ClientMetadata", "check_metadata", "metadata_of", "read_metadata"]

_USUAL_ALGORITHM: Final = "RS256"
_LONGEST_AGE: Final = 10 * 365 * 86_400
_MOST_SCOPES: Final = 100


class ClientMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Client metadata as sent (RFC 7591 section 2). ``None`` is what was left out, or sent as ``null``.

    Names that are not here mean nothing to this server and are ignored, as are localised ones (``client_name#de``) and
    software statements, which it trusts nobody to sign.

    Attributes:
        first_party: No name of a specification; read only from whoever runs this server.
        audiences: The same: the APIs that the client may ask for.
    """

    redirect_uris: tuple[str, ...] | None = None
    token_endpoint_auth_method: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    grant_types: tuple[str, ...] | None = None
    response_types: tuple[str, ...] | None = None
    client_name: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    scope: str | None = None
    contacts: tuple[str, ...] | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    jwks_uri: str | None = None
    jwks: dict[str, Any] | None = None
    software_id: str | None = None
    software_version: str | None = None
    application_type: str | None = None
    sector_identifier_uri: str | None = None
    subject_type: str | None = None
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool | None = None
    default_acr_values: tuple[str, ...] | None = None
    initiate_login_uri: str | None = None
    post_logout_redirect_uris: tuple[str, ...] | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool | None = None
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool | None = None
    require_pushed_authorization_requests: bool | None = None
    first_party: bool | None = None
    audiences: tuple[str, ...] | None = None


class CheckedMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Metadata that passed: fields of ``OAuthClient``, of the same names."""

    name: str
    token_endpoint_auth_method: AuthenticationMethod
    token_endpoint_auth_signing_alg: str | None
    jwks: bytes | None
    jwks_uri: str | None
    application_type: Literal["web", "native"]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    response_types: tuple[ResponseType, ...]
    scope: tuple[str, ...] | None
    audiences: tuple[str, ...] | None
    first_party: bool
    subject_type: Literal["public", "pairwise"]
    sector: str
    sector_identifier_uri: str | None
    id_token_signed_response_alg: str
    userinfo_signed_response_alg: str | None
    default_max_age: int | None
    require_auth_time: bool
    default_acr_values: tuple[str, ...]
    require_pushed_authorization_requests: bool
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool
    initiate_login_uri: str | None
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    contacts: tuple[str, ...]
    software_id: str | None
    software_version: str | None

    @property
    def has_secret(self) -> bool:
        """Whether such a client has a secret: it authenticates by it, or its ID tokens are signed with it."""
        return self.token_endpoint_auth_method in SECRET_METHODS

    @property
    def needs_plain_secret(self) -> bool:
        """Whether that secret has to be known here, and not just its digest, to verify or to sign with it."""
        algorithms = (self.id_token_signed_response_alg, self.userinfo_signed_response_alg or "")
        return self.token_endpoint_auth_method == "client_secret_jwt" or any(  # noqa: S105 - a name
            each.startswith("HS") for each in algorithms
        )

    def on(self, client: OAuthClient) -> OAuthClient:
        """Return a client with this metadata in place of its own."""
        return msgspec.structs.replace(client, **_members(self))

    def new(self, client_id: str, *, created_at: float) -> OAuthClient:
        """Return a new client with this metadata, and without a secret yet."""
        return OAuthClient(id=client_id, created_at=created_at, **_members(self))


def read_metadata(document: Mapping[str, Any]) -> ClientMetadata:
    """Return metadata out of a JSON object.

    Raises:
        InvalidRedirectURIError: If ``redirect_uris`` is no list of texts.
        InvalidClientMetadataError: If another member is not of its type, or demands what is not done here.
    """
    check_demands(document)
    try:
        return msgspec.convert(document, ClientMetadata)
    except msgspec.ValidationError as error:
        name = str(error).partition("`$.")[2].partition("`")[0].partition("[")[0]
        name = name if name in ClientMetadata.__struct_fields__ else ""
    if name == "redirect_uris":
        raise InvalidRedirectURIError("Redirect URIs are a list of texts.", field=name)
    raise refused(name or "metadata", "it is not of the type that it should be.")


def check_metadata(
    metadata: ClientMetadata, *, trusted: bool, hybrid: bool = False, development: bool = False
) -> CheckedMetadata:
    """Check client metadata, and complete it with what a client gets that does not say.

    The document of a ``sector_identifier_uri`` has to be fetched and checked as well
    (``metadata_rules.subjects.check_sector_document``).

    Args:
        metadata: As sent.
        trusted: Whether whoever runs this server sent it. What is not known here is an error then, rather than left
            out, keys may be made later, and ``first_party`` and ``audiences`` are read.
        hybrid: Whether there are response types beyond ``code``.
        development: Whether this server asks this very machine for documents, without https.

    Raises:
        InvalidRedirectURIError: If a redirect URI is none that the client may have, or it needs one.
        InvalidClientMetadataError: If anything else is not to be accepted.
    """
    grant_types, response_types = check_grants(
        metadata.grant_types, metadata.response_types, hybrid=hybrid, strict=trusted
    )
    jwks_uri = check_address("jwks_uri", metadata.jwks_uri, loopback=development)
    jwks = check_jwks(metadata.jwks, has_uri=jwks_uri is not None)
    method = check_method(
        metadata.token_endpoint_auth_method,
        grant_types,
        has_keys=trusted or jwks is not None or jwks_uri is not None,
    )
    application_type = _application_type(metadata)
    redirect_uris = _redirect_uris(metadata, application_type, response_types, trusted=trusted)
    sector_uri = check_address("sector_identifier_uri", metadata.sector_identifier_uri, loopback=development)
    subject_type = check_subject_type(metadata.subject_type)
    has_secret = method in SECRET_METHODS
    return CheckedMetadata(
        name=_name(metadata, redirect_uris),
        token_endpoint_auth_method=method,
        token_endpoint_auth_signing_alg=check_assertion_algorithm(
            metadata.token_endpoint_auth_signing_alg, method
        ),
        jwks=jwks,
        jwks_uri=jwks_uri,
        application_type=application_type,
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=_post_logout_redirect_uris(metadata),
        grant_types=grant_types,
        response_types=response_types,
        scope=_scope(metadata.scope),
        audiences=metadata.audiences if trusted else None,
        first_party=trusted and metadata.first_party is True,
        subject_type=subject_type,
        sector=sector_of(redirect_uris, sector_uri, pairwise=subject_type == "pairwise"),
        sector_identifier_uri=sector_uri,
        id_token_signed_response_alg=check_signing_algorithm(
            "id_token_signed_response_alg", metadata.id_token_signed_response_alg, has_secret=has_secret
        )
        or _USUAL_ALGORITHM,
        userinfo_signed_response_alg=check_signing_algorithm(
            "userinfo_signed_response_alg", metadata.userinfo_signed_response_alg, has_secret=has_secret
        ),
        default_max_age=_age(metadata.default_max_age),
        require_auth_time=metadata.require_auth_time is True,
        default_acr_values=check_texts("default_acr_values", metadata.default_acr_values),
        require_pushed_authorization_requests=metadata.require_pushed_authorization_requests is True,
        backchannel_logout_uri=check_address(
            "backchannel_logout_uri", metadata.backchannel_logout_uri, loopback=development
        ),
        backchannel_logout_session_required=metadata.backchannel_logout_session_required is True,
        frontchannel_logout_uri=check_front_channel(metadata.frontchannel_logout_uri, redirect_uris),
        frontchannel_logout_session_required=metadata.frontchannel_logout_session_required is True,
        initiate_login_uri=check_address("initiate_login_uri", metadata.initiate_login_uri, loopback=True),
        client_uri=check_information("client_uri", metadata.client_uri),
        logo_uri=check_information("logo_uri", metadata.logo_uri),
        policy_uri=check_information("policy_uri", metadata.policy_uri),
        tos_uri=check_information("tos_uri", metadata.tos_uri),
        contacts=check_texts("contacts", metadata.contacts),
        software_id=check_text("software_id", metadata.software_id),
        software_version=check_text("software_version", metadata.software_version),
    )


def metadata_of(client: OAuthClient) -> dict[str, Any]:
    """Return all registered metadata of a client (RFC 7591 section 3.2.1), by the names in which it is sent."""
    shown: dict[str, Any] = {
        name: value
        for name in ClientMetadata.__struct_fields__
        if name not in _NOT_SHOWN and _is_said(value := getattr(client, name))
    }
    shown |= {
        "client_name": client.name,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "application_type": client.application_type,
        "subject_type": client.subject_type,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "redirect_uris": client.redirect_uris,
        "response_types": client.response_types,
        "grant_types": _grant_types(client),
    }
    if client.scope is not None:
        shown["scope"] = " ".join(client.scope)
    if client.jwks is not None:
        shown["jwks"] = msgspec.Raw(client.jwks)
    return shown


_NOT_SHOWN: Final = frozenset({"client_name", "scope", "jwks", "first_party", "audiences"})


def _is_said(value: object) -> bool:
    return value is not None and value is not False and value != ()


def _members(checked: CheckedMetadata) -> dict[str, Any]:
    return {name: getattr(checked, name) for name in checked.__struct_fields__}


def _grant_types(client: OAuthClient) -> list[str]:
    """Return its grant types, with the word that clients use for tokens from the authorization endpoint."""
    implicit = ["implicit"] if any("id_token" in each for each in client.response_types) else []
    return [*client.grant_types, *implicit]


def _application_type(metadata: ClientMetadata) -> Literal["web", "native"]:
    match metadata.application_type:
        case None | "" | "web":
            return "web"
        case "native":
            return "native"
    raise refused("application_type", "it is web or native.")


def _redirect_uris(
    metadata: ClientMetadata,
    application_type: Literal["web", "native"],
    response_types: tuple[ResponseType, ...],
    *,
    trusted: bool,
) -> tuple[str, ...]:
    """Return the redirect URIs, each once.

    A web client that gets tokens from the authorization endpoint has https only (OpenID Connect Registration section
    2). Others may name the loopback interface, whatever they call themselves: agents and tools on people's own machines
    seldom call themselves native. Schemes of an app's own are for those who do, or who are public.
    """
    uris = tuple(dict.fromkeys(metadata.redirect_uris or ()))
    if response_types and not uris:
        raise InvalidRedirectURIError("At least one redirect URI is needed.", field="redirect_uris")
    if len(uris) > MOST_URIS:
        raise InvalidRedirectURIError(f"There are at most {MOST_URIS} redirect URIs.", field="redirect_uris")
    native = application_type == "native"
    hybrid = any("id_token" in each for each in response_types)
    public = metadata.token_endpoint_auth_method == "none"  # noqa: S105 - a name
    for uri in uris:
        check_redirect_uri(uri, loopback=native or trusted or not hybrid, private=native or public or trusted)
    return uris


def _post_logout_redirect_uris(metadata: ClientMetadata) -> tuple[str, ...]:
    uris = tuple(dict.fromkeys(metadata.post_logout_redirect_uris or ()))
    if len(uris) > MOST_URIS:
        raise refused("post_logout_redirect_uris", f"there are at most {MOST_URIS}.")
    for uri in uris:
        try:
            check_redirect_uri(uri, loopback=True, private=True)
        except InvalidRedirectURIError as error:
            raise InvalidClientMetadataError(
                f"post_logout_redirect_uris: {error.message}", field="post_logout_redirect_uris"
            ) from None
    return uris


def _name(metadata: ClientMetadata, redirect_uris: tuple[str, ...]) -> str:
    """Return the name that people are told; for a client that says none, where it is."""
    if metadata.client_name:
        return check_name(metadata.client_name)
    found = [urlsplit(each).hostname for each in (metadata.client_uri or "", *redirect_uris)]
    return next((each for each in found if each), "Unnamed")


def _scope(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        parse_scope(text)
    except MalformedScopeError:
        raise refused("scope", "it is a list of scopes, each after one space.") from None
    scopes = tuple(dict.fromkeys(text.split()))
    if len(scopes) > _MOST_SCOPES:
        raise refused("scope", f"there are at most {_MOST_SCOPES}.")
    return scopes or None


def _age(seconds: int | None) -> int | None:
    if seconds is not None and not 0 <= seconds <= _LONGEST_AGE:
        raise refused("default_max_age", "it is a number of seconds.")
    return seconds
