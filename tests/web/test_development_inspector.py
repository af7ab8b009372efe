"""The token inspector of development: what it says of good tokens, bad ones and hostile ones, and to whom."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from coatcheck.jose import Key, KeySet, jwe, jwt
from tests.web.pages.html_reading import every, read
from tests.web.pages.inspector_samples import compact
from tests.web.sites import EMAIL, PASSWORD, Site, open_site

pytestmark = pytest.mark.anyio

ORIGIN = "http://localhost:8000"
PATH = "/auth/dev/token"
FORM = {"accept": "text/html", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
SECRET = "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu"
EC, OTHER_EC = Key.generate("ES256", kid="one"), Key.generate("ES256", kid="one")
RSA = Key.generate("RS256")
DEEP_HEADER = base64.urlsafe_b64encode(b"{" + b'"a":{' * 9_000).decode().rstrip("=") + ".e30."
EXAMPLE = {"sub": "ada", "iss": "https://id.example", "aud": "https://api.example"}


@pytest.fixture
async def development() -> AsyncIterator[Site]:
    async with open_site(mode="development", base_url=ORIGIN, smtp_url=None) as site:
        yield site


class Inspector:
    """Somebody at the page."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def send(self, **fields: str) -> httpx.Response:
        async with self.site.client(FORM) as client:
            client.base_url = httpx.URL(ORIGIN)
            return await client.post(PATH, data=fields)

    async def look(self, token: str, key: str = "", **fields: str) -> str:
        """Return the words of the report, in one line."""
        response = await self.send(token=token, key=key, **fields)
        assert response.status_code == 200
        [report] = [each for each in read(response.text) if each.get("id") == "report"]
        return " ".join(report.text.split())

    def sign(self, key: Key, *, lifetime: int = 300, **claims: Any) -> str:
        signer = jwt.Signer(
            key,
            issuer=EXAMPLE["iss"],
            audience=EXAMPLE["aud"],
            typ="at+jwt",
            lifetime=timedelta(seconds=lifetime),
        )
        return signer.sign({"sub": "ada", **claims}, now=self.site.clock())


@pytest.fixture
def inspector(development: Site) -> Inspector:
    return Inspector(development)


def secret_key(text: str, alg: str = "HS256") -> Key:
    return Key.from_secret(text.encode(), alg)


def public(key: Key) -> str:
    return json.dumps(key.to_jwk())


def pem(key: Key) -> str:
    return key.to_pem().decode()


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    message = compact(header, claims, "").rstrip(".")
    mac = hmac.digest(secret, message.encode(), hashlib.sha256)
    return f"{message}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


GENUINE = "The signature is genuine, and it is in force"


async def test_a_token_is_shown_with_the_meaning_of_all_that_is_in_it(inspector: Inspector) -> None:
    report = await inspector.look(inspector.sign(EC))
    assert "Signed token (JWS), compact form" in report
    assert '"ES256" ECDSA signature with SHA-256' in report
    assert '"https://id.example" who issued it' in report
    assert "expires in 5 minutes, 2027-01-15 08:05:00 UTC" in report
    assert "Not verified" in report


async def test_the_token_is_weighed_against_a_session_cookie_and_the_limits(inspector: Inspector) -> None:
    report = await inspector.look(inspector.sign(EC))
    assert "A session ID as cookie 68 bytes" in report
    assert "Browsers refuse cookies of more than 4,096 bytes; 8 KB" in report
    heavy = await inspector.look(inspector.sign(EC, roles=["x" * 60] * 60))
    assert "larger than the 4,096 bytes that browsers take" in heavy
    response = await inspector.send(token=inspector.sign(EC, roles=["x" * 60] * 60))
    assert 'class="bar-of is-over"' in response.text
    assert 'class="bar-of is-fits"' in response.text


async def test_a_warning_comes_with_its_severity_and_its_remedy(inspector: Inspector) -> None:
    report = await inspector.look(compact({"alg": "none"}, {"password": "hunter2"}))
    assert "danger It is not signed ('alg' is none)" in report
    assert "Take them out and replace them." in report


async def test_a_token_of_this_server_is_verified_with_its_own_keys(development: Site) -> None:
    await development.add_user()
    async with development.client({"accept": "*/*"}) as program:
        program.base_url = httpx.URL(ORIGIN)
        tokens = (await program.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})).json()
    inspector = Inspector(development)
    token = tokens["access_token"]
    report = await inspector.look(token)
    assert GENUINE in report
    assert "the times and the issuer, with one of this server's own keys" in report
    assert "Not checked: of what kind it is and for whom it is." in report
    head, _, signature = token.rpartition(".")
    assert "Refused Not made with this key" in await inspector.look(f"{head}.{'A' * len(signature)}")
    development.clock.now += 7_200
    assert "Refused Expired" in await inspector.look(token)


@pytest.mark.parametrize(
    "key, pasted, alg",
    [
        pytest.param(EC, public(EC), "", id="JWK"),
        pytest.param(
            EC, json.dumps({"keys": [OTHER_EC.with_kid("two").to_jwk(), EC.to_jwk()]}), "", id="JWK Set"
        ),
        pytest.param(EC, pem(EC), "", id="PEM"),
        pytest.param(RSA, pem(RSA), "RS256", id="PEM for several algorithms"),
        pytest.param(secret_key(SECRET), SECRET, "", id="secret"),
        pytest.param(secret_key(f"0{SECRET}"), f" 0{SECRET}\n", "", id="secret that begins like DER"),
        pytest.param(secret_key(SECRET * 2, "HS512"), SECRET * 2, "HS512", id="secret for HS512"),
    ],
)
async def test_a_genuine_token_is_verified_with_a_key_of_any_form(
    inspector: Inspector, key: Key, pasted: str, alg: str
) -> None:
    report = await inspector.look(inspector.sign(key), pasted, alg=alg)
    assert GENUINE in report
    assert "Checked: the signature and the times" in report
    assert "Not checked: of what kind it is, who issued it and for whom it is." in report


@pytest.mark.parametrize("encoding", ["hex", "base64url", "base64"])
async def test_a_secret_is_read_as_it_is_written(inspector: Inspector, encoding: str) -> None:
    written = SECRET.encode().hex() if encoding == "hex" else base64.b64encode(SECRET.encode()).decode()
    token = inspector.sign(secret_key(SECRET))
    assert GENUINE in await inspector.look(token, written, encoding=encoding)
    assert "The key cannot be used" in await inspector.look(token, "no! such! thing!", encoding=encoding)


async def test_an_issuer_audience_or_type_that_is_given_is_checked(inspector: Inspector) -> None:
    token, key = inspector.sign(EC), public(EC)
    right = {"issuer": EXAMPLE["iss"], "audience": EXAMPLE["aud"], "typ": "at+jwt"}
    report = await inspector.look(token, key, **right)
    assert "Valid Checked: the signature, the times, the type, the issuer and the audience" in report
    assert "Not checked" not in report
    for field, wrong, told in (
        (
            "issuer",
            "https://evil.example",
            'The token is from "https://id.example", expected "https://evil.example"',
        ),
        ("audience", "you", 'The token is for "https://api.example", expected "you"'),
        ("typ", "JWT", 'The token is of type "at+jwt", expected "JWT"; enter "at+jwt" as the type'),
    ):
        assert f"Refused {told}" in await inspector.look(token, key, **{**right, field: wrong})


@pytest.mark.parametrize(
    "key, alg, told",
    [
        pytest.param(public(OTHER_EC), "", "Refused Not made with this key, or", id="other"),
        pytest.param(
            public(EC.with_kid("b")), "", 'Refused No key has the identifier "one"', id="other name"
        ),
        pytest.param(
            pem(RSA), "RS256", 'Refused The token says "ES256", the key is for RS256', id="other type"
        ),
        pytest.param(SECRET, "", 'Refused The token says "ES256", the key is for HS256', id="secret"),
        pytest.param("secret", "", "The key is too weak to verify anything", id="weak secret"),
        pytest.param('{"kty": "EC", "crv": "P-256"}', "", "The key cannot be used", id="broken JWK"),
        pytest.param("{", "", "The key cannot be used", id="no JSON"),
        pytest.param('{"keys": []}', "", "None of these keys is there to verify signatures", id="empty set"),
        pytest.param(pem(EC)[:60], "", "The key cannot be used", id="cut off"),
        pytest.param(pem(EC), "HS256", "The key cannot be used", id="public key as secret"),
        pytest.param(public(EC), "no such", "The key cannot be used", id="unknown algorithm"),
        pytest.param(compact({"alg": "none"}, {}), "", "This is a token, not a key", id="token"),
        pytest.param(
            EC.to_private_pem(password=b"x" * 12).decode(),
            "",
            "The key is encrypted Paste the public key",
            id="encrypted",
        ),
    ],
)
async def test_a_key_that_does_not_verify_is_told_in_plain_words(
    inspector: Inspector, key: str, alg: str, told: str
) -> None:
    report = await inspector.look(inspector.sign(EC), key, alg=alg)
    assert told in report
    assert GENUINE not in report


async def test_a_private_key_verifies_and_is_warned_of(inspector: Inspector) -> None:
    report = await inspector.look(inspector.sign(EC), json.dumps(EC.to_private_jwk()))
    assert GENUINE in report
    assert "This is a private key." in report


# --- attacks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["", "RS256", "PS256", "HS256", "HS512", "ES256"])
async def test_a_public_key_never_serves_as_a_secret(inspector: Inspector, alg: str) -> None:
    """The oldest trick: sign with HMAC and the octets of the public key (RFC 8725 section 2.1)."""
    claims = {"exp": inspector.site.clock() + 300}
    for written in (pem(RSA), pem(RSA).strip()):
        token = forged({"alg": "HS256", "typ": "JWT"}, claims, written.encode())
        report = await inspector.look(token, pem(RSA), alg=alg)
        assert GENUINE not in report


async def test_the_token_does_not_choose_among_the_algorithms_of_a_key(inspector: Inspector) -> None:
    report = await inspector.look(inspector.sign(RSA), pem(RSA))
    assert "Which algorithm is the key for?" in report
    assert "A token never chooses how it is verified." in report
    assert GENUINE not in report


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
async def test_a_token_without_a_signature_is_refused_whatever_the_key(
    inspector: Inspector, alg: str
) -> None:
    token = compact({"alg": alg}, {"exp": inspector.site.clock() + 300, "iss": ORIGIN}, "")
    for key in ("", public(EC), SECRET):
        assert "Refused: it is not signed" in await inspector.look(token, key)


async def test_a_key_that_the_token_brings_along_is_not_used(inspector: Inspector) -> None:
    signer_claims = {"iss": ORIGIN, "exp": inspector.site.clock() + 300}
    token = jwt.Signer(OTHER_EC, issuer=ORIGIN, audience=None, lifetime=timedelta(minutes=5)).sign(
        {"sub": "ada"}, now=inspector.site.clock()
    )
    assert "Refused" in await inspector.look(token)  # names this server, is not signed by it
    head = compact({"alg": "ES256", "jwk": OTHER_EC.to_jwk()}, signer_claims)
    assert GENUINE not in await inspector.look(head)


MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</textarea>"


async def test_markup_in_a_token_stays_text(inspector: Inspector) -> None:
    token = compact({"alg": MARKUP, "typ": MARKUP, "kid": MARKUP, MARKUP: 1}, {MARKUP: MARKUP, "iss": MARKUP})
    for text in (
        token,
        MARKUP,
        f"{MARKUP}.{MARKUP}.{MARKUP}",
        json.dumps({"payload": MARKUP, "signature": ""}),
    ):
        response = await inspector.send(
            token=text, key=MARKUP, alg=MARKUP, encoding=MARKUP, issuer=MARKUP, audience=MARKUP, typ=MARKUP
        )
        elements = read(response.text)
        assert response.status_code == 200
        assert all(script.get("src") for script in every(elements, "script"))
        assert not every(elements, "img")
        assert not [name for each in elements for name in each.attributes if name.startswith("on")]


async def test_characters_that_are_not_seen_or_reorder_others_are_shown(inspector: Inspector) -> None:
    token = compact(
        {"alg": "HS256"}, {"sub": "\u202egnp.exe", "a\u200bb": "\u2066x\u2069 \x1b[2J", "lone": "\ud800"}
    )
    response = await inspector.send(token=token)
    [report] = [each for each in read(response.text) if each.get("id") == "report"]
    assert not {*report.text} & {"\u202e", "\u200b", "\u2066", "\u2069", "\x1b"}
    marks = {mark.text for mark in every(read(response.text), "mark")}
    assert {r"\u202e", r"\u200b", r"\u2066", r"\u2069", r"\ud800"} <= marks


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(compact({"alg": "HS256"}, {"a": "x" * 45_000}), id="one huge claim"),
        pytest.param(compact({"alg": "HS256"}, {f"c{n}": n for n in range(2_500)}), id="many claims"),
        pytest.param(compact({f"c{n}": n for n in range(2_500)}, {}), id="many parameters"),
        pytest.param(compact({"alg": "HS256"}, json.loads("[" * 60 + "]" * 60)), id="a deep list"),
        pytest.param(
            compact({"alg": "HS256"}, {"a": json.loads("[" * 60 + "1," * 5_000 + "1" + "]" * 60)}), id="both"
        ),
        pytest.param("eyJ" + "a" * 50_000 + ".a.b", id="a huge header that is none"),
        pytest.param("." * 50_000, id="dots"),
        pytest.param("{" * 20_000, id="braces"),
        pytest.param("a" * 60_000, id="one part"),
        pytest.param(DEEP_HEADER, id="a deep header"),
    ],
)
async def test_a_huge_or_deep_token_gets_an_answer_of_readable_size(inspector: Inspector, token: str) -> None:
    response = await inspector.send(token=token, key=SECRET)
    assert response.status_code == 200
    assert len(response.text) < 400_000


async def test_what_is_larger_than_any_server_takes_is_refused(inspector: Inspector) -> None:
    response = await inspector.send(token="a" * 70_000)
    assert response.status_code == 413


@pytest.mark.parametrize(
    "token, told",
    [
        ("", "What is in the token appears here."),
        (
            "x" * 43,
            "It has 1 part. A signed token has three and an encrypted one five. If it is a session ID",
        ),
        ("a.b", "It has 2 parts."),
        ("a.b.c", "Its header is"),
        ("-----BEGIN PUBLIC KEY-----", "This is a key or a certificate in PEM"),
        ('{"kty": "EC"}', "This is a key, not a token"),
        ("é.ü.ö", "Its header is not base64url"),
    ],
)
async def test_what_is_no_token_is_told_in_plain_words(inspector: Inspector, token: str, told: str) -> None:
    assert told in await inspector.look(token)


async def test_an_encrypted_token_shows_what_can_be_seen(inspector: Inspector) -> None:
    key = Key.generate("ECDH-ES+A256KW")
    token = jwe.encrypt(b'{"sub":"ada"}', key)
    report = await inspector.look(token, json.dumps(key.to_private_jwk()))
    assert "Encrypted token (JWE), compact form" in report
    assert "initialisation vector" in report
    assert "It is encrypted: only the holder of the key can read it." in report
    assert "Encrypted Only the holder of the key can read it, and know whether it is genuine." in report


async def test_a_token_in_json_is_shown_and_not_verified(inspector: Inspector) -> None:
    protected, payload, signature = inspector.sign(EC).split(".")
    flattened = {"payload": payload, "protected": protected, "signature": signature, "header": {"kid": "x"}}
    report = await inspector.look(json.dumps(flattened), public(EC))
    assert "flattened JSON form" in report
    assert "Unprotected header, which anyone can change" in report
    assert "Not verified Verified here is the compact form" in report
    bare = {"payload": payload, "signature": signature, "header": {"alg": "ES256"}}
    assert "Unprotected header, which anyone can change" in await inspector.look(json.dumps(bare))
    several = {"payload": payload, "signatures": [{"protected": protected, "signature": signature}] * 2}
    assert "Header 2" in await inspector.look(json.dumps(several))


async def test_a_program_may_ask_too_and_nonsense_is_refused(inspector: Inspector) -> None:
    async with inspector.site.client({"accept": "*/*"}) as program:
        program.base_url = httpx.URL(ORIGIN)
        answer = await program.post(PATH, json={"token": inspector.sign(EC), "key": public(EC)})
        assert GENUINE in answer.text
        for fields in ({"token": {"a": 1}}, {"token": 1}, {"key": None}):
            assert (await program.post(PATH, json=fields)).status_code == 400
        lone = b'{"token": "a.\\ud800.c", "key": "\\ud800"}'
        headers = {"content-type": "application/json"}
        assert (await program.post(PATH, content=lone, headers=headers)).status_code in {200, 400}


@pytest.mark.parametrize("before", ["Bearer ", "Authorization: Bearer ", "  \n", "DPoP "])
async def test_a_token_may_come_with_its_scheme_and_broken_into_lines(
    inspector: Inspector, before: str
) -> None:
    token = inspector.sign(EC)
    assert GENUINE in await inspector.look(f"{before}{token[:70]}\r\n  {token[70:]}\n", public(EC))


async def test_content_that_is_no_claims_is_shown_as_it_is(inspector: Inspector) -> None:
    assert '"just text"' in await inspector.look(compact({"alg": "HS256"}, "just text"))
    header, _, signature = compact({"alg": "HS256"}, {}).split(".")
    assert "There is none in the token: it is sent apart." in await inspector.look(f"{header}..{signature}")
    assert "bytes of binary content" in await inspector.look(f"{header}._____w.{signature}")


# --- who is answered, and what stays ------------------------------------------------------------------------


async def test_outside_of_development_there_is_no_such_page() -> None:
    async with open_site() as site, site.browser() as browser:
        assert (await browser.get(PATH)).status_code == 404
        assert (await browser.post(PATH, data={"token": "a.b.c"})).status_code == 404


async def test_no_other_machine_site_or_name_is_answered(development: Site) -> None:
    transport = httpx.ASGITransport(development.server.app, client=("192.0.2.1", 123))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=FORM) as stranger:
        assert (await stranger.get(PATH)).status_code == 403
        assert (await stranger.post(PATH, data={"token": "a.b.c"})).status_code == 403
    async with development.client(FORM) as client:
        client.base_url = httpx.URL(ORIGIN)
        rebound = await client.post(PATH, data={"token": "a.b.c"}, headers={"host": "evil.example"})
        assert rebound.status_code == 421
        cross = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert (await client.post(PATH, data={"token": "a.b.c"}, headers=cross)).status_code == 403


async def test_nothing_of_a_token_is_kept_logged_or_cached(
    inspector: Inspector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = inspector.sign(EC)
    response = await inspector.send(token=token, key=SECRET)
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert token[-40:] not in caplog.text
    assert SECRET not in caplog.text
    async with inspector.site.client(FORM) as client:
        client.base_url = httpx.URL(ORIGIN)
        assert token[-40:] not in (await client.get(PATH)).text
        assert token[-40:] not in (await client.get(PATH, params={"token": token})).text


async def test_a_secret_or_private_key_is_not_in_the_answer_and_a_public_one_is(inspector: Inspector) -> None:
    token = inspector.sign(EC)
    private = EC.to_private_jwk()
    for key in (SECRET, json.dumps(private), pem(EC)[:40] + "x" * 40):
        assert key not in (await inspector.send(token=token, key=key)).text
        assert private["d"] not in (await inspector.send(token=token, key=key)).text
    [field] = [
        each
        for each in read((await inspector.send(token=token, key=public(EC))).text)
        if each.get("id") == "key"
    ]
    assert field.text.strip() == public(EC)


async def test_the_example_is_a_genuine_token_with_its_public_key(inspector: Inspector) -> None:
    response = await inspector.send(example="yes")
    [report] = [each for each in read(response.text) if each.get("id") == "report"]
    assert GENUINE in " ".join(report.text.split())
    [key] = [each for each in read(response.text) if each.get("id") == "key"]
    assert "d" not in json.loads(key.text)


async def test_the_home_page_of_the_demonstration_leads_here(tmp_path: Any) -> None:
    from coatcheck.server.server import Server
    from coatcheck.server.settings import load_settings
    from coatcheck.server.standalone import make_application

    settings = load_settings(
        environment={},
        directory=tmp_path,
        mode="development",
        base_url=ORIGIN,
        database=str(tmp_path / "x.db"),
    )
    server = Server(settings)
    app = make_application(settings, demo=True, server=server)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            home = await client.get("/", headers={"accept": "text/html"})
    finally:
        await server.close()
    assert f'href="{PATH}"' in home.text


async def test_keys_that_cannot_be_told_apart_are_told_in_plain_words(inspector: Inspector) -> None:
    both = KeySet([EC]).to_jwks()
    twice = json.dumps({"keys": [*both["keys"], OTHER_EC.to_jwk()]})
    assert "The key cannot be used" in await inspector.look(inspector.sign(EC), twice)
