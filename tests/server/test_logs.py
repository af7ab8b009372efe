"""The log: what a line holds, and that no client writes one."""

import io
import json
import logging
import logging.config
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coatcheck.server.logs import ACCESS_LOGGER, TextFormatter, log_config
from coatcheck.server.settings import Settings
from coatcheck.web.request_ids import current_request_id, current_trace_id
from tests.server.operated import TOKEN, operating
from tests.server.test_processes import free_port, wait_for
from tests.web.sites import EMAIL, PASSWORD

NASTY = [
    'x\n{"level":"critical","message":"forged"}',
    "x\r\nERROR:    forged",
    "x\x1b[2J\x00\x7f\x08",
    "x\x85forged",
    "x\u2028forged\u2029",
    "x\u202eforged",
    "x\ud800forged",
    'x"}\\',
]
NAMES = ["json", "crlf", "escape", "nel", "separators", "direction", "surrogate", "quote"]
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\ud800-\udfff]")


class Log:
    """The configured log, into a text."""

    def __init__(self, **settings: Any) -> None:
        self.output = io.StringIO()
        config = log_config(Settings(**{"mode": "production", **settings}))
        for handler in config["handlers"].values():
            handler["stream"] = self.output
        logging.config.dictConfig(config)

    @property
    def lines(self) -> list[str]:
        return self.output.getvalue().splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    names = ("", "coatcheck", "uvicorn", ACCESS_LOGGER)
    loggers = [logging.getLogger(name) for name in names]
    before = [(each, each.level, each.handlers[:], each.propagate) for each in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate


@pytest.fixture
def named() -> Iterator[str]:
    token = current_request_id.set("the-name-of-it")
    yield "the-name-of-it"
    current_request_id.reset(token)


def test_a_line_of_json_has_its_fields_in_one_object(named: str) -> None:
    log = Log(log_format="json")
    trace = current_trace_id.set("0af7651916cd43dd8448eb211c80319c")
    logging.getLogger("coatcheck.web").info("refused %s", "it")
    current_trace_id.reset(trace)
    (record,) = log.records
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("time"))
    assert record == {
        "level": "info",
        "logger": "coatcheck.web",
        "message": "refused it",
        "request_id": named,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }


def test_a_line_of_text_has_the_name_of_its_request(named: str) -> None:
    log = Log()
    logging.getLogger("coatcheck.web").warning("it failed")
    current_request_id.set("")
    logging.getLogger("coatcheck.web").warning("it failed")
    assert log.lines == [f"WARNING:  it failed [{named}]", "WARNING:  it failed"]


@pytest.mark.parametrize("nasty", NASTY, ids=NAMES)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_text_makes_a_line_of_its_own(log_format: str, nasty: str) -> None:
    log = Log(log_format=log_format)
    logging.getLogger("coatcheck.web").error("said %s", nasty)
    logging.getLogger("coatcheck.web").error("met", exc_info=ValueError(nasty))
    written = log.output.getvalue()
    lines = written.removesuffix("\n").split("\n")
    assert not CONTROLS.search(written.replace("\n", ""))
    if log_format == "json":
        said, met = (json.loads(line) for line in lines)
        assert said["message"] == f"said {nasty}"
        assert nasty in met["exception"]
    else:
        assert [line[:5] for line in lines[:2]] == ["ERROR", "ERROR"]
        assert all(line.startswith("    ") for line in lines[2:])


@pytest.mark.anyio
@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_the_line_of_a_request_has_no_query_no_secret_and_no_forgery(log_format: str) -> None:
    log = Log(log_format=log_format)
    async with operating() as operated, operated.client() as client:
        await operated.site.add_user()
        paths = [
            "/auth/session?token=hunter2",
            "/auth/reset-password?token=hunter2&next=/",
            "/auth/%0a%7b%22forged%22%3a1%7d",
            "/auth/x%3Ftoken%3Dhunter2",
            "/auth/%E2%80%A8%C2%85%1b[2J",
        ]
        for path in paths:
            await client.get(path, headers={"authorization": "Bearer hunter2"})
        await client.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
        await client.post("/auth/sign-in", json={"email": EMAIL, "password": "hunter2-hunter2"})
        await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    written = log.output.getvalue()
    assert not [secret for secret in ("hunter2", PASSWORD, TOKEN) if secret in written]
    assert not CONTROLS.search(written.replace("\n", ""))
    assert all(line.startswith("{" if log_format == "json" else ("INFO", "WARNING")) for line in log.lines)
    assert "forged" in written  # as a text within a line


@pytest.mark.anyio
async def test_an_access_line_tells_what_a_request_was_and_who_sent_it() -> None:
    log = Log(log_format="json")
    async with operating(trusted_proxies=["10.0.0.0/8"]) as operated:
        headers = {"x-forwarded-for": "198.51.100.7", "x-request-id": "from-the-proxy"}
        async with operated.client(peer="10.0.0.1", headers=headers) as client:
            await client.get("/auth/session?x=1")
            await client.get("/healthz")
            await client.get("/readyz")
    refusal, *others = [each for each in log.records if each["logger"] in {"coatcheck.web", ACCESS_LOGGER}]
    (record,) = others  # of the probes there is none
    assert refusal["request_id"] == "from-the-proxy"
    assert record.pop("duration_ms") >= 0
    del record["time"]
    assert record == {
        "level": "info",
        "logger": ACCESS_LOGGER,
        "message": '198.51.100.7 - "GET /auth/session" 401',
        "request_id": "from-the-proxy",
        "method": "GET",
        "path": "/auth/session",
        "route": "/auth/session",
        "status": 401,
        "client": "198.51.100.7",
    }


def test_development_logs_warnings_only() -> None:
    log = Log(mode="development")
    logging.getLogger("coatcheck.web").info("refused")
    logging.getLogger(ACCESS_LOGGER).info("asked")
    logging.getLogger("coatcheck.mail").warning("late")
    assert log.lines == ["WARNING:  late"]


@pytest.mark.parametrize("options", [[], ["--no-access-log"], ["--workers", "2"]], ids=["one", "none", "two"])
def test_a_server_in_production_logs_json_alone(tmp_path: Path, options: list[str]) -> None:
    port = free_port()
    environment = {
        "COATCHECK_MODE": "production",
        "COATCHECK_BASE_URL": "https://id.example.com",
        "COATCHECK_SECRET": "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu",
        "COATCHECK_MAIL": "off",
        "COATCHECK_SIGN_UP": "closed",
        "COATCHECK_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(port), *options]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log) as process,
    ):
        wait_for(port, process)
        response = httpx.get(f"http://localhost:{port}/auth/session?token=hunter2")
        process.terminate()
    records = [json.loads(line) for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    asked = [each for each in records if each["logger"] == ACCESS_LOGGER and each["path"] == "/auth/session"]
    assert len(asked) == (0 if "--no-access-log" in options else 1)
    named = [each for each in records if each.get("request_id") == response.headers["x-request-id"]]
    assert [each["logger"] for each in named] == ["coatcheck.web", *(each["logger"] for each in asked)]
    assert "hunter2" not in str(records)


def test_colours_change_the_level_alone(named: str) -> None:
    log = Log()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(TextFormatter(use_colors=True))
    logging.getLogger("coatcheck.web").warning("it\nfailed")
    assert re.sub("\x1b\\[[0-9]+m", "", log.output.getvalue()) == f"WARNING:  it\\nfailed [{named}]\n"
