"""A whole comparison, as small as it can be, with real stores, a real server and real services."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import redis

from coatcheck.comparison import run
from coatcheck.comparison.claims import Subject, default_claims, read_claims
from coatcheck.comparison.errors import LeftoverError, StoreError
from coatcheck.comparison.model import SCHEMA, Report, Sample, Window
from coatcheck.comparison.run import Order, compare
from coatcheck.comparison.stores.memory import MemoryStore
from tests.comparison.paces import TINY
from tests.engines import RedisServer

SECRET_VALUE = "a-value-that-stays-here"


def order(*stores: str, subject: Subject | None = None) -> Order:
    return Order(
        subject=subject or default_claims(),
        requests_per_second=50.0,
        stores=stores,
        pace=TINY,
        command="coatcheck compare",
        quick=True,
    )


def leftovers(postgres_url: str, redis_url: str) -> list[str]:
    with psycopg.connect(postgres_url) as connection:
        rows: list[Any] = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'coatcheck_compare%'"
        ).fetchall()
    client = redis.Redis.from_url(redis_url)
    keys = [str(key) for key in client.scan_iter()]
    client.close()
    return [*(row[0] for row in rows), *keys]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int, str]]:
    return []


@pytest.fixture(scope="module")
def report(postgres: Any, redis_running: RedisServer, told: list[tuple[int, int, str]]) -> Iterator[Report]:
    given = {"sub": "ada", "plan": SECRET_VALUE, "email": "ada@example.com", "jti": "short"}
    with postgres.database("empty") as url:
        subject = read_claims(json.dumps(given).encode())
        made = asyncio.run(
            compare(order(url, redis_running.url(), subject=subject), on_step=lambda *step: told.append(step))
        )
        assert leftovers(url, redis_running.url()) == []
        yield made


def test_the_report_is_the_same_after_a_way_through_json(report: Report) -> None:
    octets = msgspec.json.encode(report)
    assert msgspec.json.decode(octets, type=Report) == report
    assert json.loads(octets)["schema"] == report.schema == SCHEMA


def test_no_value_of_a_claim_is_in_the_report(report: Report) -> None:
    text = msgspec.json.encode(report).decode()
    assert SECRET_VALUE not in text
    assert "ada@example.com" not in text
    assert {each.name for each in report.claims.claims} >= {"plan", "email", "exp"}


def test_every_design_that_a_section_names_is_explained(report: Report) -> None:
    known = {each.id for each in report.designs}
    assert len(known) == len(report.designs)
    named = {size.design for size in report.sizes} | {check.design for check in report.checks}
    named |= {window.design for window in (*report.windows, *report.staleness)}
    named |= {use.design for limit in report.limits for use in limit.uses}
    assert named == known
    assert report.design("opaque-id").name == "Opaque ID"
    with pytest.raises(KeyError):
        report.design("nothing")
    assert all(each.meaning.endswith(".") for each in report.designs)


def samples_of(report: Report) -> Iterator[Sample]:
    for check in report.checks:
        yield from (check.warm, check.first_seen, *filter(None, (check.new_process, check.import_seconds)))
    for store in report.stores:
        yield from filter(None, (store.warm, store.cold, store.cpu))
    for window in (*report.windows, *report.staleness):
        yield from filter(None, (window.sample, window.raw))
    yield report.noise.yardstick


def test_every_figure_comes_with_its_distribution(report: Report) -> None:
    found = list(samples_of(report))
    assert len(found) > 60
    for each in found:
        assert 0 <= each.minimum <= each.first_quartile <= each.median <= each.third_quartile
        assert each.third_quartile <= each.p99 <= each.maximum or each.p99 == each.maximum
        assert each.figures[0] == each.minimum
        assert each.figures[-1] == each.maximum
        assert each.calls >= each.count > 0


def test_all_stores_are_measured_and_none_shows_its_password(report: Report) -> None:
    assert [each.store for each in report.stores] == ["memory", "sqlite", "postgresql", "redis"]
    for each in report.stores:
        assert each.state == "measured"
        assert each.reason is None
        assert each.warm is not None
        assert each.cpu is not None
        assert each.rows == TINY.rows
        assert each.waiting == pytest.approx(50 * each.warm.median)
        assert each.cores == pytest.approx(50 * each.cpu.median)
        assert (each.cold is None) == (each.store == "memory")


def test_needs_follow_from_what_was_measured(report: Report) -> None:
    for check in report.checks:
        assert check.per_second_per_core == pytest.approx(1 / check.warm.median)
        assert check.cores == pytest.approx(50 * check.warm.median)
        assert (check.new_process is None) == (not check.design.startswith("jw"))
    assert report.load.requests_per_month == 50 * 30 * 86_400


def test_windows_are_measured_or_say_that_they_are_scaled(report: Report) -> None:
    by_event: dict[str, dict[str, Window]] = {
        "revoked": {each.design: each for each in report.windows},
        "role removed": {each.design: each for each in report.staleness},
    }
    for event, windows in by_event.items():
        assert list(windows)[:2] == ["expiry-only", "refresh"]
        assert {
            f"{way}-{kind}" for way in ("denylist", "session") for kind in ("sqlite", "postgresql", "redis")
        } < set(windows)
        for window in windows.values():
            assert window.event == event
            assert window.sample is not None
            assert window.accepted_after == round(window.sample.median * 50)
            if window.basis == "scaled":
                assert window.raw is not None
                assert window.lifetime is not None
                assert window.factor == pytest.approx(window.lifetime / TINY.windows.lifetime.seconds)
                assert window.sample.median == pytest.approx(window.raw.median * window.factor)
                assert window.longest == window.lifetime
            else:
                assert window.factor == 1
                assert window.lifetime is None
        services = windows["ledger-services"].sample
        assert services is not None
        assert services.count == 2 * 2 * TINY.windows.rounds  # two services, two credentials


def test_a_denylist_ends_credentials_and_not_roles(report: Report) -> None:
    ended = {each.design: each for each in report.windows}
    stale = {each.design: each for each in report.staleness}
    assert ended["denylist-sqlite"].basis == "measured"
    assert stale["denylist-sqlite"].sample == stale["refresh"].sample
    assert stale["denylist-sqlite"].look_up


def test_the_summary_says_what_it_means_in_sentences(report: Report) -> None:
    assert len(report.summary) >= 6
    assert all(each.endswith(".") for each in report.summary)
    assert "50 requests per second" in report.summary[0]
    assert any("email" in each for each in report.summary)


def test_progress_goes_from_nothing_to_all(report: Report, told: list[tuple[int, int, str]]) -> None:
    assert report.machine.seconds > 0
    done = [step[0] for step in told]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == told[-1][1]
    assert len({total for _, total, _ in told}) == 1


class _Stopped(BaseException):
    """What an interruption looks like: no ``Exception``."""


@pytest.mark.parametrize("what", ["Preparing", "Checks of credentials", "Windows after the end"])
def test_whoever_interrupts_it_finds_nothing_left_behind(
    what: str, postgres_url: str, redis_url: str, folder: Path
) -> None:
    seen: list[str] = []

    def stop(done: int, _: int, now: str) -> None:
        seen.append(now)
        if now == what and (what == "Preparing" or seen.count(what) > 2):
            raise _Stopped

    with pytest.raises(_Stopped):
        asyncio.run(compare(order(postgres_url, redis_url), on_step=stop))
    assert leftovers(postgres_url, redis_url) == []
    assert list(folder.iterdir()) == []


def test_a_store_that_fails_at_the_start_closes_those_before_it(postgres_url: str, folder: Path) -> None:
    with pytest.raises(StoreError):
        asyncio.run(compare(order(postgres_url, "redis://127.0.0.1:1/0"), on_step=lambda *_: None))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_a_store_that_goes_away_meanwhile_is_told_and_not_shown_as_a_traceback(
    kind: str, postgres_url: str, redis_url: str, folder: Path
) -> None:
    def end_connections(done: int, _: int, now: str) -> None:
        if now != "Look-ups in stores" or done == 0:
            return
        if kind == "redis":
            client = redis.Redis.from_url(redis_url)
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # type: ignore[no-untyped-call]
            client.config_set("maxclients", 1)
            client.close()
            return
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coatcheck compare'"
            )

    named = redis_url if kind == "redis" else postgres_url
    try:
        with pytest.raises(StoreError):
            asyncio.run(compare(order(named), on_step=end_connections))
    finally:
        redis.Redis.from_url(redis_url).config_set("maxclients", 1000)
    assert leftovers(postgres_url, redis_url) == []
    assert list(folder.iterdir()) == []


def test_two_stores_of_a_kind_are_refused(folder: Path) -> None:
    with pytest.raises(StoreError, match="same kind"):
        asyncio.run(compare(order("redis://a", "redis://b"), on_step=lambda *_: None))
    assert list(folder.iterdir()) == []


def test_all_stores_are_cleared_even_if_one_cannot_be() -> None:
    class Stuck(MemoryStore):
        def clear(self) -> None:
            raise LeftoverError("it is stuck")

    filled = MemoryStore()
    filled.fill([(b"key", b"value")])
    with pytest.raises(LeftoverError, match="stuck"):
        run._clear([Stuck(), filled])
    assert filled.connect().find(b"key") is None
