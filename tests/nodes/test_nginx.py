"""nginx as it is shipped: what it lets through, what it replaces, and what it never sends a second time."""

import re
import socket
import ssl
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.nodes.cluster import HOST, Cluster, Nginx, until
from tests.nodes.people import BROWSER, PEOPLE, sign_in
from tests.nodes.stand_ins import StandIn, standing_in


@pytest.fixture
def browser(cluster: Cluster) -> Iterator[httpx.Client]:
    with cluster.nginx.client(**BROWSER) as found:
        yield found


def raw(port: int, request: bytes, *, trust: ssl.SSLContext | None = None) -> bytes:
    """Send octets that no client would, and return the answer."""
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        if trust is not None:
            connection = stack.enter_context(trust.wrap_socket(connection, server_hostname=HOST))
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


def test_plain_http_leads_to_https_by_the_name_that_is_configured(cluster: Cluster) -> None:
    request = f"GET /auth/sign-in?a=b HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    answer = raw(cluster.nginx.plain_port, request.encode()).decode()
    assert answer.startswith("HTTP/1.1 301 ")
    assert f"Location: https://{HOST}/auth/sign-in?a=b\r\n" in answer


def test_another_host_is_not_answered(cluster: Cluster) -> None:
    request = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert raw(cluster.nginx.plain_port, request) == b""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", cluster.nginx.port)) as connection,
        pytest.raises(ssl.SSLError),
    ):
        anybody.wrap_socket(connection, server_hostname="evil.example")


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/readyz",
        "/healthz",
        "//metrics",
        "/%6detrics",
        "/./readyz",
        "/auth/../metrics",
        "/auth/%2e%2e/readyz",
        "/auth/..%2freadyz",
        "/.well-known/..//healthz",
        "/metrics/",
        "/metrics?x=/auth/",
    ],
)
def test_what_is_for_operators_is_not_public(cluster: Cluster, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    answer = raw(cluster.nginx.port, request.encode(), trust=cluster.nginx.trust)
    assert answer.startswith(b"HTTP/1.1 404 "), answer
    assert b"coatcheck_" not in answer
    assert not answer.endswith(b"ok\n")


@pytest.mark.parametrize("path", ["/", "/auth/sign-in", "/.well-known/openid-configuration"])
def test_what_is_public_is_reached(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code in {200, 303}


def test_what_clients_say_of_their_address_is_replaced(cluster: Cluster, browser: httpx.Client) -> None:
    claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    response = browser.get("/auth/session", headers=claims)
    name = response.headers["x-request-id"]
    (node,) = [node for node in cluster.nodes if node.port == cluster.nginx.node_of(response)]

    def lines() -> list[str]:
        asked = '"GET /auth/session"'
        return [line for line in node.log().splitlines() if name in line and asked in line]

    until(lambda: lines() != [])
    (line,) = lines()
    assert "203.0.113.9" not in line
    assert "127.0.0.1" in line


def test_names_of_requests_are_given_by_nginx(browser: httpx.Client) -> None:
    given = "chosen-by-the-client"
    name = browser.get("/auth/sign-in", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert name != given
    assert re.fullmatch("[0-9a-f]{32}", name)


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/session", "/nowhere"])
def test_no_security_header_is_there_twice(browser: httpx.Client, path: str) -> None:
    names = [name.lower() for name, _ in browser.get(path).headers.multi_items()]
    assert names.count("strict-transport-security") == 1
    single = [name for name in names if name != "set-cookie"]
    assert sorted(single) == sorted(set(single))


def test_a_body_that_is_too_large_is_refused_by_a_node_and_far_too_large_by_nginx(
    browser: httpx.Client,
) -> None:
    ours = browser.post("/auth/sign-in", content=b"x" * 70_000, headers={"Accept": "application/json"})
    assert (ours.status_code, ours.headers["content-type"]) == (413, "application/problem+json")
    assert browser.post("/auth/sign-in", content=b"x" * 140_000).status_code == 413


def test_long_authorization_requests_pass_and_endless_ones_do_not(browser: httpx.Client) -> None:
    assert browser.get("/auth/authorize", params={"state": "x" * 12_000}).status_code == 400
    assert browser.get("/auth/authorize", params={"state": "x" * 20_000}).status_code == 414


def test_secrets_of_links_are_in_no_log(cluster: Cluster, browser: httpx.Client) -> None:
    secret = "a-secret-of-a-link-in-a-mail"
    response = browser.get("/auth/reset-password", params={"token": secret})
    assert cluster.nginx.node_of(response)
    assert secret not in cluster.nginx.access_log()
    assert not any(secret in node.log() for node in cluster.nodes)


def claims_in(stream: httpx.Response) -> Iterator[str]:
    """Yield what the events of the ledger say, each of which is a signed token."""
    for line in stream.iter_lines():
        if line.startswith("data: ") and line.count(".") == 2:
            payload = line.split(".")[1]
            yield urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


def test_the_ledger_arrives_as_it_grows(cluster: Cluster, browser: httpx.Client) -> None:
    key = cluster.command("service", "add", "orders", "--json")["key"]
    sign_in(browser, PEOPLE[7])
    session = browser.get("/auth/session").json()["session"]["id"]
    with (
        cluster.nginx.client(Authorization=f"Bearer {key}") as reader,
        reader.stream("GET", "/auth/ledger", params={"nonce": "n" * 16}) as stream,
    ):
        assert stream.status_code == 200
        claims = claims_in(stream)
        assert session not in next(claims)  # what there was; it is here, and the stream goes on
        assert browser.post("/auth/sign-out").status_code == 303
        # Whichever node serves this stream, and whichever was signed out at.
        assert any(session in each for each in claims)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def ask_in_turn(nginx: Nginx, method: str, *, times: int) -> list[int]:
    with nginx.client() as client:
        return [client.request(method, "/auth/sign-in", content=b"a=b").status_code for _ in range(times)]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_have_been_executed_is_sent_to_nobody_else(directory: Path, method: str) -> None:
    with standing_in("hangs up", "answers", "answers") as nodes:
        nginx = Nginx(directory, nodes)
        nginx.start()
        try:
            statuses = ask_in_turn(nginx, method, times=6)
        finally:
            nginx.end()
    sent = [len(node.requests) for node in nodes if isinstance(node, StandIn)]
    assert sorted(set(statuses)) == [200, 502]
    assert statuses.count(502) == sent[0]
    assert sum(sent) == len(statuses)  # each went to one node


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_changes_nothing_is_asked_of_the_next_node(directory: Path, method: str) -> None:
    with standing_in("hangs up", "answers", "answers") as nodes:
        nginx = Nginx(directory, nodes)
        nginx.start()
        try:
            assert ask_in_turn(nginx, method, times=6) == [200] * 6
        finally:
            nginx.end()
        assert isinstance(nodes[0], StandIn)
        assert nodes[0].requests


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nodes_that_cannot_be_connected_to_cost_nobody_an_answer(directory: Path, method: str) -> None:
    with standing_in("refuses", "refuses", "answers") as nodes:
        nginx = Nginx(directory, nodes)
        nginx.start()
        try:
            assert ask_in_turn(nginx, method, times=8) == [200] * 8
        finally:
            nginx.end()
