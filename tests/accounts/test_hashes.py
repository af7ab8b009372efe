"""Password hashes of other systems: what their own libraries made verifies here, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.errors import UnknownHashError
from coatcheck.accounts.hashes import check_encoded, verify_password
from coatcheck.accounts.hashes.better_auth import encode_better_auth
from coatcheck.accounts.hashes.firebase import FirebaseParameters, encode_firebase

VECTORS = Path(__file__).parent / "vectors"


def encoded_of(source: dict[str, Any], entry: dict[str, str]) -> str:
    if "stored" in entry:
        encoded = encode_better_auth(entry["stored"])
        assert encoded is not None
        return encoded
    if "salt" in entry:
        parameters = FirebaseParameters(**source["parameters"])
        return encode_firebase(parameters, salt=entry["salt"], password_hash=entry["password_hash"])
    return entry["encoded"]


def read_vectors() -> list[tuple[str, str, str]]:
    """Return source, password and hash of each vector."""
    found = []
    for path in sorted(VECTORS.glob("*.json")):
        source = json.loads(path.read_text(encoding="utf-8"))
        found += [(path.stem, entry["password"], encoded_of(source, entry)) for entry in source["hashes"]]
    return found


ALL = read_vectors()
SHORT = [(password, encoded) for _, password, encoded in ALL if len(password.encode()) < 72]
ONE_OF_EACH = list({tuple(vector[1].split("$")[:2]): vector for vector in SHORT}.values())
NAMES = [f"{source}-{encoded[:14]}-{len(password)}" for source, password, encoded in ALL]


def test_there_are_vectors_of_every_source() -> None:
    assert {source for source, *_ in ALL} == {
        *("argon2-cffi", "bcrypt", "bcryptjs", "better-auth", "django", "firebase", "passlib", "pwdlib")
    }


@pytest.mark.parametrize("source, password, encoded", ALL, ids=NAMES)
def test_a_password_verifies_by_the_hash_that_the_original_software_made(
    source: str, password: str, encoded: str
) -> None:
    check_encoded(encoded)
    assert verify_password(password, encoded)
    assert not verify_password("another " + password, encoded)


@pytest.mark.parametrize("password, encoded", ONE_OF_EACH)
@pytest.mark.parametrize("change", [str.upper, str.strip, lambda text: text + " ", lambda text: text + "\0"])
def test_asvs_6_2_8_a_password_verifies_exactly_as_it_was_typed(
    password: str, encoded: str, change: Any
) -> None:
    other = change(password)
    assert verify_password(other, encoded) is (other == password)


def test_bcrypt_cuts_imported_passwords_at_72_octets_and_not_within_what_counts() -> None:
    encoded = next(
        encoded for source, password, encoded in ALL if source == "bcrypt" and password == "x" * 100
    )
    assert verify_password("x" * 72, encoded)
    assert verify_password("x" * 72 + "y", encoded)
    assert not verify_password("x" * 71, encoded)


def test_bcrypt_sha256_of_django_cuts_nothing() -> None:
    password, encoded = next(
        (password, encoded) for source, password, encoded in ALL if source == "django" and len(password) > 72
    )
    assert encoded.startswith("bcrypt_sha256$")
    assert not verify_password(password[:-1], encoded)


def test_a_password_that_bcrypt_would_repeat_into_another_is_not_that_other() -> None:
    encoded = "$2b$04$z9uZ0LtlVAnL3DTaZpNbWu7bPLdjrme2mFxqhNxJgOudPkaHx0xxK"  # of the empty password
    assert verify_password("", encoded)
    assert not verify_password("\0", encoded)


def test_better_auth_takes_spellings_that_look_the_same_for_one() -> None:
    encoded = next(encoded for source, password, encoded in ALL if password.startswith("\ufb01"))
    assert verify_password("fine ligature 1", encoded)


@pytest.mark.parametrize("password, encoded", ONE_OF_EACH)
@pytest.mark.parametrize("password_given", ["", "\0", "\ud800", "\udfff\ud800", "x" * 100_000])
def test_no_password_is_too_strange_to_be_wrong(password: str, encoded: str, password_given: str) -> None:
    assert not verify_password(password_given, encoded)


SALT, DIGEST = "A" * 22, "A" * 43
BCRYPT = "z9uZ0LtlVAnL3DTaZpNbWu7bPLdjrme2mFxqhNxJgOudPkaHx0xxK"
DJANGO = "A" * 43 + "="


@pytest.mark.parametrize(
    "encoded",
    [
        f"$argon2id$v=19$m=1048577,t=1,p=1${SALT}${DIGEST}",
        f"$argon2id$v=19$m=1048576,t=5,p=1${SALT}${DIGEST}",
        f"$argon2id$v=19$m=65536,t=65,p=1${SALT}${DIGEST}",
        f"$argon2id$v=19$m=65536,t=1,p=17${SALT}${DIGEST}",
        f"$argon2id$v=19$m=8,t=1,p=2${SALT}${DIGEST}",
        f"argon2$argon2id$v=19$m=9999999999,t=1,p=1${SALT}${DIGEST}",
        f"$2b$17${BCRYPT}",
        f"$2b$31${BCRYPT}",
        f"$2b$03${BCRYPT}",
        f"bcrypt$$2b$20${BCRYPT}",
        f"bcrypt_sha256$$2b$20${BCRYPT}",
        f"pbkdf2_sha256$10000001$salt${DJANGO}",
        f"pbkdf2_sha256$1000$salt${'A' * 27}=",  # as long as SHA-1
        f"pbkdf2_sha1$1000$salt${DJANGO}",
        f"scrypt$1048576$salt$8$1${'A' * 86}==",
        f"scrypt$262144$salt$8$5${'A' * 86}==",
        f"scrypt$16384$salt$8$999999${'A' * 86}==",
        f"scrypt$16383$salt$8$1${'A' * 86}==",
        f"scrypt$1$salt$8$1${'A' * 86}==",
        f"scrypt$16384$salt$8$1${'A' * 16}",
        f"firebase-scrypt$99$8$AAAA$Bw==${'A' * 86}==${'A' * 86}==",
        f"firebase-scrypt$24$8$AAAA$Bw==${'A' * 86}==${'A' * 86}==",
        f"firebase-scrypt$14$8$AAAA$Bw==${'A' * 43}=${'A' * 86}==",
    ],
)
def test_a_hash_that_asks_for_too_much_work_is_refused_before_it_is_computed(encoded: str) -> None:
    with pytest.raises(UnknownHashError, match="beyond what is accepted"):
        check_encoded(encoded)
    with pytest.raises(UnknownHashError, match="beyond what is accepted"):
        verify_password("password", encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "password",
        "md5$salt$hash",
        "$1$salt$hash",
        "$6$salt$hash",
        f"$2x$10${BCRYPT}",
        f"$2$10${BCRYPT}",
        f"$2b$10${BCRYPT[:-1]}",
        f"$2b$10${BCRYPT}x",
        f"$2b$10${BCRYPT}\n",
        f"$2b$10${'a' * 53}",
        f"$argon2id$v=18$m=8,t=1,p=1${SALT}${DIGEST}",
        f"$argon2id$v=19$m=08,t=1,p=1${SALT}${DIGEST}",
        f"$argon2id$v=19$m=8,t=1,p=1${SALT}",
        f"$argon2id$v=19$m=8,t=1,p=1${'A' * 21}${DIGEST}",
        f"$argon2x$v=19$m=8,t=1,p=1${SALT}${DIGEST}",
        "pbkdf2_sha256$1000$salt$A===",
        f"pbkdf2_sha256$-1$salt${DJANGO}",
        "scrypt$16384$salt$8$1$" + "A" * 17,
        f"firebase-scrypt$14$8$AAA=A$Bw==${'A' * 86}==${'A' * 86}==",
        "better-auth$xyz:" + "0" * 128,
        "better-auth$" + "0" * 32 + ":" + "0" * 126,
        "pbkdf2_sha256$1$" + "s" * 2000 + "$" + DJANGO,
        f"pbkdf2_sha256$1$sält${DJANGO}",
    ],
)
def test_what_is_no_hash_of_a_known_kind_is_refused_and_not_repeated(encoded: str) -> None:
    with pytest.raises(UnknownHashError) as caught:
        check_encoded(encoded)
    assert len(encoded) < 9 or encoded not in str(caught.value)


@given(st.sampled_from(ONE_OF_EACH), st.integers(0, 300), st.characters(codec="ascii"))
def test_a_damaged_hash_is_refused_or_read_but_nothing_else(
    vector: tuple[str, str], place: int, character: str
) -> None:
    encoded = vector[1]
    place %= len(encoded)
    damaged = encoded[:place] + character + encoded[place + 1 :]
    try:
        check_encoded(damaged)
    except UnknownHashError:
        assert damaged != encoded


@given(st.text(max_size=200))
def test_any_text_is_a_hash_or_refused(text: str) -> None:
    for prefix in ("", "$argon2id$", "$2b$", "scrypt$", "firebase-scrypt$", "better-auth$"):
        with pytest.raises(UnknownHashError):
            check_encoded(prefix + text)


def test_the_signer_key_of_a_project_is_not_in_its_representation() -> None:
    parameters = FirebaseParameters(signer_key="c2VjcmV0")
    assert "c2VjcmV0" not in repr(parameters)


@pytest.mark.parametrize("stored", ["", "00:00", "0" * 32 + ":" + "g" * 128, "$2b$10$" + BCRYPT])
def test_what_better_auth_does_not_store_is_not_taken_for_its_hash(stored: str) -> None:
    assert encode_better_auth(stored) is None
