"""The first tier, for what is read together: a session with all that a refresh token of it depends on."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

from msgspec.structs import replace

from ...flows.model import Family
from ...flows.ports import Storage
from ...oauth.model import Grant
from .driving import scenario
from .samples import NOW, a_client, a_session, a_token, a_user

__all__ = ["FamilyBehaviour"]

_PARENT = a_session("above")
_SESSION = replace(a_session(), digest=None, client_id="client-one", parent_id=_PARENT.id)
_GRANT = Grant(
    session_id=_SESSION.id,
    user_id="user-ada",
    client_id="client-one",
    scope=("openid",),
    audiences=("https://api.example",),
    created_at=NOW,
)


class FamilyBehaviour:
    """Of ``find_family``."""

    @scenario
    async def test_a_family_is_what_its_parts_are_one_by_one(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_client(a_client())
        assert await records.find_family(_SESSION.id, digest=a_token().digest) is None
        await records.add_session(_PARENT)
        await records.add_session(_SESSION)
        alone = Family(session=_SESSION, parent=_PARENT, user=a_user(), token=None, grant=None)
        assert await records.find_family(_SESSION.id, digest=a_token().digest) == alone
        await records.add_refresh_token(a_token())
        await records.put_grant(_GRANT)
        whole = replace(alone, token=a_token(), grant=_GRANT)
        assert await records.find_family(_SESSION.id, digest=a_token().digest) == whole
        async with storage.transaction("user-ada") as transaction:
            assert await transaction.find_family(_SESSION.id, digest=a_token().digest) == whole
            await transaction.touch_session(_PARENT.id, NOW + 60)
            found = await transaction.find_family(_SESSION.id, digest=a_token("other").digest)
            above = replace(_PARENT, last_seen_at=NOW + 60)
            assert found == replace(whole, parent=above, token=None)

    @scenario
    async def test_a_family_has_no_token_of_another_session(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session())
        await records.add_session(a_session("two"))
        await records.add_refresh_token(a_token())
        found = await records.find_family("session-two", digest=a_token().digest)
        assert found == Family(session=a_session("two"), parent=None, user=a_user(), token=None, grant=None)

    @scenario
    async def test_nothing_of_a_family_is_found_when_all_sessions_have_ended(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session())
        await records.add_refresh_token(a_token())
        async with storage.transaction() as transaction:
            await transaction.delete_all_sessions(NOW)
            assert await transaction.find_family("session-one", digest=a_token().digest) is None
        assert await records.find_family("session-one", digest=a_token().digest) is None
