"""Events and processes: a server that is killed, one that is stopped, and several at once."""

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import pytest

from coatcheck.server import load_settings, open_flows
from tests.server.signal_receivers import Answer, receiving
from tests.server.test_processes import PEOPLE, import_people, serving, sign_in


async def add_service(database: Path) -> str:
    async with open_flows(load_settings(environment={}, database=str(database))) as flows:
        _, key = await flows.services.add("receiver")
    return key


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    asyncio.run(import_people(tmp_path / "coatcheck.db"))
    return tmp_path


@pytest.fixture
def key(directory: Path) -> str:
    return asyncio.run(add_service(directory / "coatcheck.db"))


@contextmanager
def visiting(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


def create(client: httpx.Client, key: str, port: int | None = None) -> str:
    delivery = {"method": "urn:ietf:rfc:8936"}
    if port is not None:
        delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": f"http://127.0.0.1:{port}/"}
    response = client.post("/signals/stream", json={"delivery": delivery}, headers=bearer(key))
    assert response.status_code == 201, response.text
    url: str = response.json()["delivery"]["endpoint_url"]
    return url


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_in_and_out(client: httpx.Client, email: str) -> str:
    """Return the session that has ended, and that the server has said so of."""
    token = sign_in(client, email)["access_token"]
    assert client.post("/sign-out", headers=bearer(token)).status_code == 204
    sid: str = jwt.decode(token, options={"verify_signature": False})["sid"]
    return sid


def test_kill_9_between_commit_and_push_loses_nothing(directory: Path, key: str) -> None:
    with receiving() as (receiver, port):
        pass  # nobody listens there, for now
    with serving(directory, end=signal.SIGKILL) as (url, _), visiting(url) as client:
        create(client, key, port)
        ended = [sign_in_and_out(client, email) for email in PEOPLE[:3]]
    with receiving(port=port, receiver=receiver), serving(directory):
        receiver.wait(3)
    assert receiver.seen == ended


def test_kill_9_during_a_push_sends_it_again_the_same(directory: Path, key: str) -> None:
    hold = threading.Event()
    with receiving() as (receiver, port):
        receiver.answers = [Answer(hold=hold)]
        with serving(directory, end=signal.SIGKILL) as (url, _), visiting(url) as client:
            create(client, key, port)
            ended = [sign_in_and_out(client, email) for email in PEOPLE[:2]]
            receiver.wait(1)
        hold.set()
        with serving(directory):
            receiver.wait(3)
    assert receiver.seen == [ended[0], *ended]
    first, again, _ = receiver.claims
    assert first == again  # RFC 8417 section 2.2: the same event, the same jti


def test_kill_9_under_load_loses_no_event_of_what_was_acknowledged(directory: Path, key: str) -> None:
    ended: list[str] = []
    with receiving() as (receiver, port):
        with serving(directory, end=signal.SIGKILL) as (url, _), visiting(url) as client:
            create(client, key, port)
            ended += [sign_in_and_out(client, email) for email in PEOPLE]
        with serving(directory):
            receiver.wait_for(lambda: set(ended) <= set(receiver.seen))
    assert list(dict.fromkeys(receiver.seen)) == ended
    # At least once, and whoever gets it twice can tell.
    assert len({each["jti"] for each in receiver.claims}) == len(ended)


def test_a_poll_waits_at_one_worker_for_what_another_commits(directory: Path, key: str) -> None:
    with serving(directory, "--workers", "2") as (url, _), visiting(url) as client:
        poll_url = create(client, key)
        answers: list[httpx.Response] = []

        def poll() -> None:
            answers.append(httpx.post(poll_url, json={}, headers=bearer(key), timeout=30))

        threads = [threading.Thread(target=poll) for _ in range(6)]
        for thread in threads:
            thread.start()
        ended = sign_in_and_out(client, PEOPLE[0])
        for thread in threads:
            thread.join(10)
        assert len(answers) == 6
        for answer in answers:
            (token,) = answer.json()["sets"].values()
            claims = jwt.decode(token, options={"verify_signature": False})
            assert claims["sub_id"]["session"]["id"] == ended


def test_a_server_that_stops_does_not_wait_for_those_who_poll(directory: Path, key: str) -> None:
    answers: list[httpx.Response] = []
    with serving(directory) as (url, process):
        with visiting(url) as client:
            poll_url = create(client, key)

        def poll() -> None:
            answers.append(httpx.post(poll_url, json={}, headers=bearer(key), timeout=30))

        thread = threading.Thread(target=poll)
        thread.start()
        time.sleep(0.3)  # it waits by now
        started = time.monotonic()
        process.terminate()
        process.wait(20)
        thread.join(10)
        assert time.monotonic() - started < 10
    assert answers[0].json() == {"sets": {}, "moreAvailable": False}


def test_the_configuration_is_at_the_root_of_the_server(directory: Path) -> None:
    with serving(directory) as (url, _), visiting(url) as client:
        document = client.get("/../.well-known/ssf-configuration").json()
        assert document["issuer"] == "http://127.0.0.1:8000"
        assert document["configuration_endpoint"] == f"{url}/signals/stream"
        assert client.get(document["jwks_uri"]).status_code == 200
