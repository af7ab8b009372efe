"""Two releases beside each other: what the newer one does to the database, and what the older one makes of it."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from coatcheck.storage import sql
from coatcheck.storage.postgres.migrations import MIGRATIONS, READABLE_BY
from coatcheck.storage.postgres.opening import prepare
from tests.nodes.cluster import Cluster, Node
from tests.nodes.people import BROWSER, PEOPLE, cookie_of, refreshing, sign_in, tokens_for

NEXT_STEP = (
    "ALTER TABLE sessions ADD COLUMN colour TEXT COLLATE \"C\" NOT NULL DEFAULT 'green'",
    "ALTER TABLE users ADD COLUMN nickname TEXT",
    "ALTER TABLE refresh_tokens ADD COLUMN used BIGINT",
    "CREATE TABLE hats (id TEXT PRIMARY KEY, user_id TEXT REFERENCES users (id) ON DELETE CASCADE)",
    "CREATE INDEX sessions_by_colour ON sessions (colour)",
)
BACK = (
    "ALTER TABLE sessions DROP COLUMN colour",
    "ALTER TABLE users DROP COLUMN nickname",
    "ALTER TABLE refresh_tokens DROP COLUMN used",
    "DROP TABLE hats",
)


def marker(url: str) -> tuple[int, int]:
    """Return the number of the schema, and of the oldest that a program may know."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT number, readable_by FROM coatcheck_schema").fetchone()
    assert found is not None
    return found[0], found[1]


def set_marker(url: str, numbers: tuple[int, int]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE coatcheck_schema SET number = %s, readable_by = %s", numbers)


def execute(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def upgraded(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster while a node of the next release has just brought the schema one step on. The others run."""
    before = marker(cluster.database)
    prepare(cluster.database, migrations=(*MIGRATIONS, NEXT_STEP))
    yield cluster
    execute(cluster.database, BACK)
    set_marker(cluster.database, before)


def test_nodes_of_the_release_before_go_on_while_the_next_one_adds_to_the_schema(upgraded: Cluster) -> None:
    assert marker(upgraded.database) == (len(MIGRATIONS) + 1, READABLE_BY)
    with upgraded.nginx.client(**BROWSER) as browser, upgraded.nginx.client() as app:
        for _ in upgraded.nodes:
            sign_in(browser, PEOPLE[2])
            assert browser.get("/auth/session").status_code == 200
            tokens = tokens_for(app, PEOPLE[2])
            assert app.post("/auth/token", data=refreshing(tokens["refresh_token"])).status_code == 200
        cookie = cookie_of(browser)
        assert browser.post("/auth/sign-out").status_code == 303
    assert not any(node.knows(cookie) for node in upgraded.nodes)


def test_a_node_of_the_release_before_may_be_restarted_and_takes_nothing_back(upgraded: Cluster) -> None:
    node = upgraded.nodes[0]
    node.end()
    node.start()
    assert marker(upgraded.database) == (len(MIGRATIONS) + 1, READABLE_BY)
    with upgraded.nginx.client() as app:
        assert node.get("/auth/session", Authorization=f"Bearer {tokens_for(app)['access_token']}").is_success


def test_a_node_does_not_start_on_a_schema_that_it_would_break_and_says_so_in_one_line(
    cluster: Cluster,
) -> None:
    before = marker(cluster.database)
    set_marker(cluster.database, (len(MIGRATIONS) + 1, len(MIGRATIONS) + 1))
    try:
        ran = start_and_fail(cluster.nodes[0])
    finally:
        set_marker(cluster.database, before)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.endswith("[schema_too_new]\n")


def start_and_fail(node: Node) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", "1"]
    return subprocess.run(command, env=node.environment, capture_output=True, text=True, check=False)


def test_no_statement_asks_for_all_columns_so_that_one_may_be_added_beneath_it() -> None:
    # "cached plan must not change result type" is what nodes that run would hear then.
    files = [path for root in sql.__path__ for path in Path(root).glob("*.py")]
    assert files
    for path in files:
        assert not re.search(r"(?:SELECT|RETURNING) \*", path.read_text()), path
