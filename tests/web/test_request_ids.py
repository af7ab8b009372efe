"""The names of requests: who may give them, and where they show."""

import ipaddress
import re
from typing import Any

import pytest

from coatcheck.web.request_ids import RequestIds, current_request_id
from tests.server.operated import operating

PROXY = "10.1.2.3"
TRUSTED = (ipaddress.ip_network("10.0.0.0/8"),)
NEW = re.compile(r"[0-9a-f]{24}")


def scope(*values: bytes, peer: str | None = PROXY) -> Any:
    headers = [(b"host", b"example.com"), *((b"x-request-id", value) for value in values)]
    return {"headers": headers, "client": None if peer is None else (peer, 1)}


@pytest.mark.parametrize("given", [b"abcdefgh", b"A.b_c-9" * 18, b"0" * 128], ids=["short", "mixed", "long"])
def test_a_trusted_proxy_names_requests(given: bytes) -> None:
    assert RequestIds(TRUSTED).of(scope(given)) == given.decode()


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"short",
        b"a" * 129,
        b"with space",
        b"new\nline1",
        b"semi;colon",
        b"umlaut\xc3\xa4\xc3\xa4",
        b'{"a":"b"}',
        b"abcdefgh\n",
    ],
    ids=["empty", "short", "long", "space", "line", "semicolon", "umlaut", "json", "end"],
)
def test_not_even_a_proxy_names_them_in_another_form(given: bytes) -> None:
    assert NEW.fullmatch(RequestIds(TRUSTED).of(scope(given)))


@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1", "nonsense", None])
def test_a_stranger_does_not_name_them(peer: str | None) -> None:
    assert NEW.fullmatch(RequestIds(TRUSTED).of(scope(b"chosen-by-me", peer=peer)))


def test_without_trusted_proxies_nobody_names_them() -> None:
    assert NEW.fullmatch(RequestIds().of(scope(b"chosen-by-me")))


def test_two_names_are_none() -> None:
    assert NEW.fullmatch(RequestIds(TRUSTED).of(scope(b"chosen-by-me", b"chosen-by-me")))


def test_no_two_requests_have_the_same_new_name() -> None:
    ids = RequestIds()
    assert len({ids.of(scope()) for _ in range(2000)}) == 2000


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/auth/session", "/healthz", "/nowhere", "/auth/keys", "/metrics"])
async def test_every_answer_carries_the_name_once(path: str) -> None:
    async with operating(trusted_proxies=["10.0.0.0/8"]) as operated:
        async with operated.client(peer=PROXY, headers={"x-request-id": "from-the-proxy"}) as client:
            for _ in range(2):  # the second time, some answers are written out already
                response = await client.get(path)
                assert response.headers.get_list("x-request-id") == ["from-the-proxy"]
        async with operated.client(headers={"x-request-id": "from-a-stranger"}) as client:
            (name,) = (await client.get(path)).headers.get_list("x-request-id")
    assert NEW.fullmatch(name)
    assert current_request_id.get() == ""


@pytest.mark.anyio
async def test_a_failure_is_told_under_the_name_of_its_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with operating() as operated, operated.client(headers={"accept": "application/json"}) as client:

        async def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(operated.server.gate, "require", fail)
        monkeypatch.setattr(operated.server.gate, "find", fail)
        response = await client.get("/auth/session")
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.headers["x-request-id"] in caplog.text
