"""The registered APIs, and the one that is built in: what access tokens can be for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from ..._core.secrets import new_token
from ...identity import MalformedScopeError, parse_scope
from ...oauth.client_names import check_name
from ...oauth.errors import InvalidClientMetadataError, InvalidScopeError
from ...oauth.model import API, APIScope
from ...oauth.vocabulary import API_ALGORITHMS, OPENID_SCOPES
from ...revocation.model import EVERYTHING
from ...revocation.policy import LONGEST_TOKEN
from ..ending import Reason, void_earlier
from ..ports import Records
from .administering import ADMINISTRATION
from .errors import APITakenError, InvalidAPIError, UnknownAPIError
from .shared_secrets import seal_secret

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["APIs", "api_for", "built_in_api", "cached_api", "is_built_in", "resolve"]

_PREFIX: Final = "cca_"  # so that scanners of code and logs know what they have found
_AUDIENCE: Final = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)
_BY_SECRET: Final = "HS256"  # noqa: S105 - an algorithm
_SHORTEST: Final = timedelta(seconds=30)
_MOST_SCOPES: Final = 200
_LONGEST_SCOPE: Final = 128
_LONGEST_DESCRIPTION: Final = 255
_NOT_IN_URI: Final = frozenset('"<>\\^`{|}')  # RFC 3986 section 2


def is_built_in(context: Context, audience: str) -> bool:
    """Tell whether an audience is that of this server's own API, by either of its spellings."""
    return audience in _spellings(context.access_tokens.audience)


async def built_in_api(context: Context, records: Records | None = None) -> API:
    """Return this server's own API. It needs no registration: its scopes are what users have (``User.scopes``).

    Args:
        context: Where its audience is.
        records: A transaction; the committed records unless given.
    """
    audience = context.access_tokens.audience
    found = await (records or context.storage.records).find_api(audience)
    return found or API(
        audience=audience, name="This server", scopes=tuple(ADMINISTRATION.values()), created_at=0.0
    )


async def resolve(records: Records, resource: str) -> API | None:
    """Return the registered API that a resource indicator names (RFC 8707), or ``None``.

    They are compared letter by letter, but that ``https://host`` and ``https://host/`` are the same: libraries that
    hold URIs as objects add the slash.
    """
    for audience in _spellings(resource):
        found = await records.find_api(audience)
        if found is not None:
            return found
    return None


async def cached_api(context: Context, resource: str) -> API | None:
    """Return the API that a resource indicator names, the built-in one too, as it is at this moment."""

    async def load() -> API | None:
        if is_built_in(context, resource):
            return await built_in_api(context)
        return await resolve(context.storage.records, resource)

    return await context.cache.get(context.storage, ("api", resource), load)


async def api_for(context: Context, records: Records, scope: Collection[str]) -> API:
    """Return the API that scopes belong to, where no resource is named.

    Scopes that no registered API has are the built-in API's, or nobody's.

    Raises:
        InvalidScopeError: If no single API has all of them (RFC 9068 section 3).
    """
    asked = frozenset(scope).difference(OPENID_SCOPES)
    apis = await context.cache.get(context.storage, "apis", records.list_apis) or []
    registered = [each for each in apis if not is_built_in(context, each.audience)]
    names = {each.audience: frozenset(scope.name for scope in each.scopes) for each in registered}
    known = asked.intersection(frozenset().union(*names.values()))
    if not known:
        return await built_in_api(context, records)
    fitting = [each for each in registered if known <= names[each.audience]]
    if len(fitting) != 1:
        raise InvalidScopeError("The scopes belong to several APIs: name one by resource.", field="scope")
    return fitting[0]


class APIs:
    """Registering APIs. ``actor`` is who does it, for the ledger."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def add(
        self,
        audience: str,
        *,
        name: str = "",
        scopes: Iterable[APIScope] = (),
        algorithm: str = "ES256",
        token_lifetime: timedelta | None = None,
    ) -> tuple[API, str | None]:
        """Register an API; return it, and for ``HS256`` its secret, which is shown once.

        Args:
            audience: Its resource indicator (RFC 8707 section 2): an absolute URI without a fragment.
            name: What users are told it is called; by default its host.
            scopes: What can be done there.
            algorithm: What signs its tokens, one of ``oauth.vocabulary.API_ALGORITHMS``.
            token_lifetime: How long they are good; ``None`` for the server's usual time.

        Raises:
            InvalidAPIError: If one of these is not possible.
            APITakenError: If there is one of that audience.
        """
        context = self._context
        _check_audience(audience)
        _check_algorithm(algorithm)
        api = API(
            audience=audience,
            name=_checked_name(name or urlsplit(audience).hostname or audience[:255]),
            scopes=_checked_scopes(scopes),
            token_lifetime=_checked_lifetime(token_lifetime),
            algorithm=algorithm,
            created_at=context.clock(),
        )
        api, secret = self._with_secret(api) if algorithm == _BY_SECRET else (api, None)
        await context.access_tokens.keys.ensure(algorithm)
        async with context.storage.transaction() as records:
            # Tokens that userinfo takes name the issuer beside their API: an API of that name would take them all.
            ours = is_built_in(context, audience) or audience in _spellings(context.access_tokens.issuer)
            taken = ours or await resolve(records, audience) is not None
            if taken or not await records.add_api(api):
                raise APITakenError
        return api, secret

    async def get(self, audience: str) -> API:
        """Return an API, the built-in one too.

        Raises:
            UnknownAPIError: If there is none of that audience.
        """
        return await self._get(self._context.storage.records, audience)

    async def find(self, audience: str) -> API | None:
        """Return an API, the built-in one too, or ``None``."""
        return await cached_api(self._context, audience)

    async def list(self) -> list[API]:
        """Return all APIs: the built-in one, then the others in the order of their audiences."""
        context = self._context
        others = await context.storage.records.list_apis()
        return [
            await built_in_api(context),
            *(each for each in others if not is_built_in(context, each.audience)),
        ]

    async def change(
        self,
        audience: str,
        *,
        actor: str,
        name: str | None = None,
        scopes: Iterable[APIScope] | None = None,
        algorithm: str | None = None,
        token_lifetime: timedelta | None = None,
        usual_lifetime: bool = False,
    ) -> tuple[API, str | None]:
        """Change an API; what is ``None`` stays. Return it, and its secret if it has a new one.

        Who had been given a scope that it has no more, loses it. Where less is possible than before, all tokens that
        were issued until now are void: they are refreshed without anybody noticing.

        Args:
            audience: Which.
            actor: Who does it.
            name: What users are told it is called.
            scopes: What can be done there, all of it.
            algorithm: What signs its tokens.
            token_lifetime: How long they are good.
            usual_lifetime: Go back to the server's usual time.

        Raises:
            UnknownAPIError: If there is none of that audience.
            InvalidAPIError: If one of these is not possible. The built-in API takes other scopes only.
        """
        context = self._context
        changed_lifetime = token_lifetime is not None or usual_lifetime
        if algorithm is not None:
            _check_algorithm(algorithm)
            await context.access_tokens.keys.ensure(algorithm)
        if is_built_in(context, audience) and (algorithm is not None or changed_lifetime):
            raise InvalidAPIError(
                "What signs the tokens of this server's own API, and how long, is in the settings.",
                field="audience",
            )
        async with context.storage.transaction() as records:
            before = await self._get(records, audience)
            after = before
            if name is not None:
                after = replace(after, name=_checked_name(name))
            if scopes is not None:
                after = replace(
                    after, scopes=_checked_scopes(scopes, built_in=is_built_in(context, audience))
                )
            if changed_lifetime:
                after = replace(after, token_lifetime=_checked_lifetime(token_lifetime))
            secret = None
            if algorithm is not None and algorithm != before.algorithm:
                after = replace(after, algorithm=algorithm, sealed_secret=None)
                after, secret = self._with_secret(after) if algorithm == _BY_SECRET else (after, None)
            if not await records.replace_api(after):
                await records.add_api(after)  # the built-in one, for the first time
            if _is_narrower(after, before):
                await _trim(records, after, before)
                await self._void_everything(records, actor=actor)
        return after, secret

    async def new_secret(self, audience: str) -> tuple[API, str]:
        """Give an API that signs by ``HS256`` another secret. What the old one signed does not verify any more.

        Raises:
            UnknownAPIError: If there is none of that audience.
            InvalidAPIError: If it has no secret.
        """
        async with self._context.storage.transaction() as records:
            before = await self._get(records, audience)
            if before.algorithm != _BY_SECRET:
                raise InvalidAPIError(
                    "This API has no secret: its tokens are signed by a key.", field="audience"
                )
            api, secret = self._with_secret(before)
            await records.replace_api(api)
        return api, secret

    async def remove(self, audience: str, *, actor: str) -> None:
        """Remove an API with all permissions on it. All tokens that were issued until now are void.

        Raises:
            UnknownAPIError: If there is none of that audience.
            InvalidAPIError: If it is the built-in one.
        """
        if is_built_in(self._context, audience):
            raise InvalidAPIError("This server's own API cannot be removed.", field="audience")
        async with self._context.storage.transaction() as records:
            api = await self._get(records, audience)
            await records.delete_api(api.audience)
            await self._void_everything(records, actor=actor)

    async def _get(self, records: Records, audience: str) -> API:
        if is_built_in(self._context, audience):
            return await built_in_api(self._context, records)
        found = await resolve(records, audience)
        if found is None:
            raise UnknownAPIError
        return found

    def _with_secret(self, api: API) -> tuple[API, str]:
        secret = _PREFIX + new_token()
        return replace(api, sealed_secret=seal_secret(self._context.sealer, secret, owner="api")), secret

    async def _void_everything(self, records: Records, *, actor: str) -> None:
        # Tokens have an audience, and the ledger no word for it: one cut-off of all is exact enough.
        await void_earlier(
            self._context,
            records,
            ("everything", EVERYTHING),
            reason=Reason.PERMISSIONS_CHANGED,
            actor=actor,
        )


def _spellings(uri: str) -> tuple[str, ...]:
    """Return a URI and, if it has no path, its other spelling."""
    if uri.endswith("/") and uri.count("/") == 3:
        return uri, uri[:-1]
    return (uri, f"{uri}/") if uri.count("/") == 2 and "?" not in uri else (uri,)


def _is_narrower(after: API, before: API) -> bool:
    open_after = {each.name: each.for_everybody for each in after.scopes}
    return any(
        each.name not in open_after or (each.for_everybody and not open_after[each.name])
        for each in before.scopes
    )


async def _trim(records: Records, after: API, before: API) -> None:
    """Take back permissions for what an API has no more: it must not come back with a scope of the same name.

    Those for what it never listed stay: at the built-in one, scopes need not be.
    """
    gone = frozenset(each.name for each in before.scopes) - {each.name for each in after.scopes}
    for permission in await records.list_permissions(audience=after.audience):
        kept = permission.scopes - gone
        if kept != permission.scopes:
            await records.put_permission(replace(permission, scopes=kept))


def _check_audience(audience: str) -> None:
    """Refuse what is no resource indicator (RFC 8707 section 2)."""
    try:
        parts = urlsplit(audience)
        good = parts.port is None or parts.port > 0
    except ValueError:
        good, parts = False, urlsplit("")
    good = (
        good
        and _AUDIENCE.fullmatch(audience) is not None
        and _NOT_IN_URI.isdisjoint(audience)
        and bool(parts.scheme)
        and bool(parts.netloc or (parts.path and ":" in audience and "//" not in audience))
        and "#" not in audience
        and parts.username is None
        and (parts.scheme not in {"http", "https"} or bool(parts.hostname))
    )
    if not good:
        raise InvalidAPIError(
            "An audience is an absolute URI without a fragment, of at most 512 ASCII characters, like "
            "https://api.example.",
            field="audience",
        )


def _check_algorithm(algorithm: str) -> None:
    if algorithm not in API_ALGORITHMS:
        raise InvalidAPIError(
            f"Access tokens are signed by one of {', '.join(API_ALGORITHMS)}.", field="algorithm"
        )


def _checked_name(name: str) -> str:
    try:
        return check_name(name, field="name")
    except InvalidClientMetadataError as error:
        raise InvalidAPIError(error.message, field="name") from None


def _checked_lifetime(lifetime: timedelta | None) -> int | None:
    if lifetime is None:
        return None
    if not _SHORTEST <= lifetime <= LONGEST_TOKEN:
        raise InvalidAPIError("Access tokens are good for 30 seconds to one hour.", field="token_lifetime")
    return int(lifetime.total_seconds())


def _checked_scopes(scopes: Iterable[APIScope], *, built_in: bool = False) -> tuple[APIScope, ...]:
    found = {each.name: each for each in scopes}
    if len(found) > _MOST_SCOPES:
        raise InvalidAPIError(f"An API has at most {_MOST_SCOPES} scopes.", field="scopes")
    for scope in found.values():
        _check_scope(scope, built_in=built_in)
    if built_in:
        found = {**found, **ADMINISTRATION}
    return tuple(found.values())


def _check_scope(scope: APIScope, *, built_in: bool) -> None:
    try:
        good = parse_scope(scope.name) == {scope.name} and len(scope.name) <= _LONGEST_SCOPE
    except MalformedScopeError:
        good = False
    if not good:
        raise InvalidAPIError("A scope is one word of up to 128 visible ASCII characters.", field="scopes")
    if scope.name in OPENID_SCOPES:
        raise InvalidAPIError("A scope of OpenID Connect belongs to no API.", field="scopes")
    if scope.name.startswith("coatcheck:") and not (built_in and scope.name in ADMINISTRATION):
        raise InvalidAPIError("Scopes that begin with coatcheck: are this server's own.", field="scopes")
    if built_in and scope.for_everybody:
        raise InvalidAPIError(
            "Nobody but who was given it has a scope of this server's own API.", field="scopes"
        )
    if len(scope.description) > _LONGEST_DESCRIPTION or not scope.description.isprintable():
        raise InvalidAPIError("The description of a scope is one line of up to 255 letters.", field="scopes")
