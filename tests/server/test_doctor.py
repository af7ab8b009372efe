import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from coatcheck.server.doctor import (
    Answer,
    Facts,
    FileFacts,
    Finding,
    KeyFacts,
    ask_deployment,
    collect_facts,
    diagnose,
)
from coatcheck.server.doctor_requests import FOREIGN_HOST, FOREIGN_ORIGIN
from coatcheck.server.server import Server
from coatcheck.server.settings import Settings

NOW = 1_800_000_000.0
URL = "https://app.example.com"
KEYS = b'{"keys":[{"kty":"EC","kid":"k1","x":"","y":""}]}'
PRODUCTION = Settings(mode="production", base_url=URL, trusted_proxies=("127.0.0.1/32",))
HEADERS = (
    ("date", format_datetime(datetime.fromtimestamp(NOW, UTC), usegmt=True)),
    ("cache-control", "no-store"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("set-cookie", "__Host-coatcheck-csrf=x; Secure; Path=/; SameSite=Lax"),
)
PAGE = Answer(url=f"{URL}/auth/sign-in", status=200, headers=HEADERS, body=b"<!doctype html>", at=NOW)
GOOD = {
    "page": PAGE,
    "keys": replace(PAGE, url=f"{URL}/auth/.well-known/jwks.json", body=KEYS),
    "forged": PAGE,
    "origin": replace(PAGE, body=KEYS),
    "plain": replace(PAGE, status=308, headers=(("location", f"{URL}/auth/sign-in"),)),
}
HEALTHY = Facts(
    settings=PRODUCTION,
    files=(FileFacts(path="coatcheck.db", mode=0o600),),
    keys=KeyFacts(count=1, newest_at=NOW - 86_400),
    answers=GOOD,
)


def codes(facts: Facts) -> list[tuple[str, str]]:
    return [(finding.level, finding.code) for finding in diagnose(facts, now=NOW)]


def with_header(answer: Answer, name: str, *values: str) -> Answer:
    kept = tuple(header for header in answer.headers if header[0] != name)
    return replace(answer, headers=(*kept, *((name, value) for value in values)))


def test_a_healthy_deployment_has_no_findings() -> None:
    assert diagnose(HEALTHY, now=NOW) == []
    assert diagnose(replace(HEALTHY, answers={}), now=NOW) == []


@pytest.mark.parametrize(
    "name, changed, expected",
    [
        ("page", Answer(url=URL, error="Connection refused"), ("fault", "unreachable")),
        ("page", replace(PAGE, status=404), ("fault", "no_pages")),
        ("page", replace(PAGE, at=NOW + 10), ("warning", "clock_skew")),
        ("page", replace(PAGE, at=NOW - 100), ("fault", "clock_skew")),
        ("page", with_header(PAGE, "cache-control", "public, max-age=60"), ("fault", "stored_pages")),
        ("page", with_header(PAGE, "strict-transport-security"), ("fault", "no_hsts")),
        ("page", with_header(PAGE, "strict-transport-security", "max-age=300"), ("fault", "no_hsts")),
        ("page", with_header(PAGE, "strict-transport-security", "max-age=x"), ("fault", "no_hsts")),
        *(
            (
                "page",
                with_header(PAGE, "set-cookie", f"__Host-coatcheck=x; {rest}"),
                ("fault", "changed_cookie"),
            )
            for rest in (
                "HttpOnly; Path=/; SameSite=Lax",
                "Secure; Path=/; Domain=example.com; SameSite=Lax",
                "Secure; Path=/auth; SameSite=Lax",
                "Secure; Path=/",
            )
        ),
        ("keys", replace(PAGE, body=b"<html>"), ("fault", "no_key_set")),
        ("keys", replace(PAGE, body=b"[]"), ("fault", "no_key_set")),
        ("keys", replace(PAGE, body=b'{"keys":[]}'), ("fault", "no_key_set")),
        ("keys", replace(PAGE, body=KEYS, status=502), ("fault", "no_key_set")),
        ("keys", replace(PAGE, body=b'{"keys":[{"kid":"k","d":"private"}]}'), ("fault", "no_key_set")),
        ("forged", replace(PAGE, body=f"https://{FOREIGN_HOST}/".encode()), ("fault", "forged_host")),
        ("forged", with_header(PAGE, "location", f"https://{FOREIGN_HOST}/"), ("fault", "forged_host")),
        ("forged", replace(PAGE, status=301), ("warning", "forged_scheme")),
        ("origin", with_header(PAGE, "access-control-allow-origin", FOREIGN_ORIGIN), ("fault", "open_cors")),
        ("plain", replace(PAGE, status=200), ("fault", "plain_http")),
        ("plain", replace(PAGE, status=404), ("warning", "plain_http")),
        (
            "plain",
            replace(PAGE, status=301, headers=(("location", "https://elsewhere.example/"),)),
            ("warning", "plain_http"),
        ),
    ],
)
def test_what_a_proxy_breaks_is_found(name: str, changed: Answer, expected: tuple[str, str]) -> None:
    assert codes(replace(HEALTHY, answers={**GOOD, name: changed})) == [expected]


@pytest.mark.parametrize(
    "name, changed",
    [
        ("page", with_header(PAGE, "date")),
        ("page", with_header(PAGE, "date", "yesterday")),
        ("page", with_header(PAGE, "set-cookie", "other=x")),
        ("plain", Answer(url=URL, error="Connection refused")),
        ("origin", with_header(PAGE, "access-control-allow-origin", "*")),
    ],
)
def test_what_is_harmless_is_no_finding(name: str, changed: Answer) -> None:
    assert codes(replace(HEALTHY, answers={**GOOD, name: changed})) == []


def test_a_wildcard_with_credentials_is_found() -> None:
    answer = with_header(PAGE, "access-control-allow-origin", "*")
    answer = with_header(answer, "access-control-allow-credentials", "true")
    assert codes(replace(HEALTHY, answers={**GOOD, "origin": answer})) == [("fault", "open_cors")]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"files": (FileFacts(path="coatcheck.db", mode=0o640),)}, ("fault", "readable_file")),
        ({"keys": None, "database_problem": "It is newer."}, ("fault", "database")),
        ({"keys": None}, ("note", "no_database")),
        ({"keys": KeyFacts(count=0, newest_at=None)}, ("note", "no_keys")),
        (
            {"keys": KeyFacts(count=1, newest_at=NOW, problem="Another secret.")},
            ("fault", "sealed_otherwise"),
        ),
        ({"keys": KeyFacts(count=1, newest_at=NOW + 60)}, ("fault", "key_from_the_future")),
        ({"keys": KeyFacts(count=1, newest_at=NOW - 800 * 86_400)}, ("note", "old_key")),
        ({"redis_is_away": True}, ("warning", "redis_away")),
        ({"settings": replace(PRODUCTION, trusted_proxies=())}, ("warning", "no_trusted_proxy")),
        ({"settings": replace(PRODUCTION, cors_origins=(URL,))}, ("note", "own_origin_listed")),
    ],
)
def test_what_is_wrong_inside_is_found(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert codes(replace(HEALTHY, **changes)) == [expected]


def test_the_worst_comes_first_and_everything_has_a_fix() -> None:
    ill = Facts(
        settings=replace(PRODUCTION, cors_origins=(URL,), trusted_proxies=()),
        files=(FileFacts(path="a b", mode=0o666),),
    )
    found = diagnose(ill, now=NOW)
    assert [finding.level for finding in found] == ["fault", "warning", "note", "note"]
    assert all(finding.title and finding.explanation and finding.fix for finding in found)


# --- looking ------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(**arguments: Any) -> tuple[Facts, list[Finding]]:
    facts = asyncio.run(collect_facts(**arguments))
    return facts, diagnose(facts, now=datetime.now(UTC).timestamp())


def make_server(**arguments: Any) -> None:
    """Let a server start, so that there is a database with a key in it."""

    async def start() -> None:
        async with Server(Settings(**arguments)).running():
            pass

    asyncio.run(start())


@pytest.mark.usefixtures("elsewhere")
def test_before_the_first_start_nothing_is_made() -> None:
    facts, found = look()
    assert [finding.code for finding in found] == ["no_database"]
    assert facts.files == ()
    assert list(Path().iterdir()) == []


def test_a_fresh_server_is_healthy_and_an_open_file_is_found(elsewhere: Path) -> None:
    make_server()
    facts, found = look()
    assert found == []
    assert facts.keys is not None
    assert facts.keys.count == 1
    assert {file.path for file in facts.files} >= {"coatcheck.db", "coatcheck.db.secret"}
    (elsewhere / "coatcheck.db.secret").chmod(0o644)
    assert [finding.fix for finding in look()[1]] == ["chmod 600 coatcheck.db.secret"]


def test_a_file_with_a_secret_that_everybody_can_read_is_found(elsewhere: Path) -> None:
    secret = elsewhere / "master.secret"
    secret.write_text("kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu")
    (elsewhere / "coatcheck.toml").write_text('secret_file = "master.secret"')
    secret.chmod(0o644)
    assert [(each.code, each.fix) for each in look()[1] if each.level == "fault"] == [
        ("readable_file", "chmod 640 master.secret")
    ]
    secret.chmod(0o640)  # a group may be let in for a purpose
    assert all(each.level == "note" for each in look()[1])


def test_another_secret_is_found(elsewhere: Path) -> None:
    make_server()
    (elsewhere / "coatcheck.db.secret").write_text("development-" + "x" * 43)
    assert [finding.code for finding in look()[1]] == ["sealed_otherwise"]


def test_a_file_that_is_no_database_is_found(elsewhere: Path) -> None:
    (elsewhere / "coatcheck.db").write_bytes(b"not a database" * 100)
    (elsewhere / "coatcheck.db").chmod(0o600)
    assert [finding.code for finding in look()[1]] == ["database"]


@pytest.mark.usefixtures("elsewhere")
def test_wrong_settings_are_findings() -> None:
    facts, found = look(mode="production")
    assert facts.settings is None
    assert {finding.code for finding in found} == {"wrong_setting"}
    assert len(found) == 5


# --- asking -------------------------------------------------------------------------------------------------


class Site(BaseHTTPRequestHandler):
    """A deployment whose proxy believes everything."""

    def do_GET(self) -> None:
        host = self.headers.get("X-Forwarded-Host", "app.example.com")
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "none"))
        self.end_headers()
        self.wfile.write(f"<a href='https://{host}/'>{self.path}</a>".encode())

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_deployment_is_asked_as_an_attacker_would() -> None:
    with serving() as url:
        answers = ask_deployment(url, prefix="/auth", clock=lambda: NOW)
    assert set(answers) == {"page", "keys", "forged", "origin"}
    assert answers["page"].url == f"{url}/auth/sign-in"
    assert (answers["page"].status, answers["page"].at) == (200, NOW)
    assert b"/auth/.well-known/jwks.json" in answers["keys"].body
    found = diagnose(Facts(settings=None, answers=answers), now=NOW)
    assert {"forged_host", "open_cors", "no_key_set", "stored_pages"} <= {finding.code for finding in found}


def test_nobody_there_is_an_answer_too() -> None:
    with serving() as url:
        pass
    assert ask_deployment(url, prefix="/auth")["page"].error == "Connection refused"


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(private + made.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    return context


def test_a_certificate_that_is_not_trusted_is_told(tls: ssl.SSLContext) -> None:
    with serving(tls) as url:
        answers = ask_deployment(url, prefix="/auth", timeout=5)
    assert "certificate is not trusted" in (answers["page"].error or "")
    assert answers["plain"].url == "http://127.0.0.1/auth/sign-in"


def test_what_is_no_http_is_told(make_listener: Callable[[bytes], str]) -> None:
    url = make_listener(b"SSH-2.0-x\r\n")
    assert ask_deployment(url, prefix="/auth", timeout=5)["page"].error == "BadStatusLine"


@pytest.fixture
def make_listener() -> Iterator[Callable[[bytes], str]]:
    """A server that says the same to everybody."""
    import socketserver

    servers: list[socketserver.TCPServer] = []

    def make(greeting: bytes) -> str:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(65_536)
                self.request.sendall(greeting)

        server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()
