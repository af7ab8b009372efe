"""The live demonstration: real services, real refusals, and nothing left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coatcheck.server.errors import AddressInUseError
from coatcheck.server.live import demonstration
from coatcheck.server.live.headless import Figures
from coatcheck.server.live.observation import Credential, NoAnswerError, Observed, ask, observe
from coatcheck.server.live.processes import services_running
from coatcheck.server.live.stage import NotSignedInError, Stage
from tests.browser.conftest import free_port, wait_for

TOKEN = Credential(name="the token", header="authorization", value="Bearer secret-value")


def test_every_service_refuses_both_credentials_after_the_sign_out_and_accepted_them_before() -> None:
    told: list[int] = []
    figures = asyncio.run(
        demonstration.demonstrate_headless(port=free_port(), rounds=2, on_round=told.append)
    )
    assert told == [1, 2]
    assert {(each.service, each.credential) for each in figures} == {
        (service, credential)
        for service in ("orders", "invoices")
        for credential in ("the browser's cookie", "the phone's token")
    }
    for each in figures:
        assert each.rounds == each.refused == 2
        assert each.accepted_before > 0
        assert 0 < each.median_ms <= each.p99_ms <= each.slowest_ms


def test_a_port_that_is_taken_is_told() -> None:
    with pytest.raises(AddressInUseError):
        asyncio.run(_taken())


async def _taken() -> list[Figures]:
    async with _answering(lambda: b"") as port:
        return await demonstration.demonstrate_headless(port=port, rounds=1, on_round=lambda _: None)


@pytest.fixture
def shown(tmp_path: Path) -> tuple[subprocess.Popen[bytes], int, Path]:
    port = free_port()
    log = tmp_path / "log"
    command = [sys.executable, "-m", "coatcheck", "demo", "--no-browser", "--port", str(port)]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=output, stderr=output, env={**os.environ, "TMPDIR": str(temporary)}
        )
    return process, port, log


def _ask(url: str, *, method: str = "GET") -> dict[str, object]:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    data = b"{}" if method == "POST" else None
    request = urllib.request.Request(url, headers=headers, data=data, method=method)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
        body = answer.read()
    found: dict[str, object] = json.loads(body)
    return found


def test_the_page_shows_what_the_services_say_and_what_was_measured(
    shown: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    process, port, log = shown
    url = f"http://localhost:{port}"
    try:
        wait_for(url, process)
        until_ready(log, process)
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert b"every ticket is void" in answer.read()
        assert _ask(f"{url}/live/state") == {"answers": [], "sessions": [], "token_good_for": 0}
        _ask(f"{url}/live/sign-in", method="POST")
        state = _ask(f"{url}/live/state")
        answers = state["answers"]
        assert isinstance(answers, list)
        assert [each["status"] for each in answers] == [200] * 4
        measured = _ask(f"{url}/live/sign-out-everywhere", method="POST")
        observed = measured["observed"]
        assert isinstance(observed, list)
        assert all(each["refused_after_ms"] > 0 and each["accepted_before"] > 0 for each in observed)
        assert 0 < int(str(measured["token_good_for"])) <= 300
        after = _ask(f"{url}/live/state")["answers"]
        assert isinstance(after, list)
        assert [each["status"] for each in after] == [401] * 4
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert "Traceback" not in log.read_text()
    assert list((log.parent / "temporary").iterdir()) == []


def test_whoever_is_told_to_end_leaves_neither_files_nor_services_behind(
    shown: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    process, port, log = shown
    wait_for(f"http://localhost:{port}", process)
    until_ready(log, process)
    services = children_of(process.pid)
    assert len(services) == 2
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert list((log.parent / "temporary").iterdir()) == []
    assert not any(is_running(service) for service in services)


def test_services_end_with_a_demonstration_that_is_killed(
    shown: tuple[subprocess.Popen[bytes], int, Path],
) -> None:
    process, port, log = shown
    wait_for(f"http://localhost:{port}", process)
    until_ready(log, process)
    services = children_of(process.pid)
    process.kill()
    process.wait(30)
    until = time.monotonic() + 30
    while any(is_running(service) for service in services):
        assert time.monotonic() < until
        time.sleep(0.05)


def children_of(process_id: int) -> list[int]:
    return [
        int(status.parent.name)
        for status in Path("/proc").glob("[0-9]*/status")
        if f"\nPPid:\t{process_id}\n" in _read(status)
    ]


def is_running(process_id: int) -> bool:
    return (
        "\nState:\tZ" not in _read(Path(f"/proc/{process_id}/status"))
        and Path(f"/proc/{process_id}").exists()
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # it has ended


def until_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the page was announced: the services answer from then on."""
    while "Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)


# --- watching ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _answering(answer: Callable[[], bytes]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer())
                await writer.drain()
                if not answer():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _http(status: int, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def test_the_time_counts_from_the_order_and_only_a_refusal_after_it_is_one() -> None:
    ended = False

    async def end() -> None:
        nonlocal ended
        ended = True

    async def run() -> list[Observed]:
        async with _answering(lambda: _http(401 if ended else 200)) as port:
            return await observe([("orders", port)], [TOKEN], end)

    (observed,) = asyncio.run(run())
    assert observed.service == "orders"
    assert observed.accepted_before > 0
    assert observed.refused_after is not None
    assert observed.refused_after > 0


def test_a_service_that_goes_on_accepting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coatcheck.server.live.observation._LONGEST", 0.2)

    async def end() -> None:
        return None

    async def run() -> list[Observed]:
        async with _answering(lambda: _http(200)) as port:
            return await observe([("orders", port)], [TOKEN], end)

    (observed,) = asyncio.run(run())
    assert observed.refused_after is None
    assert observed.accepted_after > 0


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"], ids=["end", "none", "word"]
)
def test_what_is_no_answer_is_told(answer: bytes) -> None:
    async def run() -> None:
        async with _answering(lambda: answer) as port:
            await ask("orders", port, TOKEN)

    with pytest.raises(NoAnswerError, match="orders"):
        asyncio.run(run())


def test_whoever_stops_watching_leaves_nobody_asking() -> None:
    asyncio.run(_interrupted())


async def _interrupted() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async with _answering(lambda: _http(200)) as port:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await observe([("orders", port)], [TOKEN], never)
        asking = [each for each in asyncio.all_tasks() - before if "watch" in repr(each)]
    assert asking == []


def test_what_ends_the_watching_may_be_something_in_the_answer() -> None:
    observed = asyncio.run(_observed_by_its_body())
    assert observed.refused_after is not None
    assert observed.accepted_before > 0


async def _observed_by_its_body() -> Observed:
    role = b"admin"

    async def end() -> None:
        nonlocal role
        role = b"none"

    async with _answering(lambda: _http(200, role)) as port:
        (observed,) = await observe(
            [("orders", port)], [TOKEN], end, is_over=lambda status, body: (status, body) == (200, b"none")
        )
    return observed


def test_a_credential_does_not_show_its_secret() -> None:
    assert "secret" not in repr(TOKEN)


def test_a_service_that_does_not_start_is_told_and_ended() -> None:
    async def run() -> None:
        async with services_running(["orders"], issuer="not an address", key=""):
            raise AssertionError

    with pytest.raises(NoAnswerError) as caught:
        asyncio.run(run())
    assert caught.value.detail == "it did not start"


def test_nobody_who_is_signed_out_can_be_signed_out() -> None:
    stage = Stage(None, services=[], cookie_name="x")  # type: ignore[arg-type] # it is not asked
    with pytest.raises(NotSignedInError):
        asyncio.run(stage.sign_out_everywhere())
