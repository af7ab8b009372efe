"""The addresses of servers: what is understood, what is refused, and that no password is ever shown."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.comparison.errors import StoreError
from coatcheck.comparison.stores.opening import kind_of
from coatcheck.server import storages
from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import Settings, load_settings
from coatcheck.storage.errors import StorageAccessError, StorageOpenError
from coatcheck.storage.postgres import PostgresStorage, addresses
from coatcheck.storage.redis import addresses as redis_addresses
from coatcheck.storage.redis import check_address
from coatcheck.storage.server_addresses import check_postgres_url, check_redis_url

POSTGRES = {
    "postgresql://coatcheck:hunter2@db/coatcheck": "postgresql://coatcheck@db/coatcheck",
    "postgres://coatcheck@127.0.0.1:5433/c?sslmode=require": "postgresql://coatcheck@127.0.0.1:5433/c",
    "postgresql://[::1]:5432/c": "postgresql://[::1]:5432/c",
    "postgresql://u@[fe80::1%25eth0]/c": "postgresql://u@[fe80::1%eth0]/c",
    "postgresql://c:hunter2@a:1,b:2/c": "postgresql://c@a:1,b:2/c",
    "postgresql://c:hunter2@a,b/c?target_session_attrs=read-write": "postgresql://c@a,b/c",
    "postgresql://a,b:2/c": "postgresql://a,b:2/c",
    "postgresql:///c?host=/run/postgresql": "postgresql:///run/postgresql/c",
    "postgresql://%2Frun%2Fpostgresql/c": "postgresql:///run/postgresql/c",
    "postgresql://h/c?user=u&password=hunter2": "postgresql://u@h/c",
}
NO_POSTGRES = {
    "a / in the password": "postgresql://c:Ab3/x+hunter2=@127.0.0.1:1/c",
    "a / after digits, which are taken for a port": "postgresql://c:12/hunter2@127.0.0.1:1/c",
    "an @ in the password": "postgresql://c:p@hunter2@127.0.0.1:1/c",
    "a ? in the password": "postgresql://c:p?hunter2@127.0.0.1:1/c",
    "a % in the password": "postgresql://c:p%hunter2@127.0.0.1:1/c",
    "a port that is none": "postgresql://c@h:hunter2/c",
    "half an address": "postgresql://c:hunter2@[::1/c",
    "an option that is none": "postgresql://h/c?hunter2=1",
    "a patience that is none": "postgresql://h/c?connect_timeout=hunter2",
    "a patience that is over": "postgresql://:hunter2@h/c?connect_timeout=-1",
}
NO_REDIS = {
    "a / in the password": "redis://:12/hunter2@h:6379/0",
    "a name of a database": "redis://:hunter2@h:6379/main",
    "an option of the driver's": "redis://:hunter2@h/0?timeout=1",
    "another protocol": "redis://:hunter2@h/0?protocol=3",
    "a database that is none": "redis://:hunter2@h/0?db=main",
    "TLS where there is none": "redis://:hunter2@h/0?ssl_cert_reqs=none",
    "an option of nobody": "rediss://:hunter2@h/0?hunter2=1",
}


def load(**arguments: Any) -> Settings:
    return load_settings(environment={}, directory="/nowhere", **arguments)


@pytest.mark.parametrize("url", POSTGRES)
def test_an_address_of_postgresql_is_understood_and_shown_without_its_password(url: str) -> None:
    assert addresses.shown(url) == POSTGRES[url]
    assert load(database=url).database == url
    assert "keepalives_idle" in addresses.address_of(url)


@pytest.mark.parametrize("why", NO_POSTGRES)
def test_attack_no_part_of_a_password_that_is_taken_for_something_else_is_shown(why: str) -> None:
    url = NO_POSTGRES[why]
    assert "hunter2" not in addresses.shown(url)
    with pytest.raises(StorageAccessError) as caught:
        PostgresStorage(url)
    error = caught.value
    assert "hunter2" not in f"{error} {error.detail} {error.path}"


@pytest.mark.parametrize("why", [why for why in NO_POSTGRES if "the password" in why])
def test_attack_settings_and_comparisons_refuse_an_address_that_shows_its_password(why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(database=NO_POSTGRES[why])
    assert "%2F" in str(caught.value)
    with pytest.raises(StoreError) as refused:
        kind_of(NO_POSTGRES[why])
    assert "hunter2" not in f"{caught.value} {refused.value}"


@pytest.mark.parametrize(
    "typed",
    [
        " postgresql://u:hunter2@host/name",
        '"postgresql://u:hunter2@host/name"',
        "jdbc:postgresql://u:hunter2@host/name",
        "postgresql+psycopg://u:hunter2@host/name",
        "POSTGRESQL://u:hunter2@host/name",
        "postgresql:/u:hunter2@host/name",
        "postgresql:u:hunter2@name",
        "host=host user=u password=hunter2 dbname=name",
    ],
)
def test_attack_an_address_that_is_mistyped_becomes_no_file_that_shows_its_password(typed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(database=typed)
    assert "hunter2" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_password_of_any_letters_can_be_written(password: str) -> None:
    quoted = quote(password, safe="")
    assert check_postgres_url(f"postgresql://user:{quoted}@host/name")
    assert addresses.shown(f"postgresql://user:{quoted}@host/name") == "postgresql://user@host/name"
    assert check_redis_url(f"redis://user:{quoted}@host/0")
    assert redis_addresses.shown(f"redis://user:{quoted}@host/0") == "redis://user@host/0"


@given(st.text("ab12:/@?#%[],.=&", max_size=30))
def test_what_is_shown_is_never_the_part_behind_the_name_of_the_user(rest: str) -> None:
    for shown, scheme in ((addresses.shown, "postgresql"), (redis_addresses.shown, "redis")):
        assert "SECRET" not in shown(f"{scheme}://user:SECRET{rest}@host/0")
        assert "SECRET" not in shown(f"{scheme}://user:{rest}SECRET@host/0")


def test_of_several_hosts_each_has_its_time_and_who_says_how_long_is_obeyed() -> None:
    def seconds(url: str) -> float:
        return addresses.seconds_to_connect(addresses.address_of(url), patience=5)

    assert seconds("postgresql://a/c") == 5
    assert seconds("postgresql://a,b,c/d") == 7
    assert seconds("postgresql://a,b/d?connect_timeout=10") == 21


@pytest.mark.parametrize("why", NO_REDIS)
def test_an_address_of_redis_that_the_driver_would_fail_over_is_refused_everywhere(why: str) -> None:
    url = NO_REDIS[why]
    with pytest.raises(StorageOpenError) as caught:
        check_address(url)
    with pytest.raises(SettingsError) as refused:
        load(redis=url)
    with pytest.raises(StoreError) as compared:
        kind_of(url)
    told = f"{caught.value} {caught.value.path} {refused.value} {compared.value} {redis_addresses.shown(url)}"
    assert "hunter2" not in told


def test_what_the_driver_itself_has_against_an_address_is_told_without_its_text() -> None:
    with pytest.raises(StorageOpenError, match="options") as caught:
        check_address("rediss://:hunter2@h/0?ssl_cert_reqs=hunter2")
    assert "hunter2" not in f"{caught.value} {caught.value.path}"


def test_what_was_refused_has_opened_no_database(tmp_path: Path) -> None:
    settings = load(database=str(tmp_path / "c.db"), redis="rediss://h/0?ssl_cert_reqs=perhaps")
    with pytest.raises(StorageOpenError):
        storages.open_storage(settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://user:hunter2@10.0.0.6:6379/3",
        "rediss://h/0?ssl_cert_reqs=required&ssl_check_hostname=true&ssl_ca_certs=/ca.pem",
        "unix:///run/redis.sock?db=2",
    ],
)
def test_the_address_of_redis_that_settings_take_is_taken_by_the_driver(url: str) -> None:
    check_address(url)
    assert load(redis=url).redis is not None
    assert "hunter2" not in redis_addresses.shown(url)
