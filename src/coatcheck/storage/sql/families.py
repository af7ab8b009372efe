"""All that belongs to a refresh token, in one statement: a server that is far is asked once."""

from __future__ import annotations

from typing import Final

import msgspec

from ...flows.model import Family
from ...oauth.model import Grant
from .access import Parameters, SQLTable
from .refresh_tokens import token_from
from .sessions import session_from
from .users import user_from

__all__ = ["FamilyTable"]

_FIND: Final = """
SELECT own.id, own.user_id, own.digest, own.profile, own.created_at, own.authenticated_at, own.methods,
       own.last_seen_at, own.idle_timeout, own.expires_at, own.address, own.user_agent, own.scope, own.binding,
       own.data, own.data_revision, own.client_id, own.parent_id,
       parent.id, parent.user_id, parent.digest, parent.profile, parent.created_at, parent.authenticated_at,
       parent.methods, parent.last_seen_at, parent.idle_timeout, parent.expires_at, parent.address,
       parent.user_agent, parent.scope, parent.binding, parent.data, parent.data_revision, parent.client_id,
       parent.parent_id,
       users.id, users.email, users.email_key, users.password_hash, users.scopes, users.created_at,
       users.password_changed_at, users.disabled_at,
       token.digest, token.session_id, token.client, token.created_at, token.expires_at, token.rotated_at,
       token.sealed_successor,
       grants.document
FROM sessions AS own
JOIN users ON users.id = own.user_id
LEFT JOIN sessions AS parent ON parent.id = own.parent_id
    AND +parent.generation = (SELECT number FROM session_generation WHERE "only" = 1)
LEFT JOIN refresh_tokens AS token ON token.digest = :digest AND token.session_id = own.id
LEFT JOIN grants ON grants.session_id = own.id
WHERE own.id = :session_id AND +own.generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_SESSION: Final = 18  # columns
_USER: Final = 8
_TOKEN: Final = 7

_grant = msgspec.json.Decoder(Grant).decode


class FamilyTable(SQLTable):
    """Satisfies ``flows.ports.FamilyRecords``."""

    async def find_family(self, session_id: str, *, digest: bytes) -> Family | None:
        """Return a session with all that a refresh token of it depends on."""
        parameters: Parameters = {"session_id": session_id, "digest": digest}
        row = await self._access.row(_FIND, parameters)
        if row is None:
            return None
        parent, user, token = row[_SESSION:], row[2 * _SESSION :], row[2 * _SESSION + _USER :]
        document = token[_TOKEN]
        return Family(
            session=session_from(row),
            parent=None if parent[0] is None else session_from(parent),
            user=user_from(user[:_USER]),
            token=None if token[0] is None else token_from(token),
            grant=None if document is None else _grant(document),
        )
