"""The same requests to the programs of docs/services.md in all frameworks: the same statuses, headers and problems.

Over real HTTP, and with tokens of a real server.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from coatcheck.guards import guarding
from coatcheck.jose.hazmat import read_unverified
from coatcheck.verifier import NotReadyError, VerificationError, VerifierPolicy, verifier
from tests.guards.issuer import Issuer
from tests.guards.programs import AUDIENCE, FRAMEWORKS, ISSUER, Programs, free_port
from tests.guards.stand_in import STALE, StandIn

METADATA_URL = f"{AUDIENCE}/.well-known/oauth-protected-resource"
DEADLINE = 10.0
GUARDED = sorted(set(FRAMEWORKS) - {"plain"})
WITH_HEAD = sorted(set(GUARDED) - {"fastapi", "litestar"})
"""Those that answer HEAD where there is a GET."""


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def service(framework: str, programs: Programs) -> Any:
    with httpx.Client(base_url=programs.url(framework), timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def reader(tokens: dict[str, str]) -> dict[str, str]:
    return bearer(tokens["reader"])


@pytest.fixture(scope="session")
def writer(tokens: dict[str, str]) -> dict[str, str]:
    return bearer(tokens["writer"])


@pytest.fixture
def lost() -> Iterator[Programs]:
    """Services whose server is not there, and which do not wait long for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarding, "_PATIENCE", 0.05)
        patch.setattr(verifier, "VerifierPolicy", lambda: VerifierPolicy(startup_timeout=0.05))
        with closing(Programs(issuer=f"http://localhost:{free_port()}")) as made:
            yield made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def subject_of(headers: dict[str, str]) -> str:
    subject: str = read_unverified(headers["Authorization"].removeprefix("Bearer ")).claims["sub"]
    return subject


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    return problem


def challenge(answer: httpx.Response) -> dict[str, str]:
    (value,) = answer.headers.get_list("www-authenticate")
    scheme, _, rest = value.partition(" ")
    assert scheme == "Bearer"
    pairs = [part.partition("=") for part in rest.split(", ")] if rest else []
    return {name: value.strip('"') for name, _, value in pairs}


def test_no_credential_is_401_without_an_error(service: httpx.Client) -> None:
    answer = service.get("/orders")
    refused(answer, 401, "not_authenticated")
    assert "error" not in challenge(answer)


def test_a_token_that_is_not_good_is_401(service: httpx.Client) -> None:
    answer = service.get("/orders", headers={"Authorization": "Bearer bad"})
    refused(answer, 401, "invalid_token")
    assert challenge(answer)["error"] == "invalid_token"


def test_a_good_token_is_let_in(service: httpx.Client, reader: dict[str, str]) -> None:
    answer = service.get("/orders", headers=reader)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"subject": subject_of(reader)}


def test_a_token_without_the_scope_is_403(service: httpx.Client, writer: dict[str, str]) -> None:
    answer = service.get("/orders", headers=writer)
    assert refused(answer, 403, "insufficient_scope")["scope"] == "orders:read"
    assert challenge(answer).items() >= {"error": "insufficient_scope", "scope": "orders:read"}.items()


def test_an_old_sign_in_is_401_and_told_what_would_do(
    service: httpx.Client, issuer: Issuer, tokens: dict[str, str]
) -> None:
    just_now = bearer(issuer.sign_in("writer"))  # the others' sign-in may be minutes ago
    assert service.post("/refunds", headers=just_now).status_code == 200
    answer = service.post("/refunds", headers=bearer(tokens["late"]))
    problem = refused(answer, 401, "insufficient_user_authentication")
    assert problem["max_age"] == 300
    asked = challenge(answer)
    assert asked["error"] == "insufficient_user_authentication"
    assert asked["max_age"] == "300"
    assert "acr_values" not in asked


def test_a_malformed_header_is_400(service: httpx.Client) -> None:
    answer = service.get("/orders", headers={"Authorization": "Bearer"})
    refused(answer, 400, "invalid_request")
    assert challenge(answer)["error"] == "invalid_request"


def test_another_scheme_is_no_credential(service: httpx.Client) -> None:
    answer = service.get("/orders", headers={"Authorization": "Basic dXNlcjpwYXNz"})
    refused(answer, 401, "not_authenticated")


def test_a_token_altered_by_one_character_is_401(service: httpx.Client, reader: dict[str, str]) -> None:
    header, payload, signature = reader["Authorization"].split(".")
    other = "A" if signature[10] != "A" else "B"
    forged = ".".join([header, payload, signature[:10] + other + signature[11:]])
    refused(service.get("/orders", headers={"Authorization": forged}), 401, "invalid_token")


def test_whoever_signs_out_is_refused_at_once(service: httpx.Client, issuer: Issuer) -> None:
    token = issuer.sign_in("reader")
    assert service.get("/orders", headers=bearer(token)).status_code == 200
    issuer.sign_out(token)
    until = time.monotonic() + DEADLINE
    while (answer := service.get("/orders", headers=bearer(token))).status_code == 200:
        assert time.monotonic() < until
    refused(answer, 401, "invalid_token")


@pytest.mark.parametrize("framework", WITH_HEAD, indirect=True)
def test_a_body_is_not_sent_with_a_refused_head(service: httpx.Client) -> None:
    answer = service.head("/orders")
    assert answer.status_code == 401
    assert answer.content == b""
    refused(service.get("/orders"), 401, "not_authenticated")  # on the same connection


@pytest.mark.parametrize("framework", GUARDED, indirect=True)
def test_the_challenge_names_the_metadata(service: httpx.Client) -> None:
    assert challenge(service.get("/orders"))["resource_metadata"] == METADATA_URL


@pytest.mark.parametrize("framework", GUARDED, indirect=True)
def test_the_metadata_is_served(service: httpx.Client, issuer: Issuer) -> None:
    answer = service.get("/.well-known/oauth-protected-resource")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    metadata = answer.json()
    assert metadata == {
        "resource": AUDIENCE,
        "authorization_servers": [issuer.url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read", "orders:write"],
    }


@pytest.mark.parametrize("framework", GUARDED, indirect=True)
def test_whoever_shows_nothing_is_nobody_where_that_is_allowed(
    service: httpx.Client, reader: dict[str, str]
) -> None:
    assert service.get("/").json() == {"subject": ""}
    assert service.get("/", headers=reader).json() == {"subject": subject_of(reader)}
    refused(service.get("/", headers={"Authorization": "Bearer bad"}), 401, "invalid_token")


@pytest.mark.parametrize("error", [NotReadyError(), STALE], ids=["not-ready", "stale"])
def test_who_cannot_tell_says_when_to_come_again(
    framework: str, programs: Programs, service: httpx.Client, error: VerificationError
) -> None:
    program = programs.module(FRAMEWORKS[framework][0])
    stand_in = StandIn(ISSUER, audience=AUDIENCE)
    stand_in.error = error
    with pytest.MonkeyPatch.context() as patch:
        if framework != "plain":
            patch.setattr(program.guard, "_settled_in", None)  # the real one may have to be waited for yet
        patch.setattr(program if framework == "plain" else program.guard, "verifier", stand_in)
        answer = service.get("/orders", headers=bearer("any"))
    assert refused(answer, 503, error.code)["retry_after"] == 1
    assert answer.headers["retry-after"] == "1"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("name", ["fastapi", "flask"])
def test_a_service_that_is_started_before_its_server_answers(
    name: str, lost: Programs, reader: dict[str, str]
) -> None:
    with httpx.Client(base_url=lost.url(name), timeout=30) as service:
        assert service.get("/").status_code == 200
        refused(service.get("/orders", headers=reader), 503, "not_ready")
        refused(service.get("/orders"), 401, "not_authenticated")


@pytest.mark.parametrize("name", ["fastapi", "starlette", "litestar"])
def test_a_lifespan_makes_the_verifier_follow_in_its_event_loop(name: str, programs: Programs) -> None:
    programs.url(name)
    follower = programs.module(FRAMEWORKS[name][0]).verifier
    assert follower._tasks is not None
    assert follower._threads is None
