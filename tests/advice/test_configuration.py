"""What is handed out to be copied works: settings load, commands run, code does what it says."""

import base64
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from coatcheck.advice.deciding import advise
from coatcheck.advice.model import Addresses, Advice, Case, Code
from coatcheck.cli.app import app as program
from coatcheck.jose import Key, KeySet, jwt
from coatcheck.server.settings import load_settings
from tests.advice.cases import each_client_alone, some_of_all, with_each_framework
from tests.integrations.applications import QUICK, Application

CASES = {
    "pages": Case(clients=("browser",)),
    "pages and services": Case(clients=("browser",), verifiers=("services",)),
    "pages in flask": Case(clients=("browser",), framework="flask"),
    "pages on hosts": Case(clients=("browser",), hosts="domains", verifiers=("services",)),
    "pages on hosts, aal3": Case(clients=("browser",), hosts="domains", assurance="aal3"),
    "page app": Case(clients=("spa",), hosts="subdomains"),
    "page app, machine": Case(clients=("spa", "machine"), hosts="subdomains", verifiers=("downstream",)),
    "page app, static": Case(clients=("spa",), hosts="domains", backend=False),
    "page app in django": Case(
        clients=("spa",), hosts="domains", framework="django", verifiers=("services",)
    ),
    "mobile offline": Case(clients=("mobile", "cli"), offline="clients"),
    "status list": Case(clients=("mobile",), verifiers=("third-parties",), sign_out="a-minute"),
    "partners": Case(clients=("mobile",), verifiers=("services", "third-parties")),
    "gate": Case(clients=("mobile",), verifiers=("services",), offline="verifiers", hidden=True),
    "machines": Case(clients=("machine",), verifiers=("services",)),
    "machines beside a provider": Case(clients=("browser", "machine"), sign_in="provider"),
    "agents": Case(clients=("agent",)),
    "everything, aal2": Case(
        clients=("browser", "spa", "mobile", "cli", "machine", "agent"),
        verifiers=("services", "downstream", "third-parties"),
        assurance="aal2",
    ),
    "own addresses": Case(
        clients=("browser", "mobile"),
        hosts="domains",
        addresses=Addresses(
            app="https://shop.example.org",
            server="https://login.example.org",
            api="https://api.example.net/v1",
        ),
    ),
}


def prepare(directory: Path, advice: Advice) -> None:
    """Write the files that the settings name, and the settings."""
    (directory / "coatcheck.secret").write_bytes(base64.b64encode(bytes(range(7, 39))) + b"\n")
    (directory / "smtp.url").write_text("smtp://user:password@mail.example.com:587\n")
    (directory / "coatcheck.toml").write_text(advice.configuration.toml())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CASES)
def test_the_settings_are_accepted_and_the_commands_run(name: str, tmp_path: Path) -> None:
    advice = advise(CASES[name])
    prepare(tmp_path, advice)
    settings = load_settings(environment={}, directory=tmp_path)
    assert settings.mode == "production"
    first, *others = advice.configuration.commands
    assert first.line == "(umask 077; openssl rand -base64 32 > coatcheck.secret)"
    for command in others:
        words = shlex.split(command.line)
        assert words.pop(0) == "coatcheck"
        ran = CliRunner().invoke(program, words, catch_exceptions=False)
        assert ran.exit_code == 0, f"{command.line}\n{ran.stderr}"


def test_all_settings_that_are_ever_made_are_accepted(tmp_path: Path) -> None:
    made: dict[str, Advice] = {}
    for case in some_of_all(997):
        advice = advise(case)
        made.setdefault(advice.configuration.toml(), advice)
    assert made.pop("", None) is not None
    assert len(made) > 20
    for advice in made.values():
        prepare(tmp_path, advice)
        load_settings(environment={}, directory=tmp_path)


def test_the_settings_say_what_the_case_asks_for(tmp_path: Path) -> None:
    def settings_for(**case: Any) -> Any:
        prepare(tmp_path, advise(Case(**case)))
        return load_settings(environment={}, directory=tmp_path)

    bank = settings_for(clients=("browser",), assurance="aal2")
    assert (bank.session_profile, bank.csrf, bank.pkce) == ("nist-aal2", "token", "all")
    assert settings_for(clients=("agent",)).registration == "open"
    listed = settings_for(clients=("mobile",), verifiers=("third-parties",), sign_out="a-minute")
    assert listed.status_lists == "on"
    machines = settings_for(clients=("machine",))
    assert (machines.sign_up, machines.mail) == ("closed", "off")
    assert settings_for(clients=("spa",), hosts="subdomains").audience == "https://api.example.com"
    assert settings_for(clients=("browser",)).registration is None


def test_the_addresses_of_the_case_stand_everywhere() -> None:
    configuration = advise(CASES["own addresses"]).configuration
    text = configuration.toml() + "".join(command.line for command in configuration.commands)
    text += "".join(code.text for code in configuration.code)
    assert "example.com" not in text
    assert 'base_url = "https://login.example.org"' in text
    assert "https://shop.example.org/callback" in text
    assert 'audience="https://api.example.net/v1"' in text


# --- the lines of code -------------------------------------------------------------------------------------------


def all_code() -> Iterator[Code]:
    told: set[str] = set()
    for case in each_client_alone_thinned():
        for framed in with_each_framework(case):
            for code in advise(framed).configuration.code:
                if code.text not in told:
                    told.add(code.text)
                    yield code


def each_client_alone_thinned() -> list[Case]:
    return [*CASES.values(), *list(each_client_alone())[::613]]


CODE = list(all_code())


def run(text: str, name: str = "advised") -> dict[str, Any]:
    module = ModuleType(name)
    sys.modules[name] = module  # where frameworks look their applications up
    try:
        exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102
    finally:
        del sys.modules[name]
    return module.__dict__


@pytest.mark.parametrize("code", CODE, ids=[f"{place}" for place in range(len(CODE))])
def test_every_line_of_code_runs(code: Code, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COATCHECK_VERIFIER_KEY", "cck_" + "a" * 43)
    if code.language == "sh":
        assert code.text.startswith("curl ")
        return
    write_keys(tmp_path, Key.generate("ES256", kid="k1"))
    if "Auth(app)" in code.text:
        return  # these have tests of their own, below
    names = run(code.text)
    assert {"verifier", "signer"} & names.keys()


def write_keys(directory: Path, key: Key) -> None:
    jwks = KeySet([key.public()]).to_jwks()
    (directory / "jwks.json").write_text(json.dumps(jwks))


def text_of(advice: Advice, title: str) -> str:
    return next(code.text for code in advice.configuration.code if code.title == title)


@pytest.mark.anyio
async def test_the_application_with_sign_in_inside_knows_who_has_signed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in QUICK.items():
        monkeypatch.setenv(f"COATCHECK_{name.upper()}", str(value))
    names = run(text_of(advise(CASES["pages"]), "The application, with sign-in inside"))
    site = Application(names["app"], names["auth"])
    try:
        await site.add_user()
        cookies = await site.cookies()
        async with site.browser(cookies=cookies) as browser:
            assert (await browser.get("/me")).json() == "ann@example.com"
            assert (await browser.delete("/everything")).status_code == 200
        async with site.browser() as stranger:
            assert (await stranger.get("/me")).status_code == 303
    finally:
        await site.auth.server.close()


@pytest.mark.anyio
async def test_the_backend_of_a_page_app_calls_the_api_with_a_token_that_the_browser_never_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**QUICK, "audience": "https://api.example.com"}.items():
        monkeypatch.setenv(f"COATCHECK_{name.upper()}", str(value))
    names = run(text_of(advise(CASES["page app"]), "The backend of the single-page app"))
    site = Application(names["app"], names["auth"])
    received: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(200, json=["a coat"])

    base_url = names["api"].base_url
    await names["api"].aclose()
    names["api"] = httpx.AsyncClient(base_url=base_url, transport=httpx.MockTransport(answer))
    try:
        await site.add_user()
        async with site.browser(cookies=await site.cookies()) as browser:
            got = await browser.get("/api/orders")
        async with site.browser() as stranger:
            assert (await stranger.get("/api/orders")).status_code == 303
        keys = await site.auth.server.flows.context.access_tokens.keys.key_set()
        issuer = site.auth.server.flows.context.access_tokens.issuer
    finally:
        await names["api"].aclose()
        await site.auth.server.close()
    (request,) = received
    scheme, token = request.headers["authorization"].split()
    assert (got.json(), str(request.url), scheme) == (["a coat"], "https://api.example.com/orders", "Bearer")
    assert token not in f"{got.headers}{got.text}"
    verifier = jwt.Verifier(keys, issuer=issuer, audience="https://api.example.com", typ="at+jwt")
    assert verifier.verify(token).claims.sub is not None


def test_who_has_the_keys_alone_believes_tokens_for_this_api_and_no_others(tmp_path: Path) -> None:
    key = Key.generate("ES256", kid="k1")
    write_keys(tmp_path, key)
    subject_of = run(text_of(advise(CASES["gate"]), "Whoever verifies with the public keys alone"))[
        "subject_of"
    ]
    issuer = "https://app.example.com"
    audience = "https://app.example.com/api"
    good = jwt.Signer(key, issuer=issuer, audience=audience, typ="at+jwt")
    assert subject_of(good.sign({"sub": "ada"})) == "ada"
    for signer in (
        jwt.Signer(key, issuer=issuer, audience=audience, typ="logout+jwt"),
        jwt.Signer(key, issuer=issuer, audience="https://other.example", typ="at+jwt"),
        jwt.Signer(key, issuer="https://evil.example", audience=audience, typ="at+jwt"),
        jwt.Signer(Key.generate("ES256", kid="k1"), issuer=issuer, audience=audience, typ="at+jwt"),
    ):
        assert subject_of(signer.sign({"sub": "ada"})) is None


def test_encrypted_data_is_read_by_the_verifier_it_is_for() -> None:
    names = run(text_of(advise(CASES["gate"]), "Data for an offline verifier alone"))
    assert names["token"].count(".") == 4
    verifier = jwt.Verifier(
        names["signing_key"].public(),
        issuer="https://app.example.com",
        audience="https://app.example.com/api",
        decrypt_with=names["gate_key"],
    )
    assert verifier.verify(names["token"]).as_type(dict)["ward"] == "7B"


def test_whoever_has_a_verifier_is_given_a_key_and_nobody_else() -> None:
    for case in some_of_all(499):
        configuration = advise(case).configuration
        has_verifier = any("from coatcheck.verifier" in code.text for code in configuration.code)
        keys = [
            line for line in configuration.commands if line.line.startswith("coatcheck service add orders")
        ]
        assert len(keys) == has_verifier


def test_every_client_of_ours_that_needs_it_is_registered() -> None:
    registered = {
        "app-session": "Web app",
        "browser-tokens": "--spa",
        "native-tokens": "Mobile app",
        "cli-tokens": "127.0.0.1",
        "machine-key": "--machine",
    }
    for case in some_of_all(499):
        advice = advise(case)
        lines = "\n".join(command.line for command in advice.configuration.commands)
        for each in advice.clients:
            assert registered.get(each.credential.id, "") in lines


def test_a_browser_carries_a_token_beside_its_cookie_for_a_verifier_on_its_host_that_cannot_ask(
    tmp_path: Path,
) -> None:
    advice = advise(Case(clients=("browser",), verifiers=("services",), offline="verifiers"))
    prepare(tmp_path, advice)
    settings = load_settings(environment={}, directory=tmp_path)
    assert (settings.token_cookie, settings.audience) == ("access-token", "https://app.example.com/api")
    assert settings.access_token_lifetime.total_seconds() == 3600
