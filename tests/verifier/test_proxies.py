"""Proxies that the environment names: over plain http they are asked for nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from coatcheck.verifier import Verifier
from coatcheck.verifier.transport import client_options
from tests.verifier.issuer import API
from tests.verifier.server import Server, serving

server = pytest.fixture(serving)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_gets_neither_the_key_nor_a_say_over_plain_http(
    server: Server, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    proxy = Server()
    for name in ("NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable.lower(), proxy.url)
    secret = {"Cookie": "__Host-coatcheck=" + "x" * 43}

    async def in_tasks() -> None:
        async with Verifier(server.url, audience=API, key="cck_key", cookies="session") as verifier:
            await verifier.ready()
            assert await verifier.authenticate_async(secret) is None

    try:
        with Verifier(server.url, audience=API, key="cck_key", cookies="session") as verifier:
            verifier.wait_until_ready()
            assert verifier.authenticate(secret) is None
        asyncio.run(in_tasks())
        assert proxy.requests == []
        assert len(server.forms) == 2
    finally:
        proxy.stop()


def test_a_proxy_passes_on_what_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with httpx.Client(**client_options()) as client:
        to = client._transport_for_url
        assert to(httpx.URL("https://id.example/")) is not client._transport
        assert to(httpx.URL("http://id.example/")) is client._transport
