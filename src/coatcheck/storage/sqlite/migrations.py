"""The schema, as the numbered steps that lead to it. A step that was released is never edited: a new one follows.

Each step is one transaction, which also writes its number (``user_version``). So it happens wholly or not at all, and
of several processes that start at once one takes the step while the others wait, and then find it taken.
"""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS"]

APPLICATION_ID: Final = 0x434F4154
"""``COAT``: tells that a database is one of ours (SQLite, "Database File Format", section 1.3.16)."""

_FIRST: Final = (
    # Tables of short rows, found by their key, are kept in the order of that key: one search instead of two.
    """
    CREATE TABLE users (
        id TEXT NOT NULL PRIMARY KEY,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL UNIQUE,
        password_hash TEXT,
        scopes TEXT NOT NULL,
        created_at REAL NOT NULL,
        password_changed_at REAL NOT NULL,
        disabled_at REAL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE links (
        digest BLOB NOT NULL PRIMARY KEY,
        purpose TEXT NOT NULL,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL,
        user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        password_hash TEXT,
        binding BLOB,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX links_by_user ON links (user_id)",
    "CREATE INDEX links_by_email ON links (email_key)",
    "CREATE INDEX links_by_expiry ON links (expires_at)",
    """
    CREATE TABLE throttles (
        key TEXT NOT NULL PRIMARY KEY,
        arrives_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX throttles_by_time ON throttles (arrives_at)",
    # Sessions carry data of any length, so they stay in the order of insertion.
    """
    CREATE TABLE sessions (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest BLOB UNIQUE,
        profile TEXT NOT NULL,
        created_at REAL NOT NULL,
        authenticated_at REAL NOT NULL,
        methods TEXT NOT NULL,
        last_seen_at REAL NOT NULL,
        idle_timeout REAL NOT NULL,
        expires_at REAL NOT NULL,
        address TEXT NOT NULL,
        user_agent TEXT NOT NULL,
        scope TEXT,
        binding BLOB,
        data_revision INTEGER NOT NULL,
        data BLOB NOT NULL,
        ends_at REAL NOT NULL GENERATED ALWAYS AS (min(expires_at, last_seen_at + idle_timeout)) VIRTUAL
    ) STRICT
    """,
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "CREATE INDEX sessions_by_end ON sessions (ends_at)",
    """
    CREATE TABLE refresh_tokens (
        digest BLOB NOT NULL PRIMARY KEY,
        session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        client BLOB NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        rotated_at REAL,
        sealed_successor BLOB
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id)",
    """
    CREATE TABLE mail (
        id TEXT NOT NULL PRIMARY KEY,
        created_at REAL NOT NULL,
        due_at REAL NOT NULL,
        attempts INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX mail_by_due_time ON mail (due_at, id)",
    """
    CREATE TABLE keys (
        kid TEXT NOT NULL PRIMARY KEY,
        use TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    f"PRAGMA application_id = {APPLICATION_ID}",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST,)
"""The statements of each step, the first step first. A schema's number is how many steps led to it."""
