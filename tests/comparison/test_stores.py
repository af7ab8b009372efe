"""Every store keeps what is put there, is left as it was found, and never shows a password."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import redis
from psycopg import sql

from coatcheck.comparison.errors import LeftoverError, StoreError
from coatcheck.comparison.stores import opening
from coatcheck.comparison.stores.base import Line, Store, look_up, new_name, record_of, sessions_for
from coatcheck.comparison.stores.opening import kind_of, open_store, shown_store
from tests.engines import redis_server
from tests.guards.programs import free_port

KINDS = ("memory", "sqlite", "postgresql", "redis")
PASSWORD = "hunter2-which-nobody-may-see"


def named(kind: str, request: pytest.FixtureRequest) -> str:
    if kind in {"postgresql", "redis"}:
        return str(request.getfixturevalue("postgres_url" if kind == "postgresql" else "redis_url"))
    return kind


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = open_store(named(request.param, request))
    yield opened
    opened.clear()


@pytest.fixture
def line(store: Store) -> Iterator[Line]:
    store.fill(sessions_for(["one", "two", "three"]))
    with closing(store.connect()) as opened:
        yield opened


def test_a_session_is_found_by_its_secret_until_it_is_removed(store: Store, line: Line) -> None:
    found = look_up(line, "two")
    assert found is not None
    assert found.roles == ("customer", "support")
    assert look_up(line, "four") is None
    ((key, _),) = sessions_for(["two"])
    line.remove(key)
    line.remove(key)
    assert look_up(line, "two") is None
    assert store.name in {"Memory", "SQLite", "PostgreSQL", "Redis"}


def test_what_is_put_replaces_what_was_there_and_is_seen_over_another_connection(
    store: Store, line: Line
) -> None:
    ((key, _),) = sessions_for(["two"])
    line.put(key, record_of(roles=()))
    line.put(b"\x00\xff new", b"\x00\xff")
    with closing(store.connect()) as other:
        found = look_up(other, "two")
        assert found is not None
        assert found.roles == ()
        assert other.find(b"\x00\xff new") == b"\x00\xff"
        assert other.find(b"\x00") is None


def test_a_session_that_has_ended_is_none(line: Line) -> None:
    ((key, record),) = sessions_for(["old"])
    ended = msgspec.json.decode(record) | {"ends_at": 1.0}
    line.put(key, msgspec.json.encode(ended))
    assert look_up(line, "old") is None


def test_clearing_twice_or_before_anything_was_put_there_does_nothing(store: Store) -> None:
    store.clear()
    store.clear()


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows: list[Any] = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    return {row[0] for row in rows}


def test_a_database_is_left_as_it_was_found(postgres_url: str) -> None:
    before = tables(postgres_url)
    store = open_store(postgres_url)
    store.fill(sessions_for([str(number) for number in range(1200)]))
    (made,) = {each for each in tables(postgres_url) - before if not each.endswith("pkey")}
    assert made.startswith("coatcheck_compare_")
    with psycopg.connect(postgres_url) as connection:
        (comment,) = connection.execute("SELECT obj_description(%s::regclass)", (made,)).fetchone() or ("",)
    assert "may be dropped" in comment
    assert store.version.partition(".")[0].isdigit()
    store.clear()
    assert tables(postgres_url) == before


def test_of_a_redis_only_our_own_keys_are_deleted_and_they_end_by_themselves(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    client.set("somebody else's", "value")
    store = open_store(redis_url)
    store.fill(sessions_for([str(number) for number in range(1200)]))
    ours = [key for key in client.scan_iter() if key.startswith(b"coatcheck_compare_")]
    assert len(ours) == 1200
    assert 0 < client.ttl(ours[0]) <= 900
    with closing(store.connect()) as line:
        line.put(b"later", b"x")
    store.clear()
    assert client.keys() == [b"somebody else's"]
    client.close()


def test_the_file_of_sqlite_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = open_store("sqlite")
    store.fill(sessions_for(["one"]))
    assert list(tmp_path.glob("coatcheck-compare-*/sessions.db"))
    assert store.version == sqlite3.sqlite_version
    store.clear()
    assert not list(tmp_path.iterdir())


def test_no_two_names_are_alike_and_all_can_be_recognised() -> None:
    names = {new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("coatcheck_compare_") and len(name) < 63 for name in names)


@pytest.mark.parametrize(
    "address", ["", "mysql://x", "postgresql", "REDIS://h", "sqlite:///file", f"https://:{PASSWORD}@host"]
)
def test_what_is_no_store_is_told_without_repeating_it(address: str) -> None:
    with pytest.raises(StoreError) as caught:
        kind_of(address)
    assert PASSWORD not in f"{caught.value.message}{caught.value.detail}"
    assert caught.value.code == "store_unusable"


@pytest.mark.parametrize("scheme", ["postgresql", "redis"])
def test_a_store_that_cannot_be_reached_is_told_without_its_password(scheme: str) -> None:
    url = f"{scheme}://me:{PASSWORD}@127.0.0.1:{free_port()}/0"
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert "cannot be" in caught.value.message
    assert f"{scheme}://me@127.0.0.1" in caught.value.message
    assert PASSWORD not in f"{caught.value.message}{caught.value.detail}{caught.value.__cause__}"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@host:port/db?nonsense=1",
        f"postgresql://host/db?nonsense={PASSWORD}",
        f"redis://me:{PASSWORD}@host:port/0",
        f"redis://me:{PASSWORD}@[host/0",
        f"redis://me:{PASSWORD}@localhost:1/not-a-number",
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(url: str) -> None:
    for step in (open_store, _shown_and_opened):
        with pytest.raises(StoreError) as caught:
            step(url)
        assert PASSWORD not in f"{caught.value.message}{caught.value.detail}"


def _shown_and_opened(url: str) -> Store:
    """As the command does it."""
    assert PASSWORD not in shown_store(url)
    return open_store(url)


@pytest.mark.parametrize(
    "address, shown",
    [
        ("memory", "memory"),
        ("sqlite", "sqlite"),
        ("postgresql://me:secret@db.example:5433/app", "postgresql://me@db.example:5433/app"),
        ("redis://:secret@cache.example/2", "redis://cache.example/2"),
        ("rediss://me:secret@[::1]:6380?password=secret", "rediss://me@[::1]:6380"),
    ],
)
def test_addresses_are_shown_without_what_is_secret(address: str, shown: str) -> None:
    assert shown_store(address) == shown


def test_a_redis_that_wants_another_password_says_so(tmp_path: Path) -> None:
    with redis_server(settings=("--requirepass", "right")) as server:
        url = server.url().replace("//", "//:right@")
        with pytest.raises(StoreError, match="does not accept the name or the password"):
            open_store(url.replace("right", "wrong"))
        open_store(url).clear()


def test_a_database_in_which_nothing_may_be_made_says_so(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
    url = postgres_url.replace("coatcheck@", "reader@")
    store = open_store(url)
    with pytest.raises(StoreError, match="cannot be used"):
        store.fill(sessions_for(["one"]))
    store.clear()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE reader")


def test_a_redis_that_may_only_be_read_says_so(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    store = open_store(redis_url)
    client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))  # type: ignore[no-untyped-call]
    try:
        with pytest.raises(StoreError, match="refuses a command"):
            store.fill(sessions_for(["one"]))
        with pytest.raises(LeftoverError, match="end by themselves after 15 minutes"):
            store.clear()
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
        client.close()
    store.clear()


def test_a_table_that_cannot_be_removed_is_named(postgres_url: str) -> None:
    store = open_store(postgres_url)
    store.fill(sessions_for(["one"]))
    (name,) = (
        each for each in tables(postgres_url) if each.startswith("coatcheck_compare_") and "pkey" not in each
    )
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE VIEW kept AS SELECT * FROM {}").format(sql.Identifier(name)))
        with pytest.raises(LeftoverError, match=name) as caught:
            store.clear()
        assert caught.value.code == "store_leftover"
        connection.execute("DROP VIEW kept")
    store.clear()


@pytest.mark.parametrize(
    "url, module, remedy",
    [
        ("postgresql://host/db", "psycopg", "coatcheck[postgres]"),
        ("redis://host", "redis", "pip install redis"),
    ],
)
@pytest.mark.parametrize("kind", [ModuleNotFoundError, ImportError])
def test_a_driver_that_is_not_installed_is_named_with_its_remedy(
    url: str, module: str, remedy: str, *, kind: type[ImportError]
) -> None:
    with pytest.raises(StoreError) as caught, opening._needing(module, remedy):
        raise kind("missing", name=f"{module}.part")
    assert module in caught.value.message
    assert remedy in caught.value.message
    assert kind_of(url) in {"postgresql", "redis"}


@pytest.mark.parametrize("name", [None, "coatcheck.comparison.stores.redis"])
def test_a_module_of_our_own_that_is_missing_is_a_fault_that_is_seen(name: str | None) -> None:
    with pytest.raises(ModuleNotFoundError), opening._needing("redis", "remedy"):
        raise ModuleNotFoundError("missing", name=name)
