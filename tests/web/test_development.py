from typing import Any

import pytest

from coatcheck.web.development import check_local, host_name
from coatcheck.web.errors import MisdirectedRequestError, RemoteDevelopmentError


def scope(*hosts: str, client: str | None = "127.0.0.1") -> dict[str, Any]:
    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    return {"headers": headers, "client": None if client is None else (client, 50_000)}


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LocalHost:8000",
        "localhost.:8000",
        "app.localhost:8000",
        "127.0.0.1:8000",
        "[::1]",
        "[::1]:8000",
        "testserver",
        "dev.example:8000",
    ],
)
def test_a_name_of_this_machine_is_answered(host: str) -> None:
    check_local(scope(host), {"dev.example"})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "[::2]:8000",
        "0.0.0.0:8000",
        "",
        "evil.example#localhost",
        "user@localhost",
        "localhost:80@evil.example",
        "[::1]@evil.example",
        "localhost:8000/evil",
        "localhost:",
        "localhost:8000 ",
        "localhost\x1b[2J",
        "[::1",
    ],
)
def test_a_name_that_is_not_this_machines_is_refused(host: str) -> None:
    with pytest.raises(MisdirectedRequestError):
        check_local(scope(host), {"dev.example"})


def test_no_name_and_two_names_are_refused() -> None:
    for hosts in ((), ("localhost", "evil.example"), ("localhost", "localhost")):
        with pytest.raises(MisdirectedRequestError):
            check_local(scope(*hosts))


@pytest.mark.parametrize(
    "client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "testclient", "", None]
)
def test_a_client_on_this_machine_is_answered(client: str | None) -> None:
    check_local(scope("localhost", client=client))


@pytest.mark.parametrize(
    "client", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "198.51.100.1", "x"]
)
def test_a_client_elsewhere_is_refused(client: str) -> None:
    with pytest.raises(RemoteDevelopmentError):
        check_local(scope("localhost", client=client))


HANDED_ON = {
    "a proxy that names its client": {"x-forwarded-for": "198.51.100.7"},
    "several proxies": {"x-forwarded-for": "127.0.0.1, 198.51.100.7"},
    "a proxy with a header of its own": {"x-real-ip": "198.51.100.7"},
    "a tunnel that rewrites the host": {"x-forwarded-host": "abc.tunnel.example"},
    "a proxy that tells nothing, but the browser": {
        "sec-fetch-site": "same-origin",
        "origin": "https://app.example",
    },
}


@pytest.mark.parametrize("headers", HANDED_ON.values(), ids=HANDED_ON)
def test_development_that_a_proxy_on_this_machine_shows_to_the_world(headers: dict[str, str]) -> None:
    """The mails with everybody's links for new passwords would be there for all."""
    handed_on = scope("localhost:8000")
    handed_on["headers"] += [(name.encode(), value.encode()) for name, value in headers.items()]
    with pytest.raises(RemoteDevelopmentError):
        check_local(handed_on)
    on_purpose = scope("dev.example")
    on_purpose["headers"] += handed_on["headers"][1:]
    check_local(on_purpose, {"dev.example"})


def test_a_proxy_of_this_machine_for_this_machine_is_answered() -> None:
    headers = {
        "x-forwarded-for": "127.0.0.1, ::1",
        "x-forwarded-host": "localhost:5173",
        "origin": "http://localhost:5173",
        "sec-fetch-site": "same-origin",
    }
    handed_on = scope("localhost:8000")
    handed_on["headers"] += [(name.encode(), value.encode()) for name, value in headers.items()]
    check_local(handed_on)
    other_site = scope("localhost:8000")  # which is for the check of forged requests to judge
    other_site["headers"] += [(b"origin", b"https://app.example"), (b"sec-fetch-site", b"cross-site")]
    check_local(other_site)


def test_the_port_is_no_part_of_the_name() -> None:
    assert host_name("A.Example:443") == "a.example"
    assert host_name("[2001:DB8::1]:443") == "[2001:db8::1]"
