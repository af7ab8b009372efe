"""Imports: the files of other systems become users, row by row, and a hostile file becomes refusals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.errors import ImportRefusedError
from coatcheck.accounts.hashes import verify_password
from coatcheck.accounts.importing import Container, FirebaseParameters, ImportedUser, UserReader, detect

VECTORS = Path(__file__).parent / "vectors"
BCRYPT = "$2b$04$z9uZ0LtlVAnL3DTaZpNbWu7bPLdjrme2mFxqhNxJgOudPkaHx0xxK"
BETTER_AUTH = json.loads((VECTORS / "better-auth.json").read_text(encoding="utf-8"))["hashes"][0]
FIREBASE = json.loads((VECTORS / "firebase.json").read_text(encoding="utf-8"))
PROJECT = FirebaseParameters(**FIREBASE["parameters"])

Rows = list[ImportedUser | ImportRefusedError]


def chunked(octets: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (octets[place : place + size] for place in range(0, len(octets), size))


def read(text: str | bytes, **options: Any) -> Rows:
    octets = text.encode() if isinstance(text, str) else text
    reader = UserReader(chunked(octets), **options)
    rows = list(reader)
    assert reader.octets == len(octets)
    return rows


def users_of(rows: Iterable[ImportedUser | ImportRefusedError]) -> list[ImportedUser]:
    users = [row for row in rows if isinstance(row, ImportedUser)]
    assert users == list(rows)
    return users


def read_one(row: dict[str, Any], **options: Any) -> ImportedUser:
    (user,) = users_of(read(json.dumps(row) + "\n", **options))
    return user


def reason_of(text: str | bytes, **options: Any) -> str:
    (row,) = read(text, **options)
    assert isinstance(row, ImportRefusedError)
    return row.reason


def reason_for(row: dict[str, Any], **options: Any) -> str:
    return reason_of(json.dumps(row) + "\n", **options)


# Formats


def test_a_csv_file_with_all_the_columns() -> None:
    text = (
        "email,password_hash,scopes,email_verified,disabled,created_at\r\n"
        f"Anna@Example.com,{BCRYPT},read write,true,false,2020-01-02T03:04:05Z\r\n"
        "bert@example.com,,,yes,1,1577934245\r\n"
    )
    anna, bert = users_of(read(text))
    assert (anna.email, anna.key, anna.password_hash) == ("Anna@example.com", "anna@example.com", BCRYPT)
    assert anna.scopes == {"read", "write"}
    assert (anna.disabled, anna.created_at) == (False, 1577934245.0)
    assert (bert.password_hash, bert.disabled, bert.created_at) == (None, True, 1577934245.0)
    assert bert.scopes == frozenset()
    assert (anna.row, bert.row) == (1, 2)


def test_the_names_of_columns_are_compared_without_case_and_marks_and_others_are_told() -> None:
    reader = UserReader(
        [f"User Name,E-Mail,passwordHash,Is_Active\nanna,anna@example.com,{BCRYPT},f\n".encode()]
    )
    (anna,) = users_of(list(reader))
    assert (anna.password_hash, anna.disabled) == (BCRYPT, True)
    assert reader.ignored == {"User Name"}


def test_auth0_s_export() -> None:
    user = read_one(
        {
            "_id": {"$oid": "5dea9f9c82dd7c0e76e4ec93"},
            "email_verified": True,
            "email": "user@example.com",
            "passwordHash": BCRYPT,
            "password_set_date": {"$date": "2019-12-06T18:36:12.412Z"},
            "tenant": "a-tenant",
            "connection": "Username-Password-Authentication",
            "_tmp_is_unique": True,
        }
    )
    assert (user.email, user.password_hash) == ("user@example.com", BCRYPT)


@pytest.mark.parametrize("verified", [True, False])
def test_auth0_s_export_where_the_address_is_among_the_identifiers_only(verified: object) -> None:
    identifiers = [
        {"type": "phone"},
        "?",
        {"type": "email", "value": "user@example.com", "verified": verified},
    ]
    user = read_one({"identifiers": identifiers, "passwordHash": BCRYPT})
    assert (user.email, user.email_verified) == ("user@example.com", verified)


def test_auth0_s_export_without_an_address_is_refused() -> None:
    assert (
        reason_for({"identifiers": [{"type": "phone"}], "passwordHash": BCRYPT}) == "it has no e-mail address"
    )


def firebase_user(**more: Any) -> dict[str, Any]:
    (entry,) = FIREBASE["hashes"]
    return {
        "localId": "abc",
        "email": "user1@example.com",
        "emailVerified": True,
        "passwordHash": entry["password_hash"],
        "salt": entry["salt"],
        "createdAt": "1577934245000",
        "disabled": False,
        "providerUserInfo": [],
        **more,
    }


@pytest.mark.parametrize("indent", [None, 2])
def test_firebase_s_json_export(indent: int | None) -> None:
    document = json.dumps(
        {"users": [firebase_user(), firebase_user(email="b@example.com", disabled=True)]}, indent=indent
    )
    one, other = users_of(read(document, firebase=PROJECT))
    assert one.password_hash is not None
    assert verify_password("user1password", one.password_hash)
    assert (one.created_at, one.disabled, other.disabled) == (1577934245.0, False, True)


def test_firebase_s_csv_export_which_has_no_header() -> None:
    (entry,) = FIREBASE["hashes"]
    cells = ["uid1", "user1@example.com", "true", entry["password_hash"], entry["salt"], '"Smith, Anna"'] + [
        ""
    ] * 22
    cells[23], cells[26] = "1577934245000", "true"
    (user,) = users_of(read(",".join(cells) + ",\n", firebase=PROJECT))
    assert user.password_hash is not None
    assert verify_password("user1password", user.password_hash)
    assert (user.created_at, user.disabled) == (1577934245.0, True)


def test_firebase_s_hashes_need_the_parameters_of_the_project() -> None:
    assert "password hash parameters" in reason_for(firebase_user())


def test_parameters_of_the_project_that_cannot_be_are_refused_by_row() -> None:
    bad = FirebaseParameters(signer_key="!", mem_cost=14)
    assert "password hash cannot be used" in reason_for(firebase_user(), firebase=bad)


def test_better_auth_s_users_with_their_accounts() -> None:
    accounts = [
        {"providerId": "github"},
        "?",
        {"providerId": "credential", "password": BETTER_AUTH["stored"]},
    ]
    row = {
        "id": "1",
        "email": "a@example.com",
        "emailVerified": True,
        "banned": None,
        "createdAt": 1577934245000,
    }
    user = read_one({**row, "accounts": accounts})
    assert user.password_hash is not None
    assert verify_password(BETTER_AUTH["password"], user.password_hash)
    assert (user.disabled, user.created_at) == (False, 1577934245.0)
    assert read_one({**row, "accounts": [{"providerId": "github"}]}).password_hash is None


def test_better_auth_s_columns() -> None:
    (user,) = users_of(read(f"email,emailVerified,password\na@example.com,1,{BETTER_AUTH['stored']}\n"))
    assert user.password_hash == "better-auth$" + BETTER_AUTH["stored"]


def django_user(**fields: Any) -> dict[str, Any]:
    usual = {
        "password": "pbkdf2_sha256$1000$salt$" + "A" * 43 + "=",
        "username": "anna",
        "email": "anna@example.com",
    }
    return {"model": "auth.user", "pk": 1, "fields": {**usual, "is_active": True, **fields}}


def test_django_s_dump_as_one_document_and_as_lines() -> None:
    records = [
        django_user(date_joined="2020-01-02T03:04:05.678Z"),
        {"model": "auth.permission", "pk": 1, "fields": {"name": "Can add"}},
        django_user(email="bert@example.com", is_active=False, password="!unusable"),
    ]
    for text in (json.dumps(records), json.dumps(records, indent=2), "\n".join(map(json.dumps, records))):
        anna, permission, bert = read(text)
        assert isinstance(anna, ImportedUser)
        assert isinstance(permission, ImportRefusedError)
        assert isinstance(bert, ImportedUser)
        assert (anna.created_at, anna.disabled) == (1577934245.678, False)
        assert (permission.row, permission.reason) == (2, "it is no user")
        assert (bert.row, bert.disabled, bert.password_hash) == (3, True, None)


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    for text in (
        "email\nanna@example.com\n",
        '{"email":"anna@example.com"}\n',
        '[{"email":"anna@example.com"}]',
    ):
        assert len(users_of(read(b"\xef\xbb\xbf" + text.encode()))) == 1


# Values


def test_an_empty_cell_says_as_little_about_an_address_as_a_column_that_is_not_there() -> None:
    for unsaid in ({}, {"email_verified": ""}, {"email_verified": None}):
        user = read_one({"email": "anna@example.com", "password": BCRYPT, **unsaid})
        assert (user.password_hash, user.email_verified) == (BCRYPT, True)


def test_an_address_that_was_never_verified_loses_its_password_unless_told_otherwise() -> None:
    for verified in (False, "false", 0):
        row = {"email": "anna@example.com", "password": BCRYPT, "email_verified": verified}
        user = read_one(row)
        assert (user.password_hash, user.email_verified) == (None, False)
        kept = read_one(row, keep_unverified_passwords=True)
        assert (kept.password_hash, kept.email_verified) == (BCRYPT, False)


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("2020-01-02T03:04:05Z", 1577934245),
        ("2020-01-02T04:04:05+01:00", 1577934245),
        ("2020-01-02 03:04:05", 1577934245),
        ("2020-01-02", 1577923200),
        (1577934245, 1577934245),
        (1577934245.5, 1577934245.5),
        ("1577934245000", 1577934245),
        ({"$date": "2020-01-02T03:04:05Z"}, 1577934245),
        (None, None),
        ("", None),
    ],
)
def test_a_time_is_iso_8601_seconds_or_milliseconds(value: Any, seconds: float | None) -> None:
    assert read_one({"email": "anna@example.com", "created_at": value}).created_at == seconds


@pytest.mark.parametrize(
    "value",
    ["yesterday", "-5", -5, True, "nan", "inf", 1e300, [], {}, "0001-01-01T00:00:00+14:00", "9" * 400],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    row = {"email": "anna@example.com", "created_at": value}
    if value == {}:
        assert read_one(row).created_at is None
    else:
        assert reason_for(row) == "its time of creation is not a time"


@pytest.mark.parametrize("value", ["read write", "read,write", " read , write ", ["read", "write"]])
def test_scopes_are_a_list_or_a_text(value: Any) -> None:
    assert read_one({"email": "anna@example.com", "scopes": value}).scopes == {"read", "write"}


@pytest.mark.parametrize("value", ['a"b', "ä", ["a b"], [1], [""], 5, {"a": 1}, ["ä"]])
def test_what_are_no_scopes_is_refused(value: Any) -> None:
    assert "its scopes" in reason_for({"email": "anna@example.com", "scopes": value})


@pytest.mark.parametrize("value", ["maybe", 2, [], {}, 1.5])
@pytest.mark.parametrize("name", ["disabled", "email_verified", "is_active"])
def test_what_is_neither_yes_nor_no_is_refused(name: str, value: Any) -> None:
    assert "neither yes nor no" in reason_for({"email": "anna@example.com", name: value})


@pytest.mark.parametrize(
    "email", [None, "", 5, ["a@example.com"], {"a": 1}, "anna", "anna@example.com\r\nBcc: x"]
)
def test_what_is_no_address_is_refused(email: Any) -> None:
    assert "e-mail address" in reason_for({"email": email})


@pytest.mark.parametrize(
    "value", ["secret-password", "5f4dcc3b5aa765d61d8327deb882cf99", "$2b$31$" + BCRYPT[7:], 5, ["x"]]
)
def test_a_hash_that_cannot_be_used_is_refused_and_never_quoted(value: Any) -> None:
    reason = reason_for({"email": "anna@example.com", "password_hash": value})
    assert "password hash" in reason
    assert str(value) not in reason
    assert "anna" not in reason


def test_a_user_does_not_show_its_hash() -> None:
    user = read_one({"email": "anna@example.com", "password_hash": BCRYPT})
    assert repr(user) == "<ImportedUser of row 1>"


def test_an_address_counts_once_in_a_file() -> None:
    rows = read("email\nanna@example.com\nbert@example.com\nANNA@example.com\n")
    assert [type(row) for row in rows] == [ImportedUser, ImportedUser, ImportRefusedError]
    (refused,) = (row for row in rows if isinstance(row, ImportRefusedError))
    assert (refused.row, refused.reason) == (3, "row 1 has the same e-mail address")


def test_a_refused_row_does_not_take_the_address_from_a_later_one() -> None:
    one, other = read(f"email,password\nanna@example.com,rubbish\nanna@example.com,{BCRYPT}\n")
    assert isinstance(one, ImportRefusedError)
    assert isinstance(other, ImportedUser)


# Files


@pytest.mark.parametrize(
    "head, container",
    [
        (b"email,password\n", Container.CSV),
        (b"email", Container.CSV),
        (b'\xef\xbb\xbf"email"\r\n', Container.CSV),
        (b'{"email":"a"}\n{"email":"b"}\n', Container.JSON_LINES),
        (b'\n\n{"email":"a"}\r\n', Container.JSON_LINES),
        (b'{"email":"a"}', Container.JSON_DOCUMENT),
        (b'{"users":[\n{}\n]}', Container.JSON_DOCUMENT),
        (b'{"users": [{}]}\n', Container.JSON_DOCUMENT),
        (b'{\n "email": "a"}', Container.JSON_DOCUMENT),
        (b"[", Container.JSON_DOCUMENT),
    ],
)
def test_how_rows_stand_in_a_file_shows_in_its_beginning(head: bytes, container: Container) -> None:
    assert detect(head) is container


@pytest.mark.parametrize(
    "octets, reason",
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"PK\x03\x04", "compressed"),
        ("email\n".encode("utf-16"), "UTF-16"),
        (b"\x7fELF\x02\x01\x01\0\0", "not text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not text"),
        (b"SQLite format 3\0", "not text"),
        (b"name,password\nanna,x\n", "no column 'email'"),
        (b"email,E-Mail\n", "twice"),
        (b'"email\nanna@example.com\n', "quotes"),
        (b"{", "ends in the middle"),
        (b'{"users":[', "ends in the middle"),
        (b'[{"email":"anna@example.com"', "ends in the middle"),
        (b'["email"]', "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b'{"email":1,"email":2}', "repeated"),
        (b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", "nested deeper"),
    ],
)
def test_a_file_that_is_none_is_refused_and_says_why(octets: bytes, reason: str) -> None:
    assert reason in reason_of(octets)


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_garbage_is_refused_and_nothing_else_is_raised(octets: bytes, size: int) -> None:
    for prefix in (b"", b"[", b'{"users":[', b"email,password\n", b'{"email":"a@example.com"}\n'):
        for row in UserReader(chunked(prefix + octets, size), firebase=PROJECT):
            assert isinstance(row, ImportedUser | ImportRefusedError)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        *("email", "password", "salt", "scopes", "emailVerified", "disabled", "active", "createdAt"),
        *("model", "fields", "accounts", "identifiers"),
    ]
)


@given(st.dictionaries(names, json_values))
def test_any_json_object_is_a_user_or_refused(row: dict[str, Any]) -> None:
    results = read(json.dumps([{"email": "anna@example.com", **row}]), firebase=PROJECT)
    assert len(results) == 1


@given(
    st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=3), max_size=5), st.integers(1, 40)
)
def test_the_rows_of_a_file_do_not_depend_on_how_it_is_cut(objects: list[dict[str, Any]], size: int) -> None:
    rows = [{**item, "email": f"user{number}@example.com"} for number, item in enumerate(objects)]
    texts = [
        json.dumps(rows, indent=1),
        json.dumps({"users": rows}),
        "".join(json.dumps(row) + "\n" for row in rows),
    ]
    for text in texts:
        whole, cut = (
            [getattr(row, "email", None) or str(row) for row in UserReader(chunked(text.encode(), width))]
            for width in (100_000, size)
        )
        assert whole == cut
        assert len(whole) == len(rows) or not rows


def test_a_damaged_line_spoils_itself_only() -> None:
    lines = [
        '{"email":"anna@example.com"}',
        '{"email":',
        "not json",
        "",
        "\xff",
        '{"email":"bert@example.com"}',
    ]
    rows = read("\n".join(lines).encode("latin-1"))
    assert [isinstance(row, ImportedUser) for row in rows] == [True, False, False, False, True]


def test_a_cell_that_is_not_utf_8_spoils_its_row_only() -> None:
    rows = read(b"email,name\nanna@example.com,M\xfcller\nbert@example.com,M\xc3\xbcller\n")
    assert [getattr(row, "reason", None) for row in rows] == ["it is not in UTF-8", None]


def test_a_row_with_another_number_of_cells_is_refused() -> None:
    rows = read("email,name\nanna@example.com\nbert@example.com,b,c\n\ncarl@example.com,c\n")
    assert [getattr(row, "reason", None) for row in rows] == [
        "it has 1 cells, but there are 2 columns",
        "it has 3 cells, but there are 2 columns",
        None,
    ]


def test_quoted_cells_may_hold_line_ends_commas_and_quotes() -> None:
    anna, bert = users_of(
        read('email,note\r\nanna@example.com,"one\r\ntwo, ""three"""\r\nbert@example.com,x\r\n')
    )
    assert (anna.row, bert.row) == (1, 2)


def test_after_wrong_quotes_nothing_more_is_taken_for_a_row() -> None:
    rows = read('email,note\nanna@example.com,x\nbert@example.com,"x"y\ncarl@example.com,z\n')
    assert isinstance(rows[0], ImportedUser)
    assert [getattr(row, "row", 0) for row in rows] == [1, 2]
    assert "nothing was read from here on" in str(rows[1])


@pytest.mark.parametrize(
    "octets, readable",
    [
        (b"email,note\nanna@example.com," + b"x" * 70_000 + b"\nbert@example.com,y\n", 0),
        (b'email,note\nanna@example.com,"' + b"x\n" * 70_000 + b'"\nbert@example.com,y\n', 0),
        (b'{"email":"anna@example.com"}\n{"x":"' + b"x" * 200_000 + b'"}\n{"email":"bert@example.com"}', 2),
        (b'[{"email":"anna@example.com"},{"x":"' + b"x" * 200_000 + b'"},{"email":"bert@example.com"}]', 2),
        (b'{"email":"anna@example.com"}\n{"x":"' + b"x" * 200_000, 1),
    ],
)
@pytest.mark.parametrize("size", [1000, 65_536, 10**7])
def test_a_row_that_is_too_long_is_refused(octets: bytes, readable: int, size: int) -> None:
    rows = list(UserReader(chunked(octets, size)))
    refused = [row for row in rows if isinstance(row, ImportRefusedError)]
    assert (len(rows) - len(refused), len(refused)) == (readable, 1)
    assert "too long" in refused[0].reason or "longer than" in refused[0].reason


@pytest.mark.parametrize(
    "text",
    [
        '[{"email":"a@example.com"}] x',
        '[{"email":"a@example.com"}][]',
        '{"email":"a@example.com"}}',
        '[{"email":"a@example.com"}, []]',
    ],
)
def test_what_stands_around_the_objects_of_a_document_is_not_passed_over_in_silence(text: str) -> None:
    first, *others = read(text)
    assert isinstance(first, ImportedUser)
    assert others
    assert all(isinstance(other, ImportRefusedError) for other in others)


def test_what_follows_the_users_of_firebase_does_not_matter() -> None:
    assert len(users_of(read('{"users":[{"email":"a@example.com"}],"next":{"a":["b"]}}'))) == 1


def test_rows_come_while_the_file_is_read_and_the_progress_shows() -> None:
    taken = 0

    def source() -> Iterator[bytes]:
        nonlocal taken
        yield b"email\n"
        for number in range(100_000):
            taken += 1
            yield f"user{number}@example.com\n".encode()

    reader = UserReader(source())
    assert reader.octets == 0
    first = next(reader)
    assert isinstance(first, ImportedUser)
    assert (reader.container, reader.rows) == (Container.CSV, 1)
    assert taken < 500
    assert 4096 <= reader.octets < 10_000
