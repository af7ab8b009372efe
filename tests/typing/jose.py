"""What the type checkers must infer from the public names of ``coatcheck.jose``. Checked, never run.

Each ignored error marks a misuse; both checkers complain when it is no longer an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import msgspec

from coatcheck.errors import CoatcheckError
from coatcheck.jose import Claims, JOSEError, Key, KeySet, hazmat, jwe, jws, jwt
from coatcheck.jose.errors import ClaimError, TokenError


class Access(Claims):
    scope: str = ""


class Bare(msgspec.Struct):
    sub: str


@dataclass
class Record:
    sub: str


def keys(pem: bytes) -> None:
    key = Key.generate("ES256")
    assert_type(key, Key)
    assert_type(key.public(), Key)
    assert_type(key.crv, str | None)
    assert_type(key.to_pem(), bytes)
    assert_type(Key.from_pem(pem, "RS256", password=b"word"), Key)
    assert_type(KeySet([key]).get("one"), Key | None)
    assert_type(iter(KeySet([key])), Iterator[Key])


def claims_are_of_the_type_named(key: Key, token: str) -> None:
    plain = jwt.Verifier(key, issuer="i", audience="a")
    assert_type(plain, jwt.Verifier[Claims])
    assert_type(plain.verify(token).claims.exp, int | float | None)

    access = jwt.Verifier(key, issuer="i", audience=["a", "b"], claims=Access).verify(token)
    assert_type(access, jwt.VerifiedToken[Access])
    assert_type(access.claims.scope, str)
    assert_type(access.as_type(Bare).sub, str)

    assert_type(jwt.Verifier(key, issuer="i", audience="a", claims=Record).verify(token).claims, Record)
    untyped = jwt.Verifier(key, issuer="i", audience="a", claims=dict[str, Any]).verify(token)
    assert_type(untyped.claims, dict[str, Any])


def signing(key: Key) -> None:
    signer = jwt.Signer(key, issuer="i", audience="a", lifetime=timedelta(minutes=1))
    assert_type(signer.sign({"sub": "alice"}), str)
    assert_type(signer.sign(Bare(sub="alice"), now=datetime.now(UTC)), str)
    assert_type(jws.sign(b"payload", key), str)
    assert_type(jwe.encrypt(b"plaintext", key), str)


def verifying(key: Key, token: str) -> None:
    assert_type(jws.verify(token, key), jws.VerifiedJWS)
    assert_type(jws.verify(token, KeySet([key])).payload, bytes)
    assert_type(jwe.decrypt(token.encode(), key), jwe.DecryptedJWE)
    assert_type(jwe.decrypt(token, key).plaintext, bytes)
    assert_type(hazmat.read_unverified(token), hazmat.UnverifiedToken)


def errors(error: ClaimError) -> tuple[TokenError, JOSEError, CoatcheckError]:
    assert_type(error.claim, str)
    assert_type(error.code, str)
    assert_type(error.message, str)
    assert_type(error.detail, str | None)
    return error, error, error


def misuse(key: Key, token: str) -> None:
    Key.generate()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    key.alg = "HS256"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    jwt.Verifier(key)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    jwt.Verifier(key, issuer="i", audience="a", leeway=10)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    jwt.Signer(key, issuer="i", lifetime=300)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jws.sign("text", key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jws.verify(token, "secret")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jws.verify(token, key, payload="text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
