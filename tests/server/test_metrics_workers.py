"""The figures of several processes on one node: none is lost with one of them, and none goes back."""

import fcntl
import os
import signal
import subprocess
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from coatcheck.server.metrics import workers
from coatcheck.server.metrics.snapshots import Bins, Point, Snapshot, families, merge
from coatcheck.server.metrics.workers import SharedFigures
from coatcheck.server.run import _shared_folder
from tests.server.operated import Operated, operating
from tests.server.test_processes import serving

REQUESTS = "coatcheck_http_requests"
LABELS = ("/", "GET", "2xx")


def snapshot(requests: float, **gauges: float) -> Snapshot:
    points = {name: [Point((), value)] for name, value in gauges.items()}
    counts = (int(requests), *(0,) * 14)
    return Snapshot(
        points={REQUESTS: [Point(LABELS, requests)], "coatcheck_workers": [Point((), 1)], **points},
        bins={"coatcheck_http_request_duration_seconds": [Bins(("/",), counts, requests)]},
    )


def joined(folder: Path) -> SharedFigures:
    figures = SharedFigures(folder)
    figures.join()
    return figures


def value(of: Snapshot, name: str) -> float:
    return sum(point.value for point in of.points.get(name, []))


def test_counts_are_added_and_gauges_are_what_they_mean() -> None:
    one = snapshot(3, coatcheck_ready=1, coatcheck_ledger_position=7, coatcheck_feed_readers=2)
    other = snapshot(4, coatcheck_ready=0, coatcheck_ledger_position=9, coatcheck_feed_readers=5)
    both = merge([one, other])
    assert value(both, REQUESTS) == 7
    assert value(both, "coatcheck_ready") == 0
    assert value(both, "coatcheck_ledger_position") == 9
    assert value(both, "coatcheck_feed_readers") == 7
    (bins,) = both.bins["coatcheck_http_request_duration_seconds"]
    assert (bins.counts[0], bins.total) == (7, 7.0)


def test_a_name_that_is_in_no_catalogue_is_left_out() -> None:
    strange = Snapshot(points={"other": [Point(("x",), 1)]})
    assert families(merge([strange])) == []


def test_what_a_process_counted_stays_when_it_ends_and_its_gauges_go(tmp_path: Path) -> None:
    one, other = joined(tmp_path), joined(tmp_path)
    other.publish(snapshot(5, coatcheck_feed_readers=2))
    both = one.together(snapshot(1, coatcheck_feed_readers=1))
    assert (value(both, REQUESTS), value(both, "coatcheck_workers")) == (6, 2)
    other.close()
    for _ in range(2):
        left = one.together(snapshot(1, coatcheck_feed_readers=1))
        assert value(left, REQUESTS) == 6
        assert value(left, "coatcheck_workers") == 1
        assert value(left, "coatcheck_feed_readers") == 1
    one.close()


def test_one_that_never_joined_can_leave(tmp_path: Path) -> None:
    SharedFigures(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_again_and_again_does_not_fill_the_folder(tmp_path: Path) -> None:
    one = joined(tmp_path)
    for _ in range(20):
        other = joined(tmp_path)
        other.publish(snapshot(1))
        other.close()
        one.together(snapshot(0))
    assert value(one.together(snapshot(0)), REQUESTS) == 20
    assert len(list(tmp_path.iterdir())) <= 4
    one.close()


def test_a_process_that_has_written_nothing_yet_or_nonsense_counts_for_nothing(tmp_path: Path) -> None:
    one, other = joined(tmp_path), joined(tmp_path)
    assert value(one.together(snapshot(2)), REQUESTS) == 2
    other._own.write_bytes(b"\xc1")
    assert value(one.together(snapshot(2)), REQUESTS) == 2
    one.close()
    other.close()


def test_one_that_stands_still_in_its_turn_does_not_hold_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PAUSE", 0.0)
    one, other = joined(tmp_path), joined(tmp_path)
    other.publish(snapshot(5))
    other.close()
    with (tmp_path / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert value(one.together(snapshot(1)), REQUESTS) == 6
    one.close()


@pytest.mark.anyio
async def test_each_process_writes_its_figures_down_by_itself_and_when_it_ends(tmp_path: Path) -> None:
    async with operating(figures=tmp_path) as one, operating(figures=tmp_path) as other:
        async with running(other):
            async with other.client() as client:
                await client.get("/healthz")
            assert await one.figure("coatcheck_workers") == 2
        line = 'coatcheck_http_requests_total{route="/healthz",method="GET",status="2xx"}'
        assert await one.figure(line) == 1
        assert await one.figure("coatcheck_workers") == 1


@pytest.mark.anyio
async def test_a_process_alone_writes_nothing_down() -> None:
    async with operating() as one, running(one):
        assert await one.figure("coatcheck_workers") == 1
    async with operating(metrics="off") as one, running(one), one.client() as client:
        assert (await client.get("/readyz")).status_code == 200


def running(operated: Operated) -> AbstractAsyncContextManager[object]:
    return operated.application.router.lifespan_context(operated.application)


def test_several_workers_share_a_folder_that_goes_with_them() -> None:
    with _shared_folder(1) as none:
        assert none is None
    with _shared_folder(2) as folder:
        assert folder is not None
        assert folder.stat().st_mode & 0o077 == 0  # nobody else reads it
    assert not folder.exists()


def scrape(url: str) -> dict[str, float]:
    text = httpx.get(f"{url.removesuffix('/auth')}/metrics").text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def children(process: subprocess.Popen[bytes]) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [
        int(each)
        for each in listed.split()
        if "spawn_main" in Path(f"/proc/{each}/cmdline").read_text("utf-8")
    ]


def test_a_scrape_shows_all_workers_and_survives_the_death_of_one(tmp_path: Path) -> None:
    line = 'coatcheck_http_requests_total{route="/healthz",method="GET",status="2xx"}'

    def eventually(count: int, workers: int) -> None:
        until = time.monotonic() + 30
        while True:
            figures = scrape(url)
            counted = figures.get(line, 0.0)
            assert counted >= seen[-1]  # a counter never goes back
            seen.append(counted)
            if (counted, figures["coatcheck_workers"]) == (count, workers):
                return
            assert time.monotonic() < until, (counted, figures["coatcheck_workers"])
            time.sleep(0.05)

    with serving(tmp_path, "--workers", "2") as (url, process):
        seen = [0.0]
        for _ in range(40):  # each over a connection of its own: both workers get some
            assert httpx.get(f"{url.removesuffix('/auth')}/healthz").status_code == 200
        eventually(40, 2)
        first = children(process)
        os.kill(first[0], signal.SIGKILL)
        eventually(40, 2)  # another took its place
        assert set(children(process)) != set(first)
        for _ in range(10):
            assert httpx.get(f"{url.removesuffix('/auth')}/healthz").status_code == 200
        eventually(50, 2)
