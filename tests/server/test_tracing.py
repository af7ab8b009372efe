"""Spans: what they tell, whose trace they join, and that nothing of it is loaded when it is off."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from coatcheck.server import server as composition
from coatcheck.server.errors import SettingsError
from coatcheck.server.logs import RequestNames
from coatcheck.server.tracing import TracedStorage, Tracing, open_tracing
from coatcheck.storage.memory import MemoryStorage
from coatcheck.web.clients import Network
from tests.server.operated import Operated, operating
from tests.web.sites import EMAIL, PASSWORD

PROXY = "10.0.0.1"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def opened(trusted_proxies: tuple[Network, ...] = ()) -> Tracing:
        return Tracing(provider.get_tracer("test"), trusted_proxies)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "open_tracing", opened)
        yield exporter
    provider.shutdown()


@pytest.fixture
async def operated(exporter: InMemorySpanExporter) -> AsyncIterator[Operated]:
    async with operating(tracing="on", trusted_proxies=["10.0.0.0/8"]) as operated:
        yield operated


def of_requests(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [each for each in exporter.get_finished_spans() if each.kind is SpanKind.SERVER]


@pytest.mark.anyio
async def test_a_span_tells_method_route_and_status_and_nothing_of_who_asks(
    operated: Operated, exporter: InMemorySpanExporter
) -> None:
    await operated.site.add_user()
    async with operated.client() as client:
        await client.get("/auth/session?token=hunter2", headers={"authorization": "Bearer hunter2"})
        await client.get("/auth/hunter2")
        await client.request("HUNTER2", "/auth/session")
        await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
    spans = of_requests(exporter)
    assert [each.name for each in spans] == [
        "GET /auth/session",
        "GET other",
        "other /auth/session",
        "POST /auth/sign-in",
    ]
    assert dict(spans[0].attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/auth/session",
        "http.response.status_code": 401,
        "url.scheme": "https",
    }
    assert (spans[2].attributes or {})["http.request.method"] == "_OTHER"
    told = "".join(each.to_json() for each in exporter.get_finished_spans())
    assert not [secret for secret in ("hunter2", "HUNTER2", EMAIL, PASSWORD) if secret in told]


@pytest.mark.anyio
async def test_a_transaction_of_the_storage_is_within_the_span_of_its_request(
    operated: Operated, exporter: InMemorySpanExporter
) -> None:
    await operated.site.add_user()
    async with operated.client() as client:
        await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
    (request,) = of_requests(exporter)
    within = [each for each in exporter.get_finished_spans() if each.kind is SpanKind.INTERNAL]
    assert {each.name for each in within} == {"storage transaction"}
    assert request.context is not None
    assert {each.parent and each.parent.span_id for each in within} == {request.context.span_id}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "peer, sent, joins",
    [
        (PROXY, [TRACEPARENT], True),
        ("203.0.113.9", [TRACEPARENT], False),
        (PROXY, ["00-nonsense"], False),
        (PROXY, [TRACEPARENT, TRACEPARENT], False),
        (PROXY, [], False),
    ],
    ids=["proxy", "stranger", "nonsense", "twice", "none"],
)
async def test_only_a_trusted_proxy_has_its_trace_joined(
    operated: Operated, exporter: InMemorySpanExporter, peer: str, sent: list[str], *, joins: bool
) -> None:
    async with operated.client(peer=peer) as client:
        await client.get("/healthz", headers=[("traceparent", value) for value in sent])
    (span,) = of_requests(exporter)
    assert span.context is not None
    assert (f"{span.context.trace_id:032x}" == TRACE) is joins
    assert (span.parent is not None and f"{span.parent.span_id:016x}" == PARENT) is joins


@pytest.mark.anyio
async def test_a_failure_is_an_error_without_its_words(
    operated: Operated, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("hunter2")

    monkeypatch.setattr(operated.server.gate, "find", fail)
    async with operated.client(headers={"authorization": "Bearer x"}) as client:
        assert (await client.get("/auth/session")).status_code == 500
    (span,) = of_requests(exporter)
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "500"
    assert "hunter2" not in span.to_json()


@pytest.mark.anyio
async def test_the_log_names_the_trace(
    operated: Operated, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(RequestNames())
    caplog.set_level("INFO", "coatcheck.web")
    async with operated.client() as client:
        await client.get("/auth/session")
    (span,) = of_requests(exporter)
    assert span.context is not None
    assert [vars(each)["trace_id"] for each in caplog.records if each.name == "coatcheck.web"] == [
        f"{span.context.trace_id:032x}"
    ]


@pytest.mark.anyio
async def test_a_traced_storage_is_the_storage(exporter: InMemorySpanExporter) -> None:
    storage = MemoryStorage()
    traced = TracedStorage(storage, Tracing(TracerProvider().get_tracer("test")))
    woken: list[bool] = []
    traced.watch(lambda: woken.append(True))
    assert traced.records is storage.records
    await traced.change_throttles(["key"], lambda _: {"key": 5.0})
    assert await storage.records.read_throttles(["key"]) == {"key": 5.0}
    before = traced.version()
    async with traced.transaction("somebody") as records:
        await records.append_entries([])
    assert traced.version() >= before
    assert traced.facts() == {}
    vars(storage)["facts"] = lambda: {"pool_size": 3.0}
    assert traced.facts() == {"pool_size": 3.0}
    await traced.close()


def test_tracing_without_a_tracer_of_the_operator_s_records_nothing_and_works() -> None:
    tracing = open_tracing()
    scope: dict[str, Any] = {"type": "http", "headers": [], "client": None, "scheme": "https"}
    with tracing.request(scope, route="/", method="GET") as span:
        span.answered(200)
        assert span.trace_id == ""


def test_tracing_without_opentelemetry_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SettingsError, match=r"pip install 'coatcheck\[opentelemetry\]'"):
        open_tracing()


def test_nothing_of_opentelemetry_is_loaded_when_tracing_is_off() -> None:
    program = (
        "import sys; from coatcheck.server import Server, load_settings; "
        "from coatcheck.storage.memory import MemoryStorage; "
        "from coatcheck.server.standalone import make_application; "
        "settings = load_settings(environment={}, secret='x' * 32); "
        "make_application(settings, server=Server(settings, storage=MemoryStorage())); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    command = [sys.executable, "-c", program]
    environment = {"PATH": os.environ.get("PATH", "")}
    result = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert result.stdout == "[]\n"
