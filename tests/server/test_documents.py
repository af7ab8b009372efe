"""Fetching what a stranger names: nothing inside of a network is reached by it, and nothing else is done for it."""

import asyncio
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coatcheck.flows.provider.client_keys import keys_of
from coatcheck.flows.provider.metadata_documents import client_by_document
from coatcheck.flows.signal_endpoints import Address
from coatcheck.identity import Client
from coatcheck.jose import Key
from coatcheck.oauth.documents import DocumentError
from coatcheck.oauth.model import OAuthClient
from coatcheck.server import documents
from coatcheck.server.documents import Documents, fresh_for
from coatcheck.server.places import Places
from coatcheck.server.server import open_flows
from coatcheck.server.settings import Settings, load_settings
from tests.server.documents_served import Page, Web, web
from tests.server.test_signal_delivery import certificate, resolver

INSIDE = {
    "this-machine": ["127.0.0.1"],
    "all-of-127": ["127.255.255.254"],
    "this-machine-ipv6": ["::1"],
    "unspecified": ["0.0.0.0"],  # noqa: S104 - not bound to
    "unspecified-ipv6": ["::"],
    "private-10": ["10.0.0.1"],
    "private-172": ["172.16.0.1"],
    "private-192": ["192.168.0.1"],
    "shared-address-space": ["100.64.0.1"],
    "metadata-of-clouds": ["169.254.169.254"],
    "metadata-of-clouds-ipv6": ["fd00:ec2::254"],
    "link-local-ipv6": ["fe80::1"],
    "unique-local-ipv6": ["fc00::1"],
    "site-local-ipv6": ["fec0::1"],
    "ietf-protocol-assignments": ["192.0.0.8"],
    "documentation": ["192.0.2.1"],
    "documentation-ipv6": ["2001:db8::1"],
    "new-documentation-ipv6": ["3fff::1"],
    "benchmarking": ["198.18.0.1"],
    "multicast": ["224.0.0.1"],
    "multicast-ipv6": ["ff02::1"],
    "broadcast": ["255.255.255.255"],
    "reserved": ["240.0.0.1"],
    "discard-only": ["100::1"],
    "ipv4-mapped": ["::ffff:127.0.0.1"],
    "ipv4-mapped-private": ["::ffff:10.0.0.1"],
    "ipv4-compatible": ["::127.0.0.1"],
    "nat64": ["64:ff9b::7f00:1"],
    "nat64-private": ["64:ff9b::a00:1"],
    "nat64-local-use": ["64:ff9b:1::7f00:1"],
    "6to4": ["2002:7f00:1::"],
    "teredo": ["2001:0:7f00:1::"],
    "segment-routing": ["5f00::1"],
    "one-of-several": ["93.184.215.14", "127.0.0.1"],
}


def refusal(fetching: Coroutine[Any, Any, object]) -> str:
    """What the log is told; the client is told one thing whatever it was."""
    with pytest.raises(DocumentError) as caught:
        asyncio.run(fetching)
    assert caught.value.message == "A document that the client names cannot be fetched."
    return caught.value.detail or ""


async def never(host: str, port: int) -> Sequence[Address]:
    raise AssertionError(host, port)


class TestServerSideRequestForgery:
    @pytest.mark.parametrize("addresses", INSIDE.values(), ids=INSIDE.keys())
    def test_a_name_that_leads_inside_is_not_connected_to(self, addresses: list[str]) -> None:
        fetcher = Documents(development=False, resolver=resolver(*addresses))
        assert refusal(fetcher.fetch("https://app.example/jwks")) == "blocked_address"

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0"],  # noqa: S104 - not bound to
    )
    def test_an_address_inside_is_not_even_resolved(self, host: str) -> None:
        fetcher = Documents(development=False, resolver=never)
        assert refusal(fetcher.fetch(f"https://{host}/jwks")) == "it is no URL that is asked for"

    @pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost"])
    def test_an_address_in_disguise_is_seen_through_by_the_systems_own_resolver(self, host: str) -> None:
        with web() as site:
            detail = refusal(Documents(development=False).fetch(f"https://{host}:{site.port}/"))
            assert detail in {"blocked_address", "gaierror"}
            assert site.requests == []

    def test_dns_rebinding_the_name_is_resolved_once_and_that_address_is_connected_to(
        self, tmp_path: Path
    ) -> None:
        asked: list[str] = []

        async def rebinding(host: str, port: int) -> Sequence[Address]:
            asked.append(host)
            # What was good when it was looked at would lead elsewhere the next time.
            return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.66")]

        with tls_web(tmp_path) as (site, trust):
            site.pages["/jwks"] = Page(b"[]")
            fetcher = Documents(development=True, resolver=rebinding, trust=trust)
            found = asyncio.run(fetcher.fetch(f"https://receiver.example:{site.port}/jwks"))
            assert found == b"[]"
            assert asked == ["receiver.example"]
            assert site.requests[0][1]["host"] == f"receiver.example:{site.port}"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with web() as inside, web() as site:
            there = f"http://127.0.0.1:{inside.port}/secret"
            site.pages["/jwks"] = Page(status=status, headers={"Location": there})
            assert refusal(fetched(site)) == f"the answer is {status}"
            assert inside.requests == []

    @pytest.mark.parametrize(
        "url",
        [
            "http://app.example/",
            "file:///etc/passwd",
            "ftp://app.example/",
            "gopher://app.example/",
            "https://user@app.example/",
            "https://app.example\\@127.0.0.1/",
            "https://app.example/#x",
            "https:///x",
            "https://app.example:99999/",
            "//app.example/",
            "https://app.example/\r\nX: y",
            "https://äpp.example/",
            "",
        ],
    )
    def test_only_https_urls_of_one_reading_are_asked_for(self, url: str) -> None:
        assert (
            refusal(Documents(development=False, resolver=never).fetch(url))
            == "it is no URL that is asked for"
        )

    def test_in_development_another_machine_is_asked_by_https_only(self) -> None:
        fetcher = Documents(development=True, resolver=resolver("93.184.215.14"))
        assert refusal(fetcher.fetch("http://app.example/")) == "blocked_address"

    def test_the_certificate_is_that_of_the_name(self, tmp_path: Path) -> None:
        with tls_web(tmp_path, "other.example") as (site, trust):
            fetcher = Documents(development=True, resolver=resolver("127.0.0.1"), trust=trust)
            url = f"https://receiver.example:{site.port}/jwks"
            assert refusal(fetcher.fetch(url)) == "ConnectError"
            assert site.requests == []

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path) -> None:
        with tls_web(tmp_path) as (site, _):
            fetcher = Documents(development=True, resolver=resolver("127.0.0.1"))
            url = f"https://receiver.example:{site.port}/jwks"
            assert refusal(fetcher.fetch(url)) == "ConnectError"

    def test_a_proxy_of_the_environment_is_not_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with web() as proxy, web() as site:
            site.pages["/jwks"] = Page(b"{}")
            for name in ("HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert asyncio.run(fetched(site)) == b"{}"
            assert proxy.requests == []

    def test_a_name_without_addresses_leads_nowhere(self) -> None:
        assert (
            refusal(Documents(development=False, resolver=resolver()).fetch("https://a.example/"))
            == "gaierror"
        )


class TestExhaustion:
    @pytest.mark.parametrize("another", ["127.0.1.1", "127.7.0.1"])
    def test_attack_slow_hosts_of_one_network_keep_no_other_waiting(self, another: str) -> None:
        with web() as slow, web(address=another) as quick:
            release = threading.Event()
            slow.pages["/jwks"] = Page(b"{", announced=False, hold=release)
            quick.pages["/jwks"] = Page(b"[]")
            addresses = {slow.port: "127.0.0.1", quick.port: another}

            async def by_port(_: str, port: int) -> Sequence[Address]:
                return [ipaddress.ip_address(addresses[port])]

            async def body() -> bytes:
                fetcher = Documents(development=True, resolver=by_port)
                waiting = [
                    asyncio.create_task(fetcher.fetch(f"http://localhost:{slow.port}/jwks"))
                    for _ in range(200)
                ]
                while len(slow.requests) < 4:  # noqa: ASYNC110 - what is waited for happens in another thread
                    await asyncio.sleep(0.005)
                found = await fetcher.fetch(f"http://localhost:{quick.port}/jwks")
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
                return found

            assert asyncio.run(body()) == b"[]"
            assert len(slow.requests) == 4
            release.set()

    def test_attack_slow_name_servers_leave_the_threads_of_mail_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release, asked = threading.Event(), threading.Semaphore(0)

        def slow(*_: object, **__: object) -> list[object]:
            asked.release()
            release.wait(30)
            return []

        async def body() -> str:
            fetcher = Documents(development=False)
            waiting = [asyncio.create_task(fetcher.fetch(f"https://{n}.example/")) for n in range(100)]
            await asyncio.sleep(0)
            found = await asyncio.to_thread(lambda: "sent" if asked.acquire(timeout=30) else "never asked")
            for each in waiting:
                each.cancel()
            release.set()
            await asyncio.gather(*waiting, return_exceptions=True)
            return found

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        assert asyncio.run(body()) == "sent"

    def test_more_than_64_kib_are_not_read_though_they_were_not_announced(self) -> None:
        with web() as site:
            site.pages["/jwks"] = Page(b" " * 65_537, announced=False)
            assert "more than 65536" in refusal(fetched(site))
            site.pages["/jwks"] = Page(b" " * 65_536, announced=False)
            assert len(asyncio.run(fetched(site))) == 65_536

    def test_more_that_is_announced_is_not_waited_for(self) -> None:
        held = threading.Event()
        with web() as site:
            headers = {"Content-Type": "application/json", "Content-Length": "9999999"}
            site.pages["/jwks"] = Page(b"", headers=headers, announced=False, hold=held)
            assert "more than 65536" in refusal(fetched(site))
            held.set()

    def test_a_compressed_document_is_not_unpacked(self) -> None:
        with web() as site:
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            site.pages["/jwks"] = Page(b"\x1f\x8b", headers=headers)
            assert refusal(fetched(site)) == "it is compressed"
            assert site.requests[0][1]["accept-encoding"] == "identity"

    def test_one_that_sends_slowly_is_left_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "_DEADLINE", 0.2)
        held = threading.Event()
        with web() as site:
            site.pages["/jwks"] = Page(b" " * 10, announced=False, hold=held)
            assert refusal(fetched(site)) == "TimeoutError"
            held.set()

    def test_a_name_server_that_never_answers_is_left_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "_DEADLINE", 0.05)

        async def silent(host: str, port: int) -> Sequence[Address]:
            await asyncio.Event().wait()
            raise AssertionError

        assert (
            refusal(Documents(development=False, resolver=silent).fetch("https://a.example/"))
            == "TimeoutError"
        )

    @pytest.mark.parametrize(
        "addresses, most",
        [
            (["198.51.100.1", "198.51.100.254"], 2),
            (["198.51.100.1", "198.51.101.1"], 3),
            (["2001:db8:1::1", "2001:db8:1:ffff::1"], 2),
            (["2001:db8:1::1", "2001:db8:2::1"], 3),
        ],
        ids=["one IPv4 network", "two of IPv4", "one IPv6 network", "two of IPv6"],
    )
    def test_not_more_than_some_are_fetched_at_once(self, addresses: list[str], most: int) -> None:
        running: list[int] = []
        at_once: list[int] = []

        async def hold(places: Places, number: int) -> None:
            async with places.taken(ipaddress.ip_address(addresses[number % 2])):
                running.append(number)
                at_once.append(len(running))
                for _ in range(5):
                    await asyncio.sleep(0)
                running.remove(number)

        async def many() -> None:
            places = Places(most=3, each=2)
            await asyncio.gather(*(hold(places, number) for number in range(20)))

        asyncio.run(many())
        assert max(at_once) == most
        assert len(at_once) == 20


class TestAnswers:
    @pytest.mark.parametrize("status", [204, 206, 400, 401, 404, 500])
    def test_only_200_is_an_answer(self, status: int) -> None:
        with web() as site:
            site.pages["/jwks"] = Page(b"", status=status)
            assert refusal(fetched(site)) == f"the answer is {status}"

    @pytest.mark.parametrize("kind", ["text/html", "text/plain", "", "application/jose+json", "json"])
    def test_what_is_of_another_kind_is_not_taken(self, kind: str) -> None:
        with web() as site:
            site.pages["/jwks"] = Page(headers={"Content-Type": kind})
            assert refusal(fetched(site)) == "it is of another media type"

    @pytest.mark.parametrize(
        "kind", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"]
    )
    def test_kinds_of_json_are_taken_where_they_are_asked_for(self, kind: str) -> None:
        with web() as site:
            site.pages["/jwks"] = Page(b"[]", headers={"Content-Type": kind})
            fetching = Documents(development=True).fetch(
                f"http://127.0.0.1:{site.port}/jwks", accept=("application/json", "application/*+json")
            )
            assert asyncio.run(fetching) == b"[]"

    def test_of_several_addresses_one_that_answers_is_enough(self) -> None:
        with web() as site:
            site.pages["/jwks"] = Page(b"[]")
            fetcher = Documents(development=True, resolver=resolver("127.0.0.2", "127.0.0.1"))
            assert asyncio.run(fetcher.fetch(f"http://app.test:{site.port}/jwks")) == b"[]"

    def test_one_that_speaks_no_http_is_no_failure_of_ours(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=_babble, args=(listener,), daemon=True)
            thread.start()
            port = listener.getsockname()[1]
            detail = refusal(Documents(development=True).fetch(f"http://127.0.0.1:{port}/"))
            assert detail in {"RemoteProtocolError", "ReadError"}
            thread.join()

    @pytest.mark.parametrize(
        "headers, seconds",
        [
            ({}, None),
            ({"cache-control": "max-age=60"}, 60),
            ({"cache-control": "public, Max-Age=60, must-revalidate"}, 60),
            ({"cache-control": "max-age=60", "age": "20"}, 40),
            ({"cache-control": "max-age=60", "age": "99"}, 0),
            ({"cache-control": "max-age=60", "age": "x"}, 60),
            ({"cache-control": "no-store, max-age=60"}, 0),
            ({"cache-control": "no-cache"}, 0),
            ({"cache-control": "max-age=99999999999"}, 999_999_999),
            (
                {"date": "Fri, 15 Jan 2027 08:00:00 GMT", "expires": "Fri, 15 Jan 2027 08:01:00 GMT"},
                60,
            ),
            ({"date": "Fri, 15 Jan 2027 08:00:00 GMT", "expires": "0"}, 0),
            ({"expires": "Fri, 15 Jan 2027 08:01:00 GMT"}, 0),
        ],
        ids=str,
    )
    def test_how_long_it_may_be_kept_is_as_its_server_says(
        self, headers: dict[str, str], seconds: int | None
    ) -> None:
        assert fresh_for(httpx.Headers(headers)) == seconds


@contextmanager
def tls_web(directory: Path, name: str = "receiver.example") -> Iterator[tuple[Web, ssl.SSLContext]]:
    chain, private = certificate(directory, name)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(chain, private)
    with web(tls=theirs) as site:
        yield site, ssl.create_default_context(cafile=chain)


class TestDevelopment:
    """With the real parts: a server of development, and a client's own web server on the same machine."""

    def settings(self, directory: Path) -> Settings:
        return load_settings(environment={}, directory=directory, database=str(directory / "coatcheck.db"))

    def test_a_client_describes_itself_on_this_machine(self, tmp_path: Path) -> None:
        async def body() -> None:
            with web() as site:
                client_id = f"http://localhost:{site.port}/client.json"
                document = {
                    "client_id": client_id,
                    "redirect_uris": ["http://localhost:4321/callback"],
                    "id_token_signed_response_alg": "ES256",
                }
                headers = {"Content-Type": "application/json", "Cache-Control": "max-age=600"}
                site.pages["/client.json"] = Page(json.dumps(document).encode(), headers=headers)
                async with open_flows(self.settings(tmp_path)) as flows:
                    for _ in range(2):
                        found = await client_by_document(flows.context, client_id, client=Client())
                        assert found is not None
                        assert found.redirect_uris == ("http://localhost:4321/callback",)
                assert len(site.requests) == 1

        asyncio.run(body())

    def test_a_client_has_its_keys_on_this_machine(self, tmp_path: Path) -> None:
        key = Key.generate("ES256", kid="k")

        async def body() -> None:
            with web() as site:
                url = f"http://localhost:{site.port}/jwks"
                jwks = json.dumps({"keys": [key.to_jwk()]}).encode()
                site.pages["/jwks"] = Page(jwks, headers={"Content-Type": "application/jwk-set+json"})
                client = OAuthClient(id="c", name="C", created_at=0, jwks_uri=url)
                async with open_flows(self.settings(tmp_path)) as flows:
                    (found,) = await keys_of(flows.context, client, algorithm="ES256", kid="k")
                assert found.thumbprint() == key.thumbprint()

        asyncio.run(body())


async def fetched(site: Web) -> bytes:
    return await Documents(development=True).fetch(f"http://127.0.0.1:{site.port}/jwks")


def _babble(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 ready\r\n")
