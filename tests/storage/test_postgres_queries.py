"""No statement has to go through a whole table, however large it is."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import psycopg
import pytest

from coatcheck.storage import sql
from coatcheck.storage.postgres.statements import TOLD, statement_of
from coatcheck.storage.sql.access import SKIPS_LOCKED
from coatcheck.storage.sql.mail import _CLAIM
from tests.engines import PostgresServer

# Of these there are few.
WHOLE_TABLES = {
    *(("keys", "_LIST"), ("keys", "_DELETE_RETIRED")),
    ("clients", "_LIST_INITIAL"),
    ("permissions", "_LIST"),
}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def statements() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for module in pkgutil.iter_modules(sql.__path__):
        for name, value in vars(importlib.import_module(f"{sql.__name__}.{module.name}")).items():
            many = value if isinstance(value, dict) else {"": value}
            for key, text in many.items():
                if isinstance(text, str) and text.strip().startswith(VERBS) and name != "_SELECT":
                    found[module.name, f"{name}-{key}" if key else name] = text
    return found


@pytest.fixture(scope="module")
def connection(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    with (
        postgres.database("empty") as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        # Tables are empty here: what is asked is whether there is a way that is not through all of it.
        connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        yield connection


@pytest.mark.parametrize("where", statements(), ids="-".join)
def test_a_statement_has_a_way_that_is_not_through_the_whole_table(
    connection: psycopg.Connection, where: tuple[str, str]
) -> None:
    text = statement_of(statements()[where]).text
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", text).replace("%%", "%")
    connection.execute(f"PREPARE it AS {numbered}".encode())
    try:
        arguments = f"({', '.join(['NULL'] * len(names))})" if names else ""
        plan = [line for (line,) in connection.execute(f"EXPLAIN EXECUTE it{arguments}".encode())]
    finally:
        connection.execute("DEALLOCATE it")
    scans = [line for line in plan if "Seq Scan" in line and "session_generation" not in line]
    assert not scans or where in WHOLE_TABLES, plan


def test_every_table_whose_changes_are_told_tells_of_them(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'tell'"
    ).fetchall()
    assert {name for (name,) in found} == TOLD


@pytest.mark.parametrize(
    "text, tells",
    [
        ("INSERT INTO ledger (seq) VALUES (:seq)", True),
        ("\nUPDATE keys SET use = :use", True),
        ("DELETE FROM sessions WHERE id = :id", False),
        ("SELECT seq FROM ledger", False),
    ],
)
def test_a_statement_is_known_by_what_it_changes(text: str, tells: bool) -> None:  # noqa: FBT001
    assert statement_of(text).tells == tells


def test_one_of_many_takers_waits_for_no_other() -> None:
    assert SKIPS_LOCKED in _CLAIM
    assert "FOR UPDATE SKIP LOCKED" in statement_of(_CLAIM).text


def test_a_per_cent_sign_stays_one() -> None:
    assert statement_of("SELECT 5 % 2 WHERE a LIKE '%x' AND b = :b").text == (
        "SELECT 5 %% 2 WHERE a LIKE '%%x' AND b = %(b)s"
    )
