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

_LEDGER: Final = (
    # AUTOINCREMENT: the number of an entry that was dropped is never given to another.
    """
    CREATE TABLE ledger (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        cutoff REAL,
        until REAL NOT NULL,
        reason TEXT NOT NULL,
        actor TEXT NOT NULL,
        at REAL NOT NULL,
        mark TEXT NOT NULL
    ) STRICT
    """,
)

_SERVICES: Final = (
    """
    CREATE TABLE services (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        audience TEXT,
        digest BLOB NOT NULL UNIQUE,
        created_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

_KEY_LIVES: Final = (
    "ALTER TABLE keys ADD COLUMN signs_from REAL NOT NULL DEFAULT 0",
    "ALTER TABLE keys ADD COLUMN verifies_until REAL",
)

_SESSION_GENERATIONS: Final = (
    # To end all sessions is to count one up: it takes as long for a million of them as for one.
    """
    CREATE TABLE session_generation (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        number INTEGER NOT NULL
    ) STRICT
    """,
    "INSERT INTO session_generation (only, number) VALUES (1, 0)",
    "ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX sessions_by_end",
    "CREATE INDEX sessions_by_end ON sessions (generation, ends_at)",
)

_STATUSES: Final[tuple[str, ...]] = (
    """
    CREATE TABLE status_lists (
        id TEXT NOT NULL PRIMARY KEY,
        size INTEGER NOT NULL,
        given INTEGER NOT NULL,
        closes_at REAL NOT NULL,
        ends_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX status_lists_by_closing ON status_lists (closes_at)",
    # Numbered in the order of insertion, so that the oldest are found at the beginning.
    """
    CREATE TABLE statuses (
        number INTEGER PRIMARY KEY,
        list_id TEXT NOT NULL,
        place INTEGER NOT NULL,
        jti TEXT NOT NULL UNIQUE,
        sid TEXT NOT NULL,
        sub TEXT NOT NULL,
        client_id TEXT NOT NULL,
        kid TEXT NOT NULL,
        iat REAL NOT NULL,
        exp REAL NOT NULL,
        stillborn INTEGER NOT NULL,
        UNIQUE (list_id, place)
    ) STRICT
    """,
    "CREATE INDEX statuses_by_session ON statuses (sid)",
    "CREATE INDEX statuses_by_user ON statuses (sub)",
    "CREATE INDEX statuses_stillborn ON statuses (list_id) WHERE stillborn",
)

_SIGNALS: Final = (
    """
    CREATE TABLE signal_streams (
        id TEXT NOT NULL PRIMARY KEY,
        service_id TEXT NOT NULL UNIQUE REFERENCES services (id) ON DELETE CASCADE,
        audience TEXT NOT NULL,
        method TEXT NOT NULL,
        endpoint TEXT,
        sealed_authorization BLOB,
        requested TEXT,
        delivered TEXT NOT NULL,
        description TEXT,
        status TEXT NOT NULL,
        reason TEXT,
        created_at REAL NOT NULL,
        verified_at REAL NOT NULL,
        due_at REAL,
        attempts INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX signal_streams_by_status ON signal_streams (status)",
    "CREATE INDEX signal_streams_by_due_time ON signal_streams (due_at, id) WHERE due_at IS NOT NULL",
    # The number is the order. No number of an event that was sent is given to another while later ones wait.
    """
    CREATE TABLE signals (
        seq INTEGER PRIMARY KEY,
        stream_id TEXT NOT NULL REFERENCES signal_streams (id) ON DELETE CASCADE,
        jti TEXT NOT NULL,
        at REAL NOT NULL,
        claims BLOB NOT NULL,
        is_last_word INTEGER NOT NULL,
        UNIQUE (stream_id, jti)
    ) STRICT
    """,
    "CREATE INDEX signals_by_stream ON signals (stream_id, seq)",
    "CREATE INDEX signals_by_time ON signals (at)",
    """
    CREATE TABLE unwanted_subjects (
        stream_id TEXT NOT NULL REFERENCES signal_streams (id) ON DELETE CASCADE,
        subject TEXT NOT NULL,
        PRIMARY KEY (stream_id, subject)
    ) STRICT, WITHOUT ROWID
    """,
)

_CLIENT_SESSIONS: Final = (
    # A session that a client's tokens come from. It goes with the session in which the user granted it, unless that
    # was to outlive it.
    "ALTER TABLE sessions ADD COLUMN client_id TEXT NOT NULL DEFAULT 'first-party'",
    "ALTER TABLE sessions ADD COLUMN parent_id TEXT REFERENCES sessions (id) ON DELETE CASCADE",
    "CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX sessions_by_lifetime ON sessions (expires_at - authenticated_at)",
    "CREATE INDEX sessions_by_idle_timeout ON sessions (idle_timeout)",
    "CREATE INDEX sessions_of_clients ON sessions (generation, id) WHERE client_id <> 'first-party'",
    # A client that refreshes often has many tokens that it exchanged in the last seconds, and none to be forgotten.
    "DROP INDEX refresh_tokens_by_session",
    "CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id, rotated_at)",
)

_KEY_ALGORITHMS: Final = ("ALTER TABLE keys ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'ES256'",)

_CLIENTS: Final = (
    # What is never searched for stands in the document.
    """
    CREATE TABLE oauth_clients (
        id TEXT NOT NULL PRIMARY KEY,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE apis (
        audience TEXT NOT NULL PRIMARY KEY,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE roles (
        name TEXT NOT NULL PRIMARY KEY,
        description TEXT NOT NULL,
        created_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE role_members (
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        role TEXT NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
        PRIMARY KEY (user_id, role)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX role_members_by_role ON role_members (role)",
    # The holder is in one of three columns, so that it goes with whoever holds it.
    """
    CREATE TABLE permissions (
        audience TEXT NOT NULL REFERENCES apis (audience) ON DELETE CASCADE,
        user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        role TEXT REFERENCES roles (name) ON DELETE CASCADE,
        client_id TEXT REFERENCES oauth_clients (id) ON DELETE CASCADE,
        scopes TEXT NOT NULL,
        CHECK ((user_id IS NOT NULL) + (role IS NOT NULL) + (client_id IS NOT NULL) = 1)
    ) STRICT
    """,
    "CREATE UNIQUE INDEX permissions_of_users ON permissions (user_id, audience) WHERE user_id IS NOT NULL",
    "CREATE UNIQUE INDEX permissions_of_roles ON permissions (role, audience) WHERE role IS NOT NULL",
    "CREATE UNIQUE INDEX permissions_of_clients ON permissions (client_id, audience) WHERE client_id IS NOT NULL",
    "CREATE INDEX permissions_by_api ON permissions (audience)",
    """
    CREATE TABLE initial_access_tokens (
        id TEXT NOT NULL PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL,
        uses_left INTEGER
    ) STRICT, WITHOUT ROWID
    """,
)

_AUTHORIZATIONS: Final = (
    """
    CREATE TABLE interactions (
        digest BLOB NOT NULL PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        expires_at REAL NOT NULL,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX interactions_by_expiry ON interactions (expires_at)",
    "CREATE INDEX interactions_by_client ON interactions (client_id)",
    """
    CREATE TABLE pushed_requests (
        digest BLOB NOT NULL PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        expires_at REAL NOT NULL,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at)",
    "CREATE INDEX pushed_requests_by_client ON pushed_requests (client_id)",
    # No reference to the session: a code that is used a second time is to be recognised after that ended, too.
    """
    CREATE TABLE codes (
        digest BLOB NOT NULL PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        expires_at REAL NOT NULL,
        consumed_at REAL,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX codes_by_expiry ON codes (expires_at)",
    "CREATE INDEX codes_by_client ON codes (client_id)",
    "CREATE INDEX codes_by_user ON codes (user_id)",
    """
    CREATE TABLE assertions (
        digest BLOB NOT NULL PRIMARY KEY,
        until REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX assertions_by_end ON assertions (until)",
)

_GRANTS: Final = (
    """
    CREATE TABLE grants (
        session_id TEXT NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        created_at REAL NOT NULL,
        document BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX grants_by_user ON grants (user_id, client_id)",
    "CREATE INDEX grants_by_client ON grants (client_id)",
    """
    CREATE TABLE consents (
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        granted_at REAL NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (user_id, client_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX consents_by_client ON consents (client_id)",
    """
    CREATE TABLE logout_notices (
        jti TEXT NOT NULL PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        sub TEXT NOT NULL,
        sid TEXT NOT NULL,
        queued_at REAL NOT NULL,
        due_at REAL NOT NULL,
        attempts INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX logout_notices_by_due_time ON logout_notices (due_at, jti)",
    "CREATE INDEX logout_notices_by_client ON logout_notices (client_id)",
    "CREATE INDEX logout_notices_by_age ON logout_notices (queued_at)",
    """
    CREATE TABLE profiles (
        user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        claims BLOB NOT NULL,
        updated_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _FIRST,
    (*_LEDGER, *_SERVICES, *_KEY_LIVES, *_SESSION_GENERATIONS, *_STATUSES, *_SIGNALS),
    (*_CLIENT_SESSIONS, *_KEY_ALGORITHMS, *_CLIENTS, *_AUTHORIZATIONS, *_GRANTS),
)
"""The statements of each step, the first step first. A schema's number is how many steps led to it."""
