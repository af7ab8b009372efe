"""Shared Signals over HTTP: SSF 1.0 section by section, and RFC 8936 where events are polled for."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from coatcheck.flows.model import Service
from coatcheck.integrations.fastapi import Auth
from coatcheck.revocation.security_events import CREDENTIAL_CHANGE, SESSION_REVOKED, VERIFICATION
from coatcheck.server import load_settings
from tests.web.sites import ORIGIN, Site, bearer, open_site

pytestmark = pytest.mark.anyio

STREAM = "/auth/signals/stream"
STATUS = "/auth/signals/status"
ADD = "/auth/signals/subjects/add"
REMOVE = "/auth/signals/subjects/remove"
VERIFY = "/auth/signals/verification"
PUSH = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://receiver.example/events?a=b"}
POLL = {"method": "urn:ietf:rfc:8936"}
SECRET = "Bearer a-secret-of-the-receiver"
UNKNOWN = "urn:example:unknown"
Fields = dict[str, Any]


async def service(site: Site, name: str = "billing", audience: str | None = None) -> tuple[Service, str]:
    return await site.server.flows.services.add(name, audience=audience)


@asynccontextmanager
async def receiver(
    site: Site, name: str = "billing", audience: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await service(site, name, audience)
    async with site.client(bearer(key)) as client:
        yield client


async def create(client: httpx.AsyncClient, **fields: Any) -> Fields:
    response = await client.post(STREAM, json=fields)
    assert response.status_code == 201, response.text
    stream: Fields = response.json()
    return stream


async def end_a_session(site: Site, email: str = "ann@example.com") -> str:
    if await site.server.storage.records.find_user_by_email(email) is None:
        await site.add_user(email)
    tokens = await site.tokens(email)
    async with site.client(bearer(tokens["access_token"])) as program:
        assert (await program.post("/auth/sign-out")).status_code == 204
    sid: str = jwt.decode(tokens["access_token"], options={"verify_signature": False})["sid"]
    return sid


def poll_path(stream: Fields) -> str:
    url: str = stream["delivery"]["endpoint_url"]
    return url.removeprefix(ORIGIN)


async def poll(client: httpx.AsyncClient, stream: Fields, **fields: Any) -> Fields:
    response = await client.post(poll_path(stream), json={"returnImmediately": True} | fields)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    answer: Fields = response.json()
    return answer


def claims_of(token: str) -> Fields:
    claims: Fields = jwt.decode(token, options={"verify_signature": False})
    return claims


# --- 7: the transmitter's configuration -------------------------------------------------------------------


async def test_ssf_section_7_the_configuration_is_for_everybody_and_names_endpoints_that_are_there(
    site: Site,
) -> None:
    transport = httpx.ASGITransport(site.server.app.root["/.well-known/ssf-configuration"])
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as anybody:
        response = await anybody.get("/.well-known/ssf-configuration")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert document["spec_version"] == "1_0"
    assert document["issuer"] == ORIGIN
    assert document["default_subjects"] == "ALL"
    assert document["delivery_methods_supported"] == ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
    assert document["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6750"}]
    assert all(document.values())  # section 7.2.4: what has no elements is left out
    async with site.program() as program:
        for name, url in document.items():
            if name.endswith("_endpoint") or name == "jwks_uri":
                assert url.startswith("https://")
                allowed = (await program.options(url)).headers["allow"]
                assert ("POST" in allowed) == (name != "jwks_uri")


# --- 8: who may ask ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method, path",
    [
        *[(method, STREAM) for method in ("GET", "POST", "PATCH", "PUT", "DELETE")],
        *[("GET", STATUS), ("POST", STATUS), ("POST", ADD), ("POST", REMOVE), ("POST", VERIFY)],
        ("POST", "/auth/signals/poll/x"),
    ],
    ids=lambda value: value.rpartition("/")[2],
)
async def test_ssf_section_8_nobody_gets_anywhere_without_a_services_key(
    site: Site, method: str, path: str
) -> None:
    async with site.program() as program:
        missing = await program.request(method, path, json={})
        wrong = await program.request(method, path, json={}, headers=bearer("cck_wrong"))
    assert missing.status_code == wrong.status_code == 401
    assert missing.headers["www-authenticate"].startswith("Bearer")
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]


async def test_ssf_section_8_a_stream_is_its_services_alone_and_others_cannot_tell_that_it_is_there(
    site: Site,
) -> None:
    async with receiver(site) as owner, receiver(site, "other") as other:
        stream = await create(owner)
        named = {"stream_id": stream["stream_id"]}
        nobodys = {"stream_id": "nobodys"}
        user = {"format": "iss_sub", "iss": ORIGIN, "sub": "ann"}
        changes: list[tuple[str, str, Fields]] = [
            ("PATCH", STREAM, {}),
            ("PUT", STREAM, {}),
            ("POST", STATUS, {"status": "disabled"}),
            ("POST", ADD, {"subject": user}),
            ("POST", REMOVE, {"subject": user}),
            ("POST", VERIFY, {}),
            ("POST", poll_path(stream), {"returnImmediately": True}),
        ]
        for method, path, extra in changes:
            refused = await other.request(method, path, json=named | extra)
            missing = await other.request(method, path.replace(named["stream_id"], "x"), json=nobodys | extra)
            assert refused.status_code == missing.status_code == 404, (method, path)
            assert refused.json() == missing.json()
        for method, path in [("GET", STREAM), ("DELETE", STREAM), ("GET", STATUS)]:
            refused = await other.request(method, path, params=named)
            missing = await other.request(method, path, params=nobodys)
            assert refused.status_code == missing.status_code == 404, (method, path)
            assert refused.json() == missing.json()
        assert (await other.get(STREAM)).json() == []
        assert (await owner.get(STREAM)).json() == [stream]


# --- 8.1.1: the configuration of a stream -----------------------------------------------------------------


async def test_ssf_section_8_1_1_1_a_stream_without_a_method_is_polled(site: Site) -> None:
    async with receiver(site, audience="https://api.example") as client:
        stream = await create(client)
        stream_id = stream.pop("stream_id")
        assert stream == {
            "iss": ORIGIN,
            "aud": "https://api.example",
            "delivery": {
                "method": "urn:ietf:rfc:8936",
                "endpoint_url": f"{ORIGIN}/auth/signals/poll/{stream_id}",
            },
            "events_supported": [SESSION_REVOKED, CREDENTIAL_CHANGE],
            "events_delivered": [SESSION_REVOKED, CREDENTIAL_CHANGE],
            "min_verification_interval": 5,
        }


async def test_ssf_section_8_1_1_1_what_is_not_known_is_ignored_and_what_is_not_asked_for_not_delivered(
    site: Site,
) -> None:
    async with receiver(site) as client:
        requested = [UNKNOWN, CREDENTIAL_CHANGE, UNKNOWN]
        stream = await create(client, events_requested=requested, delivery=PUSH, description="x" * 600)
        assert stream["events_requested"] == [UNKNOWN, CREDENTIAL_CHANGE]
        assert stream["events_delivered"] == [CREDENTIAL_CHANGE]
        assert stream["delivery"] == PUSH
        assert stream["description"] == "x" * 500
        assert stream["aud"] == "billing"


async def test_ssf_section_8_1_1_1_a_second_stream_is_a_conflict(site: Site) -> None:
    async with receiver(site) as client:
        await create(client)
        assert (await client.post(STREAM, json={})).status_code == 409


@pytest.mark.parametrize(
    "content_type, status",
    [(None, 201), ("application/json", 201), ("application/json; charset=latin-1", 415), ("text/plain", 415)],
)
async def test_ssf_examples_have_no_content_type_and_are_understood(
    site: Site, content_type: str | None, status: int
) -> None:
    async with receiver(site) as client:
        headers = {} if content_type is None else {"content-type": content_type}
        response = await client.post(STREAM, content=b"{}", headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"description": 1}',
        b'{"description": "a", "description": "b"}',
        b'{"delivery": {}}',
        b'{"delivery": {"method": "urn:ietf:rfc:9999"}}',
        b'{"delivery": {"method": "urn:ietf:rfc:8935"}}',
        b'{"events_requested": "all"}',
        b'{"events_requested": [""]}',
        b'{"events_requested": ["two words"]}',
        b'{"events_requested": ["' + b"x" * 513 + b'"]}',
        b'{"a": {"b": {"c": {"d": {}}}}}',
    ],
)
async def test_ssf_section_8_1_1_1_what_cannot_be_parsed_is_400(site: Site, body: bytes) -> None:
    async with receiver(site) as client:
        response = await client.post(STREAM, content=body, headers={"content-type": "application/json"})
        assert response.status_code == 400
        assert (await client.get(STREAM)).json() == []


@pytest.mark.parametrize(
    "headers, status",
    [
        ([("content-encoding", "gzip")], 415),
        ([("content-type", "application/json"), ("content-type", "application/json")], 400),
    ],
    ids=["compressed", "two types"],
)
async def test_a_body_that_two_readers_could_read_differently_is_refused(
    site: Site, headers: list[tuple[str, str]], status: int
) -> None:
    async with receiver(site) as client:
        everything = [*client.headers.multi_items(), *headers]
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(site.server.app), base_url=ORIGIN
        ) as plain:
            response = await plain.post(STREAM, content=b"{}", headers=everything)
        assert response.status_code == status


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "https:///events",
        "https://user@receiver.example/",
        "https://:secret@receiver.example/",
        "https://receiver.example/#fragment",
        "https://receiver.example\\@10.0.0.1/",
        "https://receiver.example:99999/",
        "https://receiver.example/a b",
        "https://receiver.example/\r\nHost: x",
        "https://bücher.example/",
        "https://[::1",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://192.0.0.192/opc/v2/",
        "https://[3fff::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://" + "x" * 2048,
        "file:///etc/passwd",
        "",
    ],
)
async def test_server_side_request_forgery_urls_that_lead_inside_are_refused(site: Site, url: str) -> None:
    async with receiver(site) as client:
        response = await client.post(STREAM, json={"delivery": PUSH | {"endpoint_url": url}})
        assert response.status_code == 400
        assert response.json()["field"] == "endpoint_url"


@pytest.mark.parametrize(
    "url", ["https://192.0.1.1/", "https://[2a00::1]:8443/x", "https://receiver.example"]
)
async def test_urls_that_lead_outside_are_not(site: Site, url: str) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH | {"endpoint_url": url})
        assert stream["delivery"]["endpoint_url"] == url


async def test_ssf_section_8_1_1_3_patch_changes_what_it_names_and_nothing_else(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH, description="a", events_requested=[SESSION_REVOKED])
        change = {"stream_id": stream["stream_id"], "description": "b"}
        response = await client.patch(STREAM, json=change)
        assert response.status_code == 200
        assert response.json() == stream | {"description": "b"}
        change = {"stream_id": stream["stream_id"], "delivery": POLL, "description": None}
        changed = (await client.patch(STREAM, json=change)).json()
        assert changed["delivery"]["method"] == "urn:ietf:rfc:8936"
        assert "description" not in changed
        assert changed["events_delivered"] == [SESSION_REVOKED]


async def test_ssf_section_8_1_1_4_put_deletes_what_it_does_not_name(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH, description="a", events_requested=[SESSION_REVOKED])
        replaced = (await client.put(STREAM, json={"stream_id": stream["stream_id"]})).json()
        assert replaced["delivery"]["method"] == "urn:ietf:rfc:8936"
        assert "description" not in replaced
        assert "events_requested" not in replaced
        # To read, modify and replace is what receivers do.
        again = await client.put(STREAM, json=replaced | {"delivery": PUSH, "description": "c"})
        assert again.status_code == 200
        assert again.json()["delivery"] == PUSH


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    "supplied",
    [
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"events_delivered": []},
        {"events_supported": [SESSION_REVOKED]},
        {"min_verification_interval": 0},
    ],
    ids=lambda supplied: next(iter(supplied)),
)
async def test_ssf_section_8_1_1_3_what_is_the_transmitters_must_be_as_it_says(
    site: Site, method: str, supplied: Fields
) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        right = {name: stream[name] for name in supplied} | {"stream_id": stream["stream_id"]}
        assert (await client.request(method, STREAM, json=right)).status_code == 200
        assert (await client.request(method, STREAM, json=right | supplied)).status_code == 400


async def test_the_receivers_authorization_is_never_shown_and_kept_where_the_url_is(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH | {"authorization_header": SECRET})
        stream_id = stream["stream_id"]
        assert "secret" not in str(stream)
        assert "secret" not in (await client.get(STREAM)).text
        stored = await site.server.storage.records.find_stream(stream_id)
        assert stored is not None
        assert stored.sealed_authorization is not None
        assert b"secret" not in stored.sealed_authorization
        await client.patch(STREAM, json={"stream_id": stream_id, "delivery": PUSH, "description": "a"})
        kept = await site.server.storage.records.find_stream(stream_id)
        assert kept is not None
        assert kept.sealed_authorization == stored.sealed_authorization
        await client.patch(
            STREAM, json={"stream_id": stream_id, "delivery": PUSH | {"authorization_header": None}}
        )
        dropped = await site.server.storage.records.find_stream(stream_id)
        assert dropped is not None
        assert dropped.sealed_authorization is None


async def test_who_stole_a_services_key_cannot_have_the_receivers_authorization_sent_to_themselves(
    site: Site,
) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH | {"authorization_header": SECRET})
        elsewhere = PUSH | {"endpoint_url": "https://thief.example/"}
        for method in ("PATCH", "PUT"):
            await client.request(
                method, STREAM, json={"stream_id": stream["stream_id"], "delivery": elsewhere}
            )
            stored = await site.server.storage.records.find_stream(stream["stream_id"])
            assert stored is not None
            assert stored.sealed_authorization is None


@pytest.mark.parametrize("value", ["", " x", "a\r\nHost: b", "ä", "x" * 4097], ids=range(5))
async def test_an_authorization_that_could_break_out_of_its_header_is_refused(site: Site, value: str) -> None:
    async with receiver(site) as client:
        response = await client.post(STREAM, json={"delivery": PUSH | {"authorization_header": value}})
        assert response.status_code == 400


async def test_ssf_section_8_1_1_5_a_deleted_stream_is_gone_with_its_events(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        await end_a_session(site)
        named = {"stream_id": stream["stream_id"]}
        assert (await client.delete(STREAM)).status_code == 400
        response = await client.delete(STREAM, params=named)
        assert response.status_code == 204
        assert response.content == b""
        assert response.headers["cache-control"] == "no-store"
        assert (await client.delete(STREAM, params=named)).status_code == 404
        again = await create(client)
        assert again["stream_id"] != stream["stream_id"]
        assert (await poll(client, again))["sets"] == {}


async def test_a_service_that_is_removed_takes_its_stream_along(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        await site.server.flows.services.remove("billing")
        assert (await client.get(STREAM)).status_code == 401
        assert await site.server.storage.records.find_stream(stream["stream_id"]) is None


# --- 8.1.2: its status ------------------------------------------------------------------------------------


async def test_ssf_section_8_1_2_a_paused_stream_keeps_what_comes_and_brings_it_in_order_afterwards(
    site: Site,
) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        named = {"stream_id": stream["stream_id"]}
        assert (await client.get(STATUS, params=named)).json() == named | {"status": "enabled"}
        before = await end_a_session(site)
        paused = await client.post(STATUS, json=named | {"status": "paused", "reason": "maintenance"})
        assert paused.status_code == 200
        assert paused.json() == named | {"status": "paused", "reason": "maintenance"}
        sids = [before, await end_a_session(site), await end_a_session(site)]
        assert await poll(client, stream) == {"sets": {}, "moreAvailable": False}
        await client.post(STATUS, json=named | {"status": "enabled"})
        assert (await client.get(STATUS, params=named)).json() == named | {"status": "enabled"}
        sets = (await poll(client, stream))["sets"]
        assert [claims_of(each)["sub_id"]["session"]["id"] for each in sets.values()] == sids


async def test_ssf_section_8_1_2_a_disabled_stream_holds_nothing(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        named = {"stream_id": stream["stream_id"]}
        await end_a_session(site)
        await client.post(STATUS, json=named | {"status": "disabled"})
        await end_a_session(site)
        assert (await poll(client, stream))["sets"] == {}
        assert (await client.post(VERIFY, json=named)).status_code == 400
        await client.post(STATUS, json=named | {"status": "enabled"})
        assert (await poll(client, stream))["sets"] == {}
        sid = await end_a_session(site)
        (token,) = (await poll(client, stream))["sets"].values()
        assert claims_of(token)["sub_id"]["session"]["id"] == sid


async def test_ssf_section_8_1_2_another_status_is_none(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        body = {"stream_id": stream["stream_id"], "status": "asleep"}
        assert (await client.post(STATUS, json=body)).status_code == 400
        assert (await client.get(STATUS)).status_code == 400


# --- 8.1.3: subjects --------------------------------------------------------------------------------------


async def test_ssf_section_8_1_3_subjects_are_removed_and_added(site: Site) -> None:
    user = await site.add_user("ann@example.com")
    subject = {"format": "iss_sub", "iss": ORIGIN, "sub": user.id}
    async with receiver(site) as client:
        stream = await create(client)
        body = {"stream_id": stream["stream_id"], "subject": subject}
        removed = await client.post(REMOVE, json=body)
        assert (removed.status_code, removed.content) == (204, b"")
        await end_a_session(site)
        assert (await poll(client, stream))["sets"] == {}
        added = await client.post(ADD, json=body | {"verified": True})
        assert (added.status_code, added.content) == (200, b"")
        await end_a_session(site)
        assert len((await poll(client, stream))["sets"]) == 1


async def test_ssf_section_9_1_whether_a_user_exists_is_not_told(site: Site) -> None:
    user = await site.add_user()
    async with receiver(site) as client:
        stream = await create(client)
        answers = [
            await client.post(
                path,
                json={
                    "stream_id": stream["stream_id"],
                    "subject": {"format": "iss_sub", "iss": ORIGIN, "sub": sub},
                },
            )
            for path in (ADD, REMOVE)
            for sub in (user.id, "nobody")
        ]
        assert [each.status_code for each in answers] == [200, 200, 204, 204]
        email = {"stream_id": stream["stream_id"], "subject": {"format": "email", "email": "ann@example.com"}}
        assert [(await client.post(path, json=email)).status_code for path in (ADD, REMOVE)] == [404, 404]


# --- 8.1.4: verification ----------------------------------------------------------------------------------


async def test_ssf_section_8_1_4_a_verification_repeats_the_state(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client, events_requested=[UNKNOWN])
        named = {"stream_id": stream["stream_id"]}
        response = await client.post(VERIFY, json=named | {"state": "any text: ü"})
        assert (response.status_code, response.content) == (204, b"")
        (token,) = (await poll(client, stream))["sets"].values()
        claims = claims_of(token)
        assert claims["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
        assert claims["events"] == {VERIFICATION: {"state": "any text: ü"}}


async def test_ssf_section_8_1_4_2_who_asks_too_often_is_told_to_wait(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        named = {"stream_id": stream["stream_id"]}
        assert (await client.post(VERIFY, json=named)).status_code == 204
        refused = await client.post(VERIFY, json=named)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "5"
        site.clock.now += stream["min_verification_interval"]
        assert (await client.post(VERIFY, json=named)).status_code == 204
        assert (await client.post(VERIFY, json=named | {"state": "x" * 2049})).status_code == 400


# --- RFC 8936 ---------------------------------------------------------------------------------------------


async def test_a_set_is_what_it_must_be_in_the_eyes_of_another_implementation(site: Site) -> None:
    site.clock.now = time.time()  # PyJWT reads the clock
    async with receiver(site, audience="https://api.example") as client:
        stream = await create(client)
        sid = await end_a_session(site)
        ((jti, token),) = (await poll(client, stream))["sets"].items()
        jwks = jwt.PyJWKSet.from_dict((await client.get("/auth/.well-known/jwks.json")).json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "secevent+jwt"  # RFC 8417 section 2.3
    claims = jwt.decode(
        token,
        jwks[header["kid"]],
        algorithms=["ES256"],
        audience="https://api.example",
        issuer=ORIGIN,
        options={"require": ["iss", "aud", "iat", "jti", "events", "sub_id"]},
    )
    assert claims["jti"] == jti
    assert not {"sub", "exp"} & claims.keys()
    assert list(claims["events"]) == [SESSION_REVOKED]
    assert claims["sub_id"]["session"] == {"format": "opaque", "id": sid}
    assert claims["sub_id"]["user"]["iss"] == claims["iss"]


async def test_a_set_gives_no_access_to_anything(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        await end_a_session(site)
        (token,) = (await poll(client, stream))["sets"].values()
        async with site.client(bearer(token)) as program:
            assert (await program.get("/auth/session")).status_code == 401


async def test_rfc_8936_section_2_4_what_is_not_acknowledged_comes_again_the_same_and_what_is_does_not(
    site: Site,
) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        for _ in range(3):
            await end_a_session(site)
        first = (await poll(client, stream, maxEvents=2))["sets"]
        again = await poll(client, stream, maxEvents=2)
        assert list(again["sets"]) == list(first)
        assert [claims_of(each) for each in again["sets"].values()] == [
            claims_of(each) for each in first.values()
        ]
        assert again["moreAvailable"] is True
        rest = await poll(client, stream, ack=[*first, "unknown"])
        assert len(rest["sets"]) == 1
        assert not rest["sets"].keys() & first.keys()
        assert rest["moreAvailable"] is False
        # Section 2.2: nothing but an acknowledgement.
        assert await poll(client, stream, maxEvents=0, ack=[]) == {"sets": {}, "moreAvailable": True}
        assert await poll(client, stream, maxEvents=0, ack=list(rest["sets"])) == {
            "sets": {},
            "moreAvailable": False,
        }


async def test_rfc_8936_section_2_4_what_was_refused_does_not_come_again_and_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        await end_a_session(site)
        await end_a_session(site)
        first, second = (await poll(client, stream))["sets"]
        errors = {
            first: {"err": "invalid_state", "description": "quoted secret"},
            second: {"err": "no code\n"},
        }
        assert (await poll(client, stream, setErrs=errors))["sets"] == {}
    assert f"refused event {first} and will not get it again: invalid_state" in caplog.text
    assert "quoted secret" not in caplog.text
    assert "no code" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"maxEvents": -1},
        {"maxEvents": "1"},
        {"ack": "x"},
        {"ack": [1]},
        {"setErrs": []},
        {"setErrs": {"x": {}}},
        {"returnImmediately": "yes"},
    ],
    ids=str,
)
async def test_rfc_8936_section_2_2_a_poll_that_is_none_is_refused(site: Site, body: Fields) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        response = await client.post(poll_path(stream), json={"returnImmediately": True} | body)
        assert response.status_code == 400


async def test_a_stream_that_is_pushed_is_not_polled(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client, delivery=PUSH)
        path = f"/auth/signals/poll/{stream['stream_id']}"
        assert (await client.post(path, json={})).status_code == 404


async def test_rfc_8936_section_2_2_a_long_poll_is_answered_by_the_event_itself(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        waiting = asyncio.create_task(client.post(poll_path(stream), json={}))
        other = asyncio.create_task(client.post(poll_path(stream), json={"maxEvents": 1}))
        await site.add_user()  # something is committed, and it is no event
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await end_a_session(site)
        async with asyncio.timeout(2):
            answers = [await waiting, await other]
        assert [len(each.json()["sets"]) for each in answers] == [1, 1]


async def test_a_long_poll_ends_with_its_stream_and_with_the_server(site: Site) -> None:
    async with receiver(site) as client:
        stream = await create(client)
        waiting = asyncio.create_task(client.post(poll_path(stream), json={}))
        await asyncio.sleep(0.05)
        assert (await client.delete(STREAM, params={"stream_id": stream["stream_id"]})).status_code == 204
        async with asyncio.timeout(2):
            assert (await waiting).status_code == 404
        stream = await create(client)
        waiting = asyncio.create_task(client.post(poll_path(stream), json={}))
        await asyncio.sleep(0.05)
        site.server.flows.context.signals.bell.close()
        async with asyncio.timeout(2):
            assert (await waiting).json() == {"sets": {}, "moreAvailable": False}
            assert (await client.post(poll_path(stream), json={})).json()["sets"] == {}


async def test_a_long_poll_whose_client_has_gone_is_given_up(site: Site) -> None:
    _, key = await service(site)
    async with site.client(bearer(key)) as client:
        stream = await create(client)
    gone = asyncio.Event()
    body = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Fields:
        if body:
            return body.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    headers = [(b"authorization", f"Bearer {key}".encode()), (b"host", b"testserver")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": poll_path(stream),
        "query_string": b"",
        "headers": headers,
        "scheme": "https",
        "root_path": "",
        "client": ("192.0.2.1", 1),
        "server": ("testserver", 443),
        "http_version": "1.1",
    }
    polling = asyncio.create_task(site.server.app(scope, receive, send))
    await asyncio.sleep(0.05)
    assert not polling.done()
    gone.set()
    async with asyncio.timeout(2):
        await polling


async def test_development_pushes_to_this_machine_without_https_and_production_does_not() -> None:
    local = PUSH | {"endpoint_url": "http://127.0.0.1:8001/events"}
    async with open_site(mode="development", base_url="http://localhost:8000", smtp_url=None) as site:
        _, key = await service(site)
        transport = httpx.ASGITransport(site.server.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost:1234", headers=bearer(key)
        ) as client:
            stream = await create(client, delivery=local)
            assert stream["delivery"] == local
            change = {
                "stream_id": stream["stream_id"],
                "delivery": PUSH | {"endpoint_url": "http://192.0.2.1/"},
            }
            assert (await client.patch(STREAM, json=change)).status_code == 400
            polled = (await client.put(STREAM, json={"stream_id": stream["stream_id"]})).json()
            assert polled["delivery"]["endpoint_url"].startswith("http://localhost:1234/auth/signals/poll/")


async def test_the_configuration_is_at_the_root_of_an_application_too(tmp_path: Path) -> None:
    app = FastAPI()
    auth = Auth(app, settings=load_settings(environment={}, database=str(tmp_path / "coatcheck.db")))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as anybody:
        document = (await anybody.get("/.well-known/ssf-configuration")).json()
        assert document["status_endpoint"] == "http://localhost:8000/auth/signals/status"
        assert (await anybody.get(document["status_endpoint"])).status_code == 401
    await auth.server.close()
