"""Millions of users, sessions and refresh tokens, made by the database itself.

The secrets can be told from their numbers, so that a client can use any of them.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic, time
from typing import Any, LiteralString

from bench.scale.engines import Postgres
from bench.web.bootstrap import COOKIE

EACH = 10
"""Sessions of one user."""
_BATCH = 100_000
_LIFE, _IDLE = 30 * 86_400.0, 14 * 86_400.0
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

# For this connection alone; the planner writes them out.
_FUNCTIONS: Sequence[LiteralString] = (
    """
CREATE FUNCTION pg_temp.named(kind text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT left(translate(encode(sha256((kind || '-' || n)::bytea), 'base64'), '+/=', 'AA'), 22) $$""",
    """
CREATE FUNCTION pg_temp.secret(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT rtrim(translate(encode(sha256(('secret-' || n)::bytea), 'base64'), '+/', '-_'), '=') $$""",
)
_USERS: LiteralString = """
INSERT INTO users (id, email, email_key, password_hash, scopes, created_at, password_changed_at)
SELECT pg_temp.named('user', n), 'person' || n || '@example.com', 'person' || n || '@example.com', %(hash)s, '[]',
    %(now)s, %(now)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n"""
_SESSIONS: LiteralString = """
INSERT INTO sessions (
    id, user_id, digest, profile, created_at, authenticated_at, methods, last_seen_at, idle_timeout, expires_at,
    address, user_agent, data_revision, data, generation, client_id
)
SELECT pg_temp.named('session', n), pg_temp.named('user', n / 10), sha256(pg_temp.secret(n)::bytea), 'relaxed',
    %(now)s - n %% 86400, %(now)s - n %% 86400, '["pwd"]', %(now)s, %(idle)s, %(now)s - n %% 86400 + %(life)s,
    '192.0.2.1', %(agent)s, 0, '{}'::bytea, 0, 'first-party'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n"""
# Every second session has a token. Nobody can use these: they are what the tokens of those who ask lie between.
_TOKENS: LiteralString = """
INSERT INTO refresh_tokens (digest, session_id, client, created_at, expires_at)
SELECT sha256(('token-' || n)::bytea), pg_temp.named('session', n), sha256('client'::bytea), %(now)s, %(now)s + %(idle)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n WHERE n %% 2 = 0"""
_PLAIN_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public' AND tablename = ANY (ARRAY['sessions', 'refresh_tokens'])
    AND indexdef NOT LIKE '%UNIQUE%'"""


def cookie(number: int) -> str:
    """The cookie of a session."""
    return f"{COOKIE}={secret(number)}"


def secret(number: int) -> str:
    """What is in the cookie of a session."""
    return (
        base64.urlsafe_b64encode(hashlib.sha256(f"secret-{number}".encode()).digest()).rstrip(b"=").decode()
    )


def identifier(kind: str, number: int) -> str:
    """The identifier of a user or a session."""
    encoded = base64.b64encode(hashlib.sha256(f"{kind}-{number}".encode()).digest()).decode()
    return encoded.translate(str.maketrans("+/", "AA", "="))[:22]


def fill(postgres: Postgres, database: str, sessions: int) -> float:
    """Fill a database whose tables are there; returns how many seconds it took, statistics included."""
    began, now = monotonic(), time()
    with postgres.connect(database) as connection:
        connection.execute(
            "SET session_replication_role = replica"
        )  # no foreign key is checked ten million times
        connection.execute("SET synchronous_commit = off")
        for function in _FUNCTIONS:
            connection.execute(function)
        indexes = connection.execute(_PLAIN_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        common: dict[str, Any] = {
            "now": now,
            "life": _LIFE,
            "idle": _IDLE,
            "agent": _AGENT,
            "hash": "$argon2id$",
        }
        work: Sequence[tuple[LiteralString, int]] = (
            (_USERS, max(1, sessions // EACH)),
            (_SESSIONS, sessions),
            (_TOKENS, sessions),
        )
        for sql, count in work:
            for first, last in _parts(count):
                connection.execute(sql, {**common, "first": first, "last": last})
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return monotonic() - began


def fill_sqlite(file: Path, sessions: int) -> float:
    """Fill an SQLite file whose tables are there; returns how many seconds it took."""
    began, now = monotonic(), time()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys = off")
        connection.execute("PRAGMA cache_size = -500000")
        users = max(1, sessions // EACH)
        for first, last in _parts(users):
            with connection:
                connection.executemany(
                    "INSERT INTO users (id, email, email_key, password_hash, scopes, created_at, password_changed_at)"
                    " VALUES (?, ?, ?, ?, '[]', ?, ?)",
                    _users(first, last, now),
                )
        for first, last in _parts(sessions):
            with connection:
                connection.executemany(
                    "INSERT INTO sessions (id, user_id, digest, profile, created_at, authenticated_at, methods,"
                    " last_seen_at, idle_timeout, expires_at, address, user_agent, data_revision, data)"
                    " VALUES (?, ?, ?, 'relaxed', ?, ?, '[\"pwd\"]', ?, ?, ?, '192.0.2.1', ?, 0, x'7b7d')",
                    _sessions(first, last, now),
                )
                connection.executemany(
                    "INSERT INTO refresh_tokens (digest, session_id, client, created_at, expires_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    _tokens(first, last, now),
                )
        connection.execute("ANALYZE")
    return monotonic() - began


def sizes(postgres: Postgres, database: str) -> dict[str, tuple[int, int]]:
    """Bytes of each table that grows, and of its indexes."""
    with postgres.connect(database) as connection:
        rows = connection.execute(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
            " WHERE relname IN ('users', 'sessions', 'refresh_tokens') AND relkind = 'r'"
        ).fetchall()
    return {name: (table, indexes) for name, table, indexes in rows}


def _parts(count: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, _BATCH):
        yield first, min(first + _BATCH, count) - 1


def _users(first: int, last: int, now: float) -> Iterator[tuple[Any, ...]]:
    for n in range(first, last + 1):
        email = f"person{n}@example.com"
        yield identifier("user", n), email, email, "$argon2id$", now, now


def _sessions(first: int, last: int, now: float) -> Iterator[tuple[Any, ...]]:
    for n in range(first, last + 1):
        began = now - n % 86_400
        digest = hashlib.sha256(secret(n).encode()).digest()
        yield (
            identifier("session", n),
            identifier("user", n // EACH),
            digest,
            began,
            began,
            now,
            _IDLE,
            began + _LIFE,
            _AGENT,
        )


def _tokens(first: int, last: int, now: float) -> Iterator[tuple[Any, ...]]:
    for n in range(first + first % 2, last + 1, 2):
        digest = hashlib.sha256(f"token-{n}".encode()).digest()
        yield digest, identifier("session", n), hashlib.sha256(b"client").digest(), now, now + _IDLE
