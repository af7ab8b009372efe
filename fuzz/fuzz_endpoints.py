"""Throw generated requests at every endpoint of a real server: none may answer with a failure of its own.

::

    python fuzz/fuzz_endpoints.py --seconds 60

The requests are made by schemathesis from a description of the endpoints, in which good values stand beside the kinds
that are expected, so that they get behind the first checks. They are sent twice: by nobody, and by somebody who has
signed in and is an administrator. Whatever is refused is refused with a 4xx; a 5xx, or an answer that breaks off, ends
the program with status 1 and prints the request.

The ledger's feed is left out: it answers until the reader goes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.server import load_settings, open_flows

PORT = 8765
ISSUER = f"http://localhost:{PORT}"
ADA = "ada@example.com"
PASSWORD = "an umbrella in the corner"
CALLBACK = "https://app.example/callback"
API = "https://orders.example"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636 appendix B
TEXT = {"type": "string"}

Schema = dict[str, Any]


def words(*examples: str) -> Schema:
    """Return a kind of text of which some values are good."""
    return {"anyOf": [{"type": "string", "enum": list(examples)}, TEXT]}


def request_parameters(client_id: str) -> dict[str, Schema]:
    """Return the parameters of an authorization request."""
    return {
        "client_id": words(client_id),
        "redirect_uri": words(CALLBACK),
        "response_type": words("code", "code id_token", "token"),
        "response_mode": words("query", "fragment", "form_post"),
        "scope": words("openid email", "openid offline_access orders:read"),
        "state": TEXT,
        "nonce": TEXT,
        "code_challenge": words(CHALLENGE),
        "code_challenge_method": words("S256", "plain"),
        "resource": words(API),
        "prompt": words("none", "login", "consent", "select_account", "none login"),
        "max_age": words("0", "600", "-1"),
        "acr_values": TEXT,
        "login_hint": words(ADA),
        "id_token_hint": TEXT,
        "ui_locales": TEXT,
        "claims": words('{"userinfo": {"email": {"essential": true}}}', '{"id_token": 1}', "["),
        "request": TEXT,
        "request_uri": words("urn:ietf:params:oauth:request_uri:abc"),
    }


def token_parameters(client_id: str, secret: str) -> dict[str, Schema]:
    """Return the parameters of a token request."""
    bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return {
        "grant_type": words("authorization_code", "refresh_token", "client_credentials", bearer),
        "client_id": words(client_id),
        "client_secret": words(secret),
        "client_assertion_type": words("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        "client_assertion": TEXT,
        "assertion": TEXT,
        "code": TEXT,
        "code_verifier": TEXT,
        "redirect_uri": words(CALLBACK),
        "refresh_token": TEXT,
        "scope": words("openid", "orders:read"),
        "resource": words(API),
        "token": TEXT,
        "token_type_hint": words("access_token", "refresh_token"),
    }


METADATA: dict[str, Schema] = {
    "client_name": TEXT,
    "redirect_uris": {"type": "array", "items": words(CALLBACK, "http://localhost/callback")},
    "grant_types": {"type": "array", "items": words("authorization_code", "refresh_token")},
    "response_types": {"type": "array", "items": words("code")},
    "token_endpoint_auth_method": words("none", "client_secret_basic", "private_key_jwt"),
    "application_type": words("web", "native"),
    "subject_type": words("public", "pairwise"),
    "jwks": {"type": "object"},
    "jwks_uri": words("https://localhost/jwks", "http://169.254.169.254/"),
    "sector_identifier_uri": TEXT,
    "id_token_signed_response_alg": words("RS256", "none"),
    "scope": TEXT,
    "contacts": {"type": "array", "items": TEXT},
    "default_max_age": {"type": "integer"},
    "software_statement": TEXT,
}
SIGN_IN = {"email": words(ADA), "password": words(PASSWORD), "next": TEXT, "scope": TEXT, "token": TEXT}
NAMED = {
    **dict.fromkeys(("name", "kind", "value", "audience", "session_id", "client_id", "user", "role"), TEXT),
    "scopes": {"type": "array", "items": TEXT},
    "description": TEXT,
}

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def bodies(
    paths: Sequence[str], fields: Mapping[str, Schema], kinds: Sequence[str]
) -> Iterator[tuple[str, Schema]]:
    """Describe endpoints that are posted to."""
    content = {kind: {"schema": {"type": "object", "properties": dict(fields)}} for kind in kinds}
    for path in paths:
        yield (
            path,
            {"post": {"requestBody": {"content": content}, "responses": {"default": {"description": ""}}}},
        )


def queries(paths: Sequence[str], fields: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Describe endpoints that are got."""
    parameters = [{"name": name, "in": "query", "schema": kind} for name, kind in fields.items()]
    for path in paths:
        inside = [
            {"name": "handle", "in": "path", "required": True, "schema": TEXT}
            for _ in range("{handle}" in path)
        ]
        yield (
            path,
            {"get": {"parameters": [*parameters, *inside], "responses": {"default": {"description": ""}}}},
        )


def description(client_id: str, secret: str) -> Schema:
    """Return the endpoints as an OpenAPI document."""
    authorization, token = request_parameters(client_id), token_parameters(client_id, secret)
    logout = dict.fromkeys(("id_token_hint", "logout_hint", "state", "ui_locales"), TEXT) | {
        "client_id": words(client_id),
        "post_logout_redirect_uri": words(CALLBACK),
    }
    described = [
        *queries(["/auth/authorize"], authorization),
        *bodies(["/auth/authorize"], authorization, [FORM]),
        *bodies(["/auth/par"], {**authorization, **token}, [FORM]),
        *bodies(["/auth/token", "/auth/introspect", "/auth/revoke"], token, [FORM, JSON]),
        *bodies(["/auth/userinfo"], {"access_token": TEXT}, [FORM]),
        *bodies(["/auth/register"], METADATA, [JSON]),
        *queries(["/auth/end-session"], logout),
        *bodies(["/auth/end-session"], logout, [FORM]),
        *queries(["/auth/continue/{handle}", "/auth/register/{handle}"], {}),
        *bodies(
            ["/auth/sign-in", "/auth/sign-up", "/auth/forgotten", "/auth/re-authenticate"],
            SIGN_IN,
            [FORM, JSON],
        ),
        *queries(
            ["/auth/userinfo", "/auth/session", "/auth/devices", "/auth/applications", "/auth/account"], {}
        ),
        *queries(["/auth/sign-in", "/auth/re-authenticate"], {"next": TEXT, "done": TEXT}),
        *queries(["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"], {}),
        *queries(["/auth/.well-known/jwks.json", "/.well-known/ssf-configuration"], {}),
        *bodies(
            ["/auth/applications", "/auth/admin/revocations", "/auth/admin/services"], NAMED, [FORM, JSON]
        ),
        *bodies(
            ["/auth/admin/clients", "/auth/admin/apis", "/auth/admin/roles"], {**METADATA, **NAMED}, [JSON]
        ),
        *bodies(["/auth/admin/permissions"], NAMED, [JSON]),
        *queries(
            ["/auth/admin/clients", "/auth/admin/apis", "/auth/admin/roles", "/auth/admin/permissions"], {}
        ),
    ]
    paths: dict[str, Schema] = {}
    for path, methods in described:
        paths.setdefault(path, {}).update(methods)
    return {"openapi": "3.1.0", "info": {"title": "coatcheck", "version": "1"}, "paths": paths}


def command(directory: Path, *arguments: str) -> Any:
    """Run a command of the program and return what it says as JSON."""
    ran = subprocess.run(  # noqa: S603 - ourselves, and a tool of ours
        [sys.executable, "-m", "coatcheck", *arguments, "--json"],
        cwd=directory,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(ran.stdout)


def environment() -> dict[str, str]:
    """Return the settings of the server: passwords are hashed at once, for they are not what is looked for."""
    return {
        "PATH": os.environ["PATH"],
        "COATCHECK_BASE_URL": ISSUER,
        "COATCHECK_REGISTRATION": "open",
        "COATCHECK_ARGON2_MEMORY_KIB": "64",
        "COATCHECK_ARGON2_TIME_COST": "1",
    }


async def add_ada(directory: Path) -> None:
    """Add somebody who may do everything."""
    pool = HashingPool(Argon2Parameters(memory_kib=64, time_cost=1), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    scopes = frozenset({"coatcheck:admin"})
    ada = ImportedUser(row=1, email=ADA, key=ADA, password_hash=encoded, scopes=scopes)
    async with open_flows(load_settings(environment={}, database=str(directory / "coatcheck.db"))) as flows:
        await flows.administration.import_users([ada])


def access_token() -> str:
    """Return an access token of hers."""
    body = json.dumps({"email": ADA, "password": PASSWORD}).encode()
    headers = {"Content-Type": JSON, "Accept": JSON}
    request = urllib.request.Request(f"{ISSUER}/auth/sign-in", body, headers)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
        token: str = json.load(answer)["access_token"]
        return token


@contextmanager
def serving(directory: Path) -> Iterator[None]:
    """Let a server run."""
    serve = [sys.executable, "-m", "coatcheck", "serve", "--port", str(PORT)]
    log = (directory / "log").open("wb")
    process = subprocess.Popen(serve, cwd=directory, env=environment(), stdout=log, stderr=log)  # noqa: S603
    with log, process:
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until and process.poll() is None:
                with suppress(OSError):
                    urllib.request.urlopen(f"{ISSUER}/.well-known/openid-configuration", timeout=5).close()  # noqa: S310
                    break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def thrown(directory: Path, seconds: int, *headers: str) -> int:
    """Throw requests for a while, and return how that ended."""
    tool = Path(sys.executable).with_name("st")
    options = [
        f"--max-time={seconds}",
        "--checks=not_a_server_error",
        "--warnings=off",
        "--phases=coverage,fuzzing",
    ]
    options += ["--suppress-health-check=all", "--request-timeout=10", "--max-redirects=0", "--workers=1"]
    sent = [f"--header={header}" for header in headers]
    ran = subprocess.run(  # noqa: S603 - ourselves, and a tool of ours
        [tool, "run", "openapi.json", f"--url={ISSUER}", *options, *sent], cwd=directory, check=False
    )
    return ran.returncode


def main() -> int:
    """Fuzz, and return the status to end with."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="for how long in all")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        asyncio.run(add_ada(directory))
        client = command(directory, "client", "add", "Fuzzed", "--redirect-uri", CALLBACK)
        command(directory, "api", "add", API, "--name", "Orders", "--scope", "orders:read=Read orders")
        document = description(client["client_id"], client["client_secret"])
        (directory / "openapi.json").write_text(json.dumps(document))
        with serving(directory):
            statuses = [
                thrown(directory, seconds // 2),
                thrown(directory, seconds // 2, f"Authorization: Bearer {access_token()}"),
            ]
        if any(statuses):
            print((directory / "log").read_text()[-5000:])
        return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
