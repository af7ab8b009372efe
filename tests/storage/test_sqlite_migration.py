"""A file that an earlier release made is brought up to date where it lies, and loses nothing."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coatcheck.storage.conformance.samples import (
    NOW,
    a_draft,
    a_key,
    a_link,
    a_mail,
    a_service,
    a_session,
    a_token,
    a_user,
    digest_of,
)
from coatcheck.storage.sqlite import SQLiteStorage
from coatcheck.storage.sqlite.migrations import MIGRATIONS

# Of the statements of each step that was released, with their white space made one.
RELEASED = ["f3041e09"]


def fingerprint(step: tuple[str, ...]) -> str:
    return hashlib.sha256(" ".join(" ".join(step).split()).encode()).hexdigest()[:8]


def test_a_step_that_was_released_is_never_edited() -> None:
    assert [fingerprint(step) for step in MIGRATIONS[: len(RELEASED)]] == RELEASED


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as the first release made it, with a bit of everything in it."""
    path = tmp_path / "coatcheck.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO users VALUES ('user-ada', 'Ada@example.com', 'ada@example.com', "
            "'$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', '[\"read\",\"write\"]', ?, ?, NULL)",
            (NOW, NOW),
        )
        for name in ("one", "two"):
            connection.execute(
                "INSERT INTO sessions (id, user_id, digest, profile, created_at, authenticated_at, methods, "
                "last_seen_at, idle_timeout, expires_at, address, user_agent, data_revision, data) "
                "VALUES (?, 'user-ada', ?, 'relaxed', ?, ?, ?, ?, 3600.0, ?, '192.0.2.1', 'Browser/1.0', 0, ?)",
                (
                    f"session-{name}",
                    digest_of(f"session {name}"),
                    *(NOW, NOW + 1, '["pwd","otp"]', NOW + 2, NOW + 86400, b"{}"),
                ),
            )
        connection.execute(
            "INSERT INTO refresh_tokens VALUES (?, 'session-one', ?, ?, ?, NULL, NULL)",
            (digest_of("token one"), digest_of("client"), NOW, NOW + 3600),
        )
        connection.execute(
            "INSERT INTO links (digest, purpose, email, email_key, created_at, expires_at) "
            "VALUES (?, ?, 'New@example.com', 'new@example.com', ?, ?)",
            (digest_of("link one"), a_link().purpose.value, NOW, NOW + 600),
        )
        connection.execute("INSERT INTO throttles VALUES ('key', 1.0)")
        connection.execute("INSERT INTO mail VALUES ('mail-one', ?, ?, 0, ?)", (NOW, NOW, b"sealed one"))
        connection.execute("INSERT INTO keys VALUES ('key-one', 'access-token', ?, ?)", (b"sealed one", NOW))
    return path


def test_everything_that_was_there_still_is(old: Path) -> None:
    async def look(storage: SQLiteStorage) -> None:
        records = storage.records
        assert await records.list_users() == [a_user()]
        assert await records.list_sessions("user-ada") == [a_session("one"), a_session("two")]
        assert await records.find_session_by_digest(digest_of("session two")) == a_session("two")
        assert await records.find_refresh_token(digest_of("token one")) == a_token()
        assert await records.find_link(a_link().digest, a_link().purpose) == a_link()
        assert await records.read_throttles(["key"]) == {"key": 1.0}
        assert await records.list_keys() == [a_key()]  # it signs, and is not replaced yet
        assert await records.claim_mail(NOW, until=NOW + 60) == a_mail(attempts=1, due_at=NOW + 60)
        await storage.close()

    asyncio.run(look(SQLiteStorage(old)))
    asyncio.run(SQLiteStorage(old).close())  # and again, now that it is up to date
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_what_is_new_works_in_it(old: Path) -> None:
    async def work(storage: SQLiteStorage) -> None:
        records = storage.records
        async with storage.transaction() as transaction:
            assert await transaction.delete_sessions(["session-one"]) == ["session-one"]
            (entry,) = await transaction.append_entries([a_draft()])
        assert await records.list_entries(after=0, limit=9) == [entry]
        assert await records.find_refresh_token(digest_of("token one")) is None
        assert await records.add_service(a_service())
        assert await records.retire_key("key-one", verifies_until=NOW)
        assert await records.delete_retired_keys(NOW) == 1
        assert await records.delete_expired_sessions(NOW + 1e6, limit=9) == 1
        await storage.close()

    asyncio.run(work(SQLiteStorage(old)))


def test_it_has_the_schema_of_a_new_file(old: Path, tmp_path: Path) -> None:
    def schema(path: Path) -> list[tuple[str, ...]]:
        asyncio.run(SQLiteStorage(path).close())
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()

    assert schema(old) == schema(tmp_path / "new.db")
