"""The schema, as the numbered steps that lead to it. A step that was released is never edited: a new one follows.

Each step is one transaction, which also writes its number. All of it is under one lock: of several nodes that start at
once one takes the steps while the others wait, and then find them taken.

Columns of text are in the order of their octets (``"C"``), as everywhere else: which locale a database was made with
decides nothing here.
"""

from __future__ import annotations

from typing import Final

from .statements import TOLD

__all__ = ["CHANNEL", "MIGRATIONS", "READABLE_BY"]

CHANNEL: Final = "coatcheck"
"""Where nodes are told of commits."""

_ACCOUNTS: Final = (
    """
    CREATE TABLE users (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        email TEXT COLLATE "C" NOT NULL,
        email_key TEXT COLLATE "C" NOT NULL UNIQUE,
        password_hash TEXT COLLATE "C",
        scopes TEXT COLLATE "C" NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        password_changed_at DOUBLE PRECISION NOT NULL,
        disabled_at DOUBLE PRECISION
    )
    """,
    """
    CREATE TABLE links (
        digest BYTEA NOT NULL PRIMARY KEY,
        purpose TEXT COLLATE "C" NOT NULL,
        email TEXT COLLATE "C" NOT NULL,
        email_key TEXT COLLATE "C" NOT NULL,
        user_id TEXT COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
        password_hash TEXT COLLATE "C",
        binding BYTEA,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL
    )
    """,
    "CREATE INDEX links_by_user ON links (user_id)",
    "CREATE INDEX links_by_email ON links (email_key)",
    "CREATE INDEX links_by_expiry ON links (expires_at)",
    """
    CREATE TABLE throttles (
        key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        arrives_at DOUBLE PRECISION NOT NULL
    )
    """,
    "CREATE INDEX throttles_by_time ON throttles (arrives_at)",
    """
    CREATE TABLE profiles (
        user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        claims BYTEA NOT NULL,
        updated_at DOUBLE PRECISION NOT NULL
    )
    """,
)

_SESSIONS: Final = (
    """
    CREATE TABLE sessions (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        digest BYTEA UNIQUE,
        profile TEXT COLLATE "C" NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        authenticated_at DOUBLE PRECISION NOT NULL,
        methods TEXT COLLATE "C" NOT NULL,
        last_seen_at DOUBLE PRECISION NOT NULL,
        idle_timeout DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        address TEXT COLLATE "C" NOT NULL,
        user_agent TEXT COLLATE "C" NOT NULL,
        scope TEXT COLLATE "C",
        binding BYTEA,
        data_revision BIGINT NOT NULL,
        data BYTEA NOT NULL,
        ends_at DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (least(expires_at, last_seen_at + idle_timeout)) STORED,
        generation BIGINT NOT NULL,
        client_id TEXT COLLATE "C" NOT NULL,
        parent_id TEXT COLLATE "C" REFERENCES sessions (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "CREATE INDEX sessions_by_end ON sessions (generation, ends_at)",
    "CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX sessions_by_lifetime ON sessions ((expires_at - authenticated_at))",
    "CREATE INDEX sessions_by_idle_timeout ON sessions (idle_timeout)",
    "CREATE INDEX sessions_of_clients ON sessions (generation, id) WHERE client_id <> 'first-party'",
    """
    CREATE TABLE refresh_tokens (
        digest BYTEA NOT NULL PRIMARY KEY,
        session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        client BYTEA NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        rotated_at DOUBLE PRECISION,
        sealed_successor BYTEA
    )
    """,
    "CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id, rotated_at)",
    """
    CREATE TABLE session_generation (
        "only" SMALLINT NOT NULL PRIMARY KEY CHECK ("only" = 1),
        number BIGINT NOT NULL
    )
    """,
    'INSERT INTO session_generation ("only", number) VALUES (1, 0)',
)

_SERVER: Final = (
    """
    CREATE TABLE mail (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        created_at DOUBLE PRECISION NOT NULL,
        due_at DOUBLE PRECISION NOT NULL,
        attempts BIGINT NOT NULL,
        sealed BYTEA NOT NULL
    )
    """,
    "CREATE INDEX mail_by_due_time ON mail (due_at, id)",
    """
    CREATE TABLE keys (
        kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        use TEXT COLLATE "C" NOT NULL,
        sealed BYTEA NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        signs_from DOUBLE PRECISION NOT NULL,
        verifies_until DOUBLE PRECISION,
        algorithm TEXT COLLATE "C" NOT NULL
    )
    """,
    """
    CREATE TABLE services (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        name TEXT COLLATE "C" NOT NULL UNIQUE,
        audience TEXT COLLATE "C",
        digest BYTEA NOT NULL UNIQUE,
        created_at DOUBLE PRECISION NOT NULL
    )
    """,
)

_REVOCATION: Final = (
    """
    CREATE TABLE ledger (
        seq BIGINT NOT NULL PRIMARY KEY,
        kind TEXT COLLATE "C" NOT NULL,
        value TEXT COLLATE "C" NOT NULL,
        cutoff DOUBLE PRECISION,
        until DOUBLE PRECISION NOT NULL,
        reason TEXT COLLATE "C" NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        mark TEXT COLLATE "C" NOT NULL
    )
    """,
    """
    CREATE TABLE status_lists (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        size BIGINT NOT NULL,
        given BIGINT NOT NULL,
        closes_at DOUBLE PRECISION NOT NULL,
        ends_at DOUBLE PRECISION NOT NULL
    )
    """,
    "CREATE INDEX status_lists_by_closing ON status_lists (closes_at)",
    """
    CREATE TABLE statuses (
        number BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        list_id TEXT COLLATE "C" NOT NULL,
        place BIGINT NOT NULL,
        jti TEXT COLLATE "C" NOT NULL UNIQUE,
        sid TEXT COLLATE "C" NOT NULL,
        sub TEXT COLLATE "C" NOT NULL,
        client_id TEXT COLLATE "C" NOT NULL,
        kid TEXT COLLATE "C" NOT NULL,
        iat DOUBLE PRECISION NOT NULL,
        exp DOUBLE PRECISION NOT NULL,
        stillborn BOOLEAN NOT NULL,
        UNIQUE (list_id, place)
    )
    """,
    "CREATE INDEX statuses_by_session ON statuses (sid)",
    "CREATE INDEX statuses_by_user ON statuses (sub)",
    "CREATE INDEX statuses_stillborn ON statuses (list_id) WHERE stillborn",
)

_SIGNALS: Final = (
    """
    CREATE TABLE signal_streams (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        service_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES services (id) ON DELETE CASCADE,
        audience TEXT COLLATE "C" NOT NULL,
        method TEXT COLLATE "C" NOT NULL,
        endpoint TEXT COLLATE "C",
        sealed_authorization BYTEA,
        requested TEXT COLLATE "C",
        delivered TEXT COLLATE "C" NOT NULL,
        description TEXT COLLATE "C",
        status TEXT COLLATE "C" NOT NULL,
        reason TEXT COLLATE "C",
        created_at DOUBLE PRECISION NOT NULL,
        verified_at DOUBLE PRECISION NOT NULL,
        due_at DOUBLE PRECISION,
        attempts BIGINT NOT NULL
    )
    """,
    "CREATE INDEX signal_streams_by_status ON signal_streams (status)",
    "CREATE INDEX signal_streams_by_due_time ON signal_streams (due_at, id) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE signals (
        seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
        stream_id TEXT COLLATE "C" NOT NULL REFERENCES signal_streams (id) ON DELETE CASCADE,
        jti TEXT COLLATE "C" NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        claims BYTEA NOT NULL,
        is_last_word BOOLEAN NOT NULL,
        UNIQUE (stream_id, jti)
    )
    """,
    "CREATE INDEX signals_by_stream ON signals (stream_id, seq)",
    "CREATE INDEX signals_by_time ON signals (at)",
    """
    CREATE TABLE unwanted_subjects (
        stream_id TEXT COLLATE "C" NOT NULL REFERENCES signal_streams (id) ON DELETE CASCADE,
        subject TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (stream_id, subject)
    )
    """,
)

_PROVIDER: Final = (
    """
    CREATE TABLE oauth_clients (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        document BYTEA NOT NULL
    )
    """,
    """
    CREATE TABLE apis (
        audience TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        document BYTEA NOT NULL
    )
    """,
    """
    CREATE TABLE roles (
        name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        description TEXT COLLATE "C" NOT NULL,
        created_at DOUBLE PRECISION NOT NULL
    )
    """,
    """
    CREATE TABLE role_members (
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        role TEXT COLLATE "C" NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
        PRIMARY KEY (user_id, role)
    )
    """,
    "CREATE INDEX role_members_by_role ON role_members (role)",
    """
    CREATE TABLE permissions (
        audience TEXT COLLATE "C" NOT NULL REFERENCES apis (audience) ON DELETE CASCADE,
        user_id TEXT COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
        role TEXT COLLATE "C" REFERENCES roles (name) ON DELETE CASCADE,
        client_id TEXT COLLATE "C" REFERENCES oauth_clients (id) ON DELETE CASCADE,
        scopes TEXT COLLATE "C" NOT NULL,
        CHECK (num_nonnulls(user_id, role, client_id) = 1)
    )
    """,
    "CREATE UNIQUE INDEX permissions_of_users ON permissions (user_id, audience) WHERE user_id IS NOT NULL",
    "CREATE UNIQUE INDEX permissions_of_roles ON permissions (role, audience) WHERE role IS NOT NULL",
    "CREATE UNIQUE INDEX permissions_of_clients ON permissions (client_id, audience) WHERE client_id IS NOT NULL",
    "CREATE INDEX permissions_by_api ON permissions (audience)",
    """
    CREATE TABLE initial_access_tokens (
        id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        digest BYTEA NOT NULL UNIQUE,
        name TEXT COLLATE "C" NOT NULL,
        created_at DOUBLE PRECISION NOT NULL,
        expires_at DOUBLE PRECISION,
        uses_left BIGINT
    )
    """,
    """
    CREATE TABLE interactions (
        digest BYTEA NOT NULL PRIMARY KEY,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        expires_at DOUBLE PRECISION NOT NULL,
        document BYTEA NOT NULL
    )
    """,
    "CREATE INDEX interactions_by_expiry ON interactions (expires_at)",
    "CREATE INDEX interactions_by_client ON interactions (client_id)",
    """
    CREATE TABLE pushed_requests (
        digest BYTEA NOT NULL PRIMARY KEY,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        expires_at DOUBLE PRECISION NOT NULL,
        document BYTEA NOT NULL
    )
    """,
    "CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at)",
    "CREATE INDEX pushed_requests_by_client ON pushed_requests (client_id)",
    """
    CREATE TABLE codes (
        digest BYTEA NOT NULL PRIMARY KEY,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        expires_at DOUBLE PRECISION NOT NULL,
        consumed_at DOUBLE PRECISION,
        document BYTEA NOT NULL
    )
    """,
    "CREATE INDEX codes_by_expiry ON codes (expires_at)",
    "CREATE INDEX codes_by_client ON codes (client_id)",
    "CREATE INDEX codes_by_user ON codes (user_id)",
    """
    CREATE TABLE assertions (
        digest BYTEA NOT NULL PRIMARY KEY,
        until DOUBLE PRECISION NOT NULL
    )
    """,
    "CREATE INDEX assertions_by_end ON assertions (until)",
    """
    CREATE TABLE grants (
        session_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        created_at DOUBLE PRECISION NOT NULL,
        document BYTEA NOT NULL
    )
    """,
    "CREATE INDEX grants_by_user ON grants (user_id, client_id)",
    "CREATE INDEX grants_by_client ON grants (client_id)",
    """
    CREATE TABLE consents (
        user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        granted_at DOUBLE PRECISION NOT NULL,
        document BYTEA NOT NULL,
        PRIMARY KEY (user_id, client_id)
    )
    """,
    "CREATE INDEX consents_by_client ON consents (client_id)",
    """
    CREATE TABLE logout_notices (
        jti TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        client_id TEXT COLLATE "C" NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
        sub TEXT COLLATE "C" NOT NULL,
        sid TEXT COLLATE "C" NOT NULL,
        queued_at DOUBLE PRECISION NOT NULL,
        due_at DOUBLE PRECISION NOT NULL,
        attempts BIGINT NOT NULL
    )
    """,
    "CREATE INDEX logout_notices_by_due_time ON logout_notices (due_at, jti)",
    "CREATE INDEX logout_notices_by_client ON logout_notices (client_id)",
    "CREATE INDEX logout_notices_by_age ON logout_notices (queued_at)",
)

_TELLING: Final = (
    # Whoever changes what all nodes are told of takes this row until the commit. So such commits are one after the
    # other, the entries of the ledger are numbered in their order and without a gap, and a node that hears nothing
    # sees by one look at this row whether it has missed something.
    """
    CREATE TABLE changes (
        "only" SMALLINT NOT NULL PRIMARY KEY CHECK ("only" = 1),
        number BIGINT NOT NULL,
        ledger BIGINT NOT NULL
    )
    """,
    'INSERT INTO changes ("only", number, ledger) VALUES (1, 0, 0)',
    """
    CREATE FUNCTION coatcheck_tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE changes SET number = number + 1;
        PERFORM pg_notify('coatcheck', '');
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION coatcheck_number_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq IS NULL THEN
            UPDATE changes SET ledger = ledger + 1 RETURNING ledger INTO NEW.seq;
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER number_entry BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION coatcheck_number_entry()",
    *(
        f"CREATE TRIGGER tell BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION coatcheck_tell()"
        for table in sorted(TOLD)
    ),
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (*_ACCOUNTS, *_SESSIONS, *_SERVER, *_REVOCATION, *_SIGNALS, *_PROVIDER, *_TELLING),
)
"""The statements of each step, the first step first. A schema's number is how many steps led to it."""

READABLE_BY: Final = 1
"""How many steps a program has to know at least to use this schema.

Nodes of two releases run beside each other while one takes over from the other. So a step only adds what the release
before it does not miss, and this number stays. What nothing uses any more is dropped a release later; then it moves.
"""
