import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from coatcheck.web import bodies
from coatcheck.web.bodies import MAX_FIELDS, MAX_OCTETS, parse_pairs, read_fields, typed
from coatcheck.web.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    MalformedRequestError,
    RequestError,
    UnsupportedContentError,
)
from coatcheck.web.requests import ResetPassword, SignIn

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def request(
    body: bytes | list[bytes], content_type: str | None = FORM, *, headers: dict[str, str] | None = None
) -> Request:
    chunks = body if isinstance(body, list) else [body]

    async def messages() -> AsyncIterator[Message]:
        for chunk in chunks[:-1]:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": chunks[-1], "more_body": False}

    return made(anext_of(messages()), content_type, headers=headers)


def anext_of(messages: AsyncIterator[Message]) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return await anext(messages)

    return receive


def made(
    receive: Callable[[], Awaitable[Message]],
    content_type: str | None = FORM,
    *,
    headers: dict[str, str] | None = None,
) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    if content_type is not None:
        raw.append((b"content-type", content_type.encode()))
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def test_a_form_is_read() -> None:
    assert await read_fields(request(b"email=a%40b.example&password=+p%C3%A4ss%20")) == {
        "email": "a@b.example",
        "password": " päss ",
    }


async def test_raw_utf_8_in_a_form_is_read() -> None:
    assert await read_fields(request("password=päss".encode())) == {"password": "päss"}


async def test_json_is_read_in_pieces() -> None:
    body = [b'{"ema', b'il": "a@b.example"', b"}"]
    assert await read_fields(request(body, f'{JSON}; profile=x; charset="UTF-8"')) == {"email": "a@b.example"}


@pytest.mark.parametrize("content_type", [FORM, None])
async def test_nothing_has_no_fields(content_type: str | None) -> None:
    assert await read_fields(request(b"", content_type)) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        f"{FORM};charset=iso-8859-1",
        "application/jsonx",
        "application/json, text/plain",
    ],
)
async def test_other_content_is_not_read(content_type: str | None) -> None:
    with pytest.raises(UnsupportedContentError):
        await read_fields(request(b"{}", content_type))


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
async def test_a_compressed_body_is_not_read(coding: str) -> None:
    with pytest.raises(UnsupportedContentError):
        await read_fields(request(b"\x1f\x8b", JSON, headers={"content-encoding": coding}))


async def test_two_content_types_are_refused() -> None:
    with pytest.raises(MalformedRequestError):
        await read_fields(request(b"{}", JSON, headers={"content-type": FORM}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"email": "a@b.exam',
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": {"c": 1}}}',
        b'{"a": ' + b"[" * 60_000 + b"}",
        b'{"email": "\xff"}',
        b'{"email": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        '{"a": "b"}'.encode("utf-16"),
        b"\x00\x01\x02\xff\xfe",
        b"{} {}",
    ],
)
async def test_json_that_is_not_one_flat_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        await read_fields(request(body, JSON))


@pytest.mark.parametrize(
    "body",
    [
        b"email=a&email=b",
        b"email=a&%65mail=b",
        b"email",
        b"a=b&",
        b"a=%4",
        b"a=%zz",
        b"a=%ff",
        b"a=\xff",
        b"a=%ed%a0%80",
        b"\x00\xff\xfe\x80",
        b"&".join(b"f%d=x" % number for number in range(MAX_FIELDS + 1)),
        b"&" * 60_000,
    ],
)
async def test_a_form_that_can_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        await read_fields(request(body))


async def test_as_many_fields_as_allowed_are_read() -> None:
    body = b"&".join(b"f%d=x" % number for number in range(MAX_FIELDS))
    assert len(await read_fields(request(body))) == MAX_FIELDS


@pytest.mark.parametrize("announced", [str(MAX_OCTETS + 1), "9" * 5000])
async def test_a_body_that_says_it_is_too_large_is_not_waited_for(announced: str) -> None:
    async def never() -> Message:
        raise AssertionError("read all the same")

    with pytest.raises(BodyTooLargeError):
        await read_fields(made(never, headers={"content-length": announced}))


async def test_a_body_that_turns_out_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    with pytest.raises(BodyTooLargeError):
        await read_fields(made(endless))
    assert read == MAX_OCTETS // 1024 + 1


async def test_the_largest_body_is_read() -> None:
    fields = await read_fields(request(b"a=" + b"x" * (MAX_OCTETS - 2)))
    assert len(fields["a"]) == MAX_OCTETS - 2


async def test_a_body_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "TIMEOUT", 0.05)

    async def trickle() -> Message:
        await asyncio.sleep(0.005)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(BodyTimeoutError):
        await read_fields(made(trickle))


async def test_a_client_that_goes_away_is_told_apart_from_errors() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await read_fields(made(gone))


def test_a_missing_field_is_named() -> None:
    with pytest.raises(MalformedRequestError, match="password") as refusal:
        typed({"email": "a@b.example"}, SignIn)
    assert refusal.value.field == "password"


@pytest.mark.parametrize("wrong", [1, None, True, ["secret-value"], {"secret-value": "x"}])
def test_a_field_of_the_wrong_type_is_named_and_not_repeated(wrong: Any) -> None:
    with pytest.raises(MalformedRequestError) as refusal:
        typed({"token": "x", "new_password": wrong}, ResetPassword)
    assert refusal.value.field == "new_password"
    assert "secret-value" not in refusal.value.message


def test_a_choice_that_is_none_is_named_and_not_repeated() -> None:
    with pytest.raises(MalformedRequestError) as refusal:
        typed({"email": "a", "password": "b", "credential": "secret-value"}, SignIn)
    assert refusal.value.field == "credential"
    assert "secret-value" not in refusal.value.message


def test_what_is_not_known_is_ignored() -> None:
    assert typed({"email": "a", "password": "b", "is_admin": True}, SignIn) == SignIn(email="a", password="b")


def test_a_request_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(SignIn(email="a", password="hunter2"))


@given(st.binary(max_size=300))
def test_any_bytes_are_fields_or_a_designed_refusal(text: bytes) -> None:
    try:
        fields = parse_pairs(text)
    except RequestError:
        return
    assert all(isinstance(value, str) for value in fields.values())


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1, max_size=MAX_FIELDS))
def test_what_a_browser_encodes_is_read_as_it_was(fields: dict[str, str]) -> None:
    from urllib.parse import urlencode

    assert parse_pairs(urlencode(fields).encode()) == fields
