"""What is asked for, and at which APIs (RFC 6749 section 3.3, RFC 8707 section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ...identity import MalformedScopeError, parse_scope
from ..errors import InvalidScopeError, InvalidTargetError
from ..grants.resource import canonical_resource
from ..model import API, OAuthClient
from ..parameters import Parameters
from ..vocabulary import OFFLINE_ACCESS, OPENID_SCOPES

__all__ = ["ADMINISTERS", "Asked", "asked_of"]

_OPENID: Final = frozenset(OPENID_SCOPES)
_MOST: Final = 100
ADMINISTERS: Final = "coatcheck:"
"""How the scopes begin by which this server is administered."""
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s#]+", re.ASCII)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What is asked for.

    Attributes:
        scope: The scopes, in the order of the request, without those that mean nothing here.
        audiences: The APIs; none for the one that is meant by default.
    """

    scope: tuple[str, ...]
    audiences: tuple[str, ...]


def asked_of(
    parameters: Parameters, client: OAuthClient, apis: Sequence[API], *, built_in: str, has_code: bool = True
) -> Asked:
    """Return the scopes and APIs of a request.

    A scope that is unknown here, or that this client may not ask for, is left out; the token response says what was
    granted. At the built-in API any scope may be one: users have them there by themselves.

    Args:
        parameters: The request.
        client: Who asks.
        apis: All APIs.
        built_in: The audience of the one that is meant by default.
        has_code: Whether there will be a code, so that there can be access without the user.

    Raises:
        InvalidScopeError: If the scope is none, nothing of it is left, or it belongs to several APIs.
        InvalidTargetError: If a resource is no API, or not one for this client.
    """
    listed = _listed(parameters.get("scope"))
    allowed = [each for each in listed if _may_ask(client, each, has_code=has_code)]
    of_apis = [each for each in allowed if each not in _OPENID]
    mine = [api for api in apis if client.audiences is None or api.audience in client.audiences]
    resources = parameters.all("resource")
    chosen = _named(resources, mine) if resources else _meant(of_apis, mine, built_in)
    offered = {scope.name for api in chosen for scope in api.scopes}
    open_ended = any(api.audience == built_in for api in chosen)
    scope = tuple(each for each in allowed if each in _OPENID or open_ended or each in offered)
    if listed and not scope:
        raise InvalidScopeError("Nothing of this scope can be asked for here.", field="scope")
    is_default = not resources and not any(each not in _OPENID for each in scope)
    if is_default and any(api.audience == built_in for api in mine):
        return Asked(scope, ())
    return Asked(scope, tuple(api.audience for api in chosen))


def _listed(text: str | None) -> list[str]:
    """Return the scopes of the parameter, each once, in their order."""
    try:
        parse_scope(text or "")
    except MalformedScopeError as error:
        raise InvalidScopeError(error.message, field="scope") from None
    listed = list(dict.fromkeys(filter(None, (text or "").split(" "))))
    if len(listed) > _MOST:
        raise InvalidScopeError("These are too many scopes.", field="scope")
    return listed


def _may_ask(client: OAuthClient, scope: str, *, has_code: bool) -> bool:
    if scope == OFFLINE_ACCESS and not (has_code and "refresh_token" in client.grant_types):
        return False  # OpenID Connect Core section 11: ignored where there is no way to use it
    if scope.startswith(ADMINISTERS) and client.registered_by != "administrator":
        return False  # whoever registers themselves must not get all by one careless yes
    return client.scope is None or scope in client.scope


def _named(resources: Iterable[str], apis: Sequence[API]) -> list[API]:
    by_resource = {canonical_resource(api.audience): api for api in apis}
    chosen: dict[str, API] = {}
    for resource in resources:
        if not _ABSOLUTE.fullmatch(resource):
            raise InvalidTargetError("A resource is an absolute URI without a fragment.", field="resource")
        api = by_resource.get(canonical_resource(resource))
        if api is None:
            raise InvalidTargetError("There is no such resource for this client.", field="resource")
        chosen[api.audience] = api
    return list(chosen.values())


def _meant(scopes: Sequence[str], apis: Sequence[API], built_in: str) -> list[API]:
    """Return the API that a request means that names none: the one that its scopes belong to."""
    usual = [api for api in apis if api.audience == built_in] or list(apis[:1])
    known = [each for each in scopes if any(_offers(api, each) for api in apis)]
    if not known:
        return usual
    able = [api for api in apis if all(_offers(api, each) for each in known)]
    if not able:
        # RFC 9068 section 3: a scope could be taken for that of another API of the same name.
        raise InvalidScopeError("These scopes belong to several APIs: say which by resource.", field="scope")
    if len(able) > 1 and usual[0] not in able:
        raise InvalidTargetError("Several APIs have these scopes: say which by resource.", field="resource")
    return usual if usual[0] in able else able


def _offers(api: API, scope: str) -> bool:
    return any(each.name == scope for each in api.scopes)
