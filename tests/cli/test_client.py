"""``coatcheck client``, as somebody types it."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from coatcheck._core.secrets import digest
from coatcheck.jose import Key
from coatcheck.oauth.model import OAuthClient
from coatcheck.server.server import open_flows
from coatcheck.server.settings import Settings
from tests.cli.conftest import Run

CALLBACK = "https://app.example/callback"
API = "https://api.example"


async def _found(client_id: str) -> OAuthClient | None:
    async with open_flows(Settings()) as flows:
        return await flows.provider.clients.find(client_id)


def found(client_id: str) -> OAuthClient:
    client = asyncio.run(_found(client_id))
    assert client is not None
    return client


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def added(run: Run, *arguments: str) -> dict[str, str]:
    result = run("client", "add", *arguments)
    assert result.exit_code == 0, result.stderr
    return lines(result.stdout)


def web(run: Run, *arguments: str) -> dict[str, str]:
    return added(run, "My App", "--redirect-uri", CALLBACK, "--id-token-alg", "ES256", *arguments)


def test_an_app_is_registered_and_told_what_to_paste(run: Run) -> None:
    result = run("client", "add", "My App", "--redirect-uri", CALLBACK)
    told = lines(result.stdout)
    assert set(told) == {"OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_ISSUER", "OAUTH_DISCOVERY"}
    assert re.fullmatch(r"ccs_[A-Za-z0-9_-]{43}", told["OAUTH_CLIENT_SECRET"])
    assert told["OAUTH_ISSUER"] == "http://localhost:8000"
    assert told["OAUTH_DISCOVERY"] == "http://localhost:8000/.well-known/openid-configuration"
    assert "Added My App. Its secret is shown this once" in result.stderr
    assert told["OAUTH_CLIENT_SECRET"] not in result.stderr
    client = found(told["OAUTH_CLIENT_ID"])
    assert client.secret_digest == digest(told["OAUTH_CLIENT_SECRET"])
    assert (client.name, client.redirect_uris, client.scope) == ("My App", (CALLBACK,), None)
    assert client.grant_types == ("authorization_code", "refresh_token")
    shown = run("client", "show", client.id).stdout + run("client", "list", "--json").stdout
    assert told["OAUTH_CLIENT_SECRET"] not in shown


@pytest.mark.parametrize("option", ["--public", "--spa", "--native"])
def test_an_app_without_a_secret_is_given_none(run: Run, option: str) -> None:
    uri = "com.example.app:/callback" if option == "--native" else "http://localhost:5173/callback"
    told = added(run, "App", option, "--redirect-uri", uri, "--id-token-alg", "ES256")
    assert "OAUTH_CLIENT_SECRET" not in told
    client = found(told["OAUTH_CLIENT_ID"])
    assert (client.is_public, client.application_type) == (True, "native" if option == "--native" else "web")


def test_everything_that_can_be_said_of_a_client_is_registered(run: Run) -> None:
    run("api", "add", API)
    told = web(
        run,
        *("--first-party", "--pairwise", "--scope", "openid", "--scope", "email", "--api", f"{API}/"),
        *("--post-logout-uri", "https://app.example/bye"),
        *("--backchannel-logout-uri", "https://app.example/back"),
        *("--frontchannel-logout-uri", "https://app.example/front"),
        *("--set", "contacts=ops@app.example it@app.example", "--set", "default_max_age=600"),
        *(
            "--set",
            "require_pushed_authorization_requests=true",
            "--set",
            "tos_uri=https://app.example/terms",
        ),
    )
    client = found(told["OAUTH_CLIENT_ID"])
    assert (client.first_party, client.subject_type, client.sector) == (True, "pairwise", "app.example")
    assert (client.scope, client.audiences) == (("openid", "email"), (API,))
    assert client.post_logout_redirect_uris == ("https://app.example/bye",)
    assert client.backchannel_logout_uri == "https://app.example/back"
    assert client.frontchannel_logout_uri == "https://app.example/front"
    assert client.contacts == ("ops@app.example", "it@app.example")
    assert (client.default_max_age, client.require_pushed_authorization_requests) == (600, True)
    assert client.tos_uri == "https://app.example/terms"


def test_a_machine_is_allowed_what_it_is_for_in_one_command(run: Run) -> None:
    run("api", "add", API, "--scope", "orders:read=Read")
    result = run("client", "add", "Robot", "--machine", "--api", API, "--scope", "orders:read", "--json")
    told = json.loads(result.stdout)
    assert told["token_endpoint"] == "http://localhost:8000/auth/token"
    client = found(told["client_id"])
    assert (client.grant_types, client.response_types) == (("client_credentials",), ())
    listed = json.loads(run("permission", "list", "--json").stdout)
    assert listed == {"kind": "client", "holder": client.id, "api": API, "scopes": ["orders:read"]}
    refused = run("client", "add", "Robot", "--machine", "--api", API, "--scope", "orders:delete")
    assert (refused.exit_code, refused.stderr.endswith("[invalid_permission]\n")) == (2, True)
    assert len(run("client", "list", "--json").stdout.splitlines()) == 1  # it was not registered either
    plain = run("client", "add", "Other", "--machine")
    assert "grant_type=client_credentials" in plain.stderr


def test_a_key_is_made_with_one_command_and_written_for_its_owner_only(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "robot.jwk"
    result = run("client", "add", "Robot", "--machine", "--key", "--key-alg", "Ed25519", "--out", str(path))
    told = lines(result.stdout)
    assert path.stat().st_mode & 0o777 == 0o600
    key = Key.from_jwk(path.read_text())
    assert (key.is_private, key.algorithm.name) == (True, "Ed25519")
    assert "OAUTH_CLIENT_KEY" not in told
    stored = json.loads(found(told["OAUTH_CLIENT_ID"]).jwks or b"")
    assert stored == {"keys": [key.public().to_jwk()]}
    # Nothing is registered if the key could not be written.
    again = run("client", "add", "Robot", "--machine", "--key", "--out", str(path))
    assert (again.exit_code, again.stdout) == (2, "")
    assert len(run("client", "list", "--json").stdout.splitlines()) == 1


def test_a_key_is_printed_where_no_file_is_named(run: Run) -> None:
    told = added(run, "Robot", "--machine", "--key")
    key = Key.from_jwk(told["OAUTH_CLIENT_KEY"].strip("'"))
    assert key.is_private
    renewed = run("client", "key", told["OAUTH_CLIENT_ID"], "--keep", "--json")
    stored = json.loads(found(told["OAUTH_CLIENT_ID"]).jwks or b"")["keys"]
    assert [each["kid"] for each in stored] == [json.loads(renewed.stdout)["key"]["kid"], key.kid]


def test_a_public_key_is_taken_from_a_file(run: Run, tmp_path: Path) -> None:
    key, path = Key.generate("ES256"), tmp_path / "public.jwk"
    for content in (key.public().to_jwk(), {"keys": [key.public().to_jwk()]}):
        path.write_text(json.dumps(content))
        told = added(run, "Robot", "--machine", "--key-file", str(path))
        assert json.loads(found(told["OAUTH_CLIENT_ID"]).jwks or b"")["keys"][0]["kid"] == key.kid
    path.write_text(json.dumps(key.to_private_jwk()))
    refused = run("client", "add", "Robot", "--machine", "--key-file", str(path))
    assert (refused.exit_code, refused.stderr.endswith("[invalid_client_metadata]\n")) == (2, True)
    for nonsense in ("", "no JSON", "[]", "[" * 5000):
        path.write_text(nonsense)
        assert run("client", "add", "Robot", "--machine", "--key-file", str(path)).exit_code == 2


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["App"], "invalid_redirect_uri"),
        (["App", "--redirect-uri", "http://app.example/"], "invalid_redirect_uri"),
        (["P\u0430ypal", "--redirect-uri", CALLBACK], "invalid_client_metadata"),
        (["App", "--redirect-uri", CALLBACK, "--api", API], "invalid_client_metadata"),
        (["App", "--redirect-uri", CALLBACK, "--scope", ""], "wrong_usage"),
        (["App", "--redirect-uri", CALLBACK, "--set", "tos_uri"], "wrong_usage"),
        (["App", "--redirect-uri", CALLBACK, "--set", "jwks={}"], "wrong_usage"),
        (["App", "--redirect-uri", CALLBACK, "--set", "color=red"], "wrong_usage"),
        (["App", "--redirect-uri", CALLBACK, "--set", "require_auth_time=perhaps"], "wrong_usage"),
        (["App", "--redirect-uri", CALLBACK, "--set", "default_max_age=-1"], "wrong_usage"),
        (["App", "--public", "--machine"], "wrong_usage"),
        (["App", "--public", "--key", "--redirect-uri", CALLBACK], "wrong_usage"),
        (["App", "--machine", "--key", "--key-file", "x"], "wrong_usage"),
        (["App", "--machine", "--scope", "orders:read"], "wrong_usage"),
    ],
    ids=range(14),
)
def test_what_cannot_be_registered_is_told_in_one_line(run: Run, arguments: list[str], code: str) -> None:
    result = run("client", "add", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].endswith(f"[{code}]")


def test_clients_are_listed_and_shown_for_people_and_for_programs(run: Run) -> None:
    client_id = web(run)["OAUTH_CLIENT_ID"]
    robot = added(run, "Robot", "--machine")["OAUTH_CLIENT_ID"]
    phone = added(run, "Phone", "--native", "--redirect-uri", "com.example:/cb", "--id-token-alg", "ES256")
    spa = added(run, "SPA", "--spa", "--redirect-uri", CALLBACK, "--id-token-alg", "ES256")
    run("client", "disable", robot)
    shown = run("client", "list").stdout
    for identifier, rest in (
        (client_id, r"web app +active +My App"),
        (robot, r"machine +disabled +Robot"),
        (phone["OAUTH_CLIENT_ID"], r"native app +active +Phone"),
        (spa["OAUTH_CLIENT_ID"], r"public app +active +SPA"),
    ):
        assert re.search(rf"{re.escape(identifier)} +{rest}", shown)
    records = [json.loads(line) for line in run("client", "list", "--json").stdout.splitlines()]
    assert {each["client_id"] for each in records} >= {client_id, robot}
    one = run("client", "show", client_id).stdout
    assert re.search(rf"redirect_uris +{re.escape(CALLBACK)}", one)
    assert re.search(r"first_party +no", one)
    assert json.loads(run("client", "show", client_id, "--json").stdout)["redirect_uris"] == [CALLBACK]
    keyed = added(run, "Keyed", "--machine", "--key")["OAUTH_CLIENT_ID"]
    assert '"keys"' in run("client", "show", keyed).stdout


def test_nothing_is_listed_as_such(run: Run, empty_site: None) -> None:
    assert run("client", "list").stdout.startswith("There are no clients yet")
    assert run("client", "list", "--json").stdout == ""


def test_a_client_is_changed(run: Run) -> None:
    client_id = web(run)["OAUTH_CLIENT_ID"]
    run("api", "add", API)
    result = run("client", "change", client_id, "--name", "Other", "--first-party", "--api", API)
    assert result.stdout == "Changed Other.\n"
    client = found(client_id)
    assert (client.name, client.first_party, client.audiences) == ("Other", True, (API,))
    run("client", "change", client_id, "--third-party", "--set", "audiences=")
    assert (found(client_id).first_party, found(client_id).audiences) == (False, None)
    # It takes a secret that has to be known: there is a new one.
    told = lines(run("client", "change", client_id, "--id-token-alg", "HS256").stdout)
    assert found(client_id).secret_digest == digest(told["OAUTH_CLIENT_SECRET"])
    assert (
        json.loads(run("client", "change", client_id, "--name", "A", "--json").stdout)["client_id"]
        == client_id
    )
    assert run("client", "change", client_id).stderr.endswith("[wrong_usage]\n")


def test_a_secret_is_replaced(run: Run) -> None:
    told = web(run)
    result = run("client", "secret", told["OAUTH_CLIENT_ID"])
    assert "There is a new secret for My App." in result.stderr
    new = lines(result.stdout)["OAUTH_CLIENT_SECRET"]
    assert new != told["OAUTH_CLIENT_SECRET"]
    assert found(told["OAUTH_CLIENT_ID"]).secret_digest == digest(new)


def test_a_client_is_switched_off_and_on_and_removed(run: Run) -> None:
    client_id = web(run)["OAUTH_CLIENT_ID"]
    assert run("client", "disable", client_id).stdout == f"Disabled {client_id}; sessions ended: 0.\n"
    assert found(client_id).disabled_at is not None
    assert run("client", "enable", client_id).stdout == f"Enabled {client_id}.\n"
    assert found(client_id).disabled_at is None
    assert run("client", "remove", client_id).stdout == f"Removed {client_id}; sessions ended: 0.\n"
    again = run("client", "remove", client_id)
    assert (again.exit_code, again.stderr.endswith("[unknown_client]\n")) == (2, True)


@pytest.mark.parametrize("group", ["client", "api", "permission", "role"])
def test_a_group_without_a_command_shows_its_commands(run: Run, group: str) -> None:
    assert "Usage: coatcheck" in run(group).stdout or "Commands:" in run(group).stdout
