"""What a user gave to which clients, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from ...identity import FIRST_PARTY, Identity
from ...oauth.model import API, Consent, Grant, OAuthClient
from ...oauth.vocabulary import OPENID_SCOPES
from ...sessions.lifecycle import is_alive
from ...sessions.model import Session
from ..ending import Reason, by_user, end_sessions
from .apis import cached_api

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["Application", "Applications", "GivenAPI"]


class GivenAPI(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An API that a client has access to.

    Attributes:
        audience: It.
        name: What it is called.
        scopes: What the client may do there, each scope with its description, or ``""``.
    """

    audience: str
    name: str
    scopes: tuple[tuple[str, str], ...]


class Application(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A client that a user gave access to.

    Attributes:
        client: It.
        openid: The scopes of OpenID Connect.
        apis: The APIs.
        since: When access was first given, as far as it is known.
        last_used_at: When it was last used, coarsely; ``None`` if the client has no session at this moment.
        offline: Whether it outlives the browser's session.
        is_remembered: Whether the user is not asked again.
    """

    client: OAuthClient
    openid: tuple[str, ...]
    apis: tuple[GivenAPI, ...]
    since: float
    last_used_at: float | None
    offline: bool
    is_remembered: bool


class Applications:
    """What users see of the clients that they gave access to, and do about them."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def list(self, user_id: str) -> list[Application]:
        """Return the clients that a user gave access to, the one that was used last first."""
        records = self._context.storage.records
        sessions = self._usable(await records.list_sessions(user_id))
        consents = {each.client_id: each for each in await records.list_consents(user_id)}
        grants: dict[str, list[Grant]] = {}
        for grant in await records.list_grants(user_id=user_id):
            if grant.session_id in sessions:
                grants.setdefault(grant.client_id, []).append(grant)
        found: list[Application] = []
        for client_id in {**consents, **grants}:
            client = await records.find_client(client_id)
            if client is not None:
                given, consent = grants.get(client_id, []), consents.get(client_id)
                found.append(await self._application(client, consent, given, sessions=sessions))
        return sorted(found, key=lambda each: (-(each.last_used_at or 0), -each.since, each.client.id))

    async def remove(self, identity: Identity, client_id: str) -> bool:
        """Take back all that a user gave to a client: it has no access any more, and has to ask again.

        Its sessions end one by one, by their names, and codes that are on their way to it with them. ``False`` if it
        had nothing.
        """
        context = self._context
        async with context.storage.transaction(identity.id) as records:
            sessions = await records.list_sessions(identity.id)
            # FIRST_PARTY is no client: nobody signs out here by its name.
            named = [each.id for each in sessions if each.client_id == client_id != FIRST_PARTY]
            ended = await end_sessions(
                context, records, named, reason=Reason.GRANT_REVOKED, actor=by_user(identity.id)
            )
            forgotten = await records.delete_consent(identity.id, client_id)
            # One that is on its way would open another session.
            await records.delete_open_codes(user_id=identity.id, client_id=client_id)
        return bool(ended) or forgotten

    def _usable(self, sessions: Iterable[Session]) -> dict[str, Session]:
        """Return the sessions that can be used: a client's only while the one above it can."""
        now = self._context.clock()
        alive = {each.id: each for each in sessions if is_alive(each, now)}
        return {
            name: each for name, each in alive.items() if each.parent_id is None or each.parent_id in alive
        }

    async def _application(
        self,
        client: OAuthClient,
        consent: Consent | None,
        grants: Sequence[Grant],
        *,
        sessions: dict[str, Session],
    ) -> Application:
        allowed: tuple[Consent | Grant, ...] = (*grants, *(() if consent is None else (consent,)))
        scope = frozenset().union(*(each.scope for each in allowed))
        audiences = frozenset().union(*(each.audiences for each in allowed))
        times = [each.created_at for each in grants]
        if consent is not None:
            times.append(consent.granted_at)
        return Application(
            client=client,
            openid=tuple(each for each in OPENID_SCOPES if each in scope),
            apis=await self._apis(scope.difference(OPENID_SCOPES), audiences),
            since=min(times),
            last_used_at=max((sessions[each.session_id].last_seen_at for each in grants), default=None),
            offline=any(each.offline for each in grants),
            is_remembered=consent is not None,
        )

    async def _apis(self, scope: frozenset[str], audiences: frozenset[str]) -> tuple[GivenAPI, ...]:
        """Return the APIs with what may be done there. What belongs to none of them is the built-in one's."""
        own = self._context.access_tokens.audience
        found = [await cached_api(self._context, each) for each in sorted(audiences - {own})]
        given = [_given(each, scope) for each in found if each is not None]
        rest = scope.difference(*({name for name, _ in each.scopes} for each in given))
        built_in = await cached_api(self._context, own)
        if built_in is not None and rest:
            described = {each.name: each.description for each in built_in.scopes}
            scopes = tuple((each, described.get(each, "")) for each in sorted(rest))
            given.append(GivenAPI(audience=own, name=built_in.name, scopes=scopes))
        return tuple(given)


def _given(api: API, scope: frozenset[str]) -> GivenAPI:
    scopes = tuple((each.name, each.description) for each in api.scopes if each.name in scope)
    return GivenAPI(audience=api.audience, name=api.name, scopes=scopes)
