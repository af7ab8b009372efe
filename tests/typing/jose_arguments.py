"""More of what the type checkers must say about ``coatcheck.jose``: claims of any type, and wrong arguments.

Checked, never run. Each ignored error marks a misuse; both checkers complain when it is no longer an error.
"""

from datetime import timedelta
from typing import Any, TypedDict, assert_type

from coatcheck.jose import Claims, Key, KeySet, Limits, hazmat, jwe, jws, jwt
from coatcheck.jose.errors import AlgorithmMismatchError, NoMatchingKeyError, UnexpectedTypeError


class Narrow(Claims):
    # Required here, optional in the base: right at run time, where all fields are keyword-only; pyright only warns.
    sub: str  # pyright: ignore[reportGeneralTypeIssues]
    roles: tuple[str, ...] = ()


class Typed(TypedDict):
    sub: str


def every_kind_of_claims(keys: KeySet, token: bytes) -> None:
    verified = jwt.Verifier(keys, issuer=None, audience=None).verify(token)
    assert_type(verified, jwt.VerifiedToken[Claims])
    assert_type(verified.claims.sub, str | None)
    assert_type(verified.claims.aud, str | tuple[str, ...] | None)
    assert_type(verified.payload, bytes)
    assert_type(verified.key, Key)
    assert_type(verified.header.kid, str | None)
    assert_type(verified.header.alg, str)

    narrow = jwt.Verifier(keys, issuer="i", audience="a", claims=Narrow)
    assert_type(narrow, jwt.Verifier[Narrow])
    assert_type(narrow.verify(token).claims.sub, str)
    assert_type(narrow.verify(token).claims.roles, tuple[str, ...])

    assert_type(jwt.Verifier(keys, issuer="i", audience="a", claims=Typed).verify(token).claims["sub"], str)
    assert_type(verified.as_type(dict[str, Any]), dict[str, Any])
    assert_type(verified.as_type(Narrow), Narrow)


def every_argument(key: Key, keys: KeySet, token: str) -> None:
    jwt.Verifier(
        keys,
        issuer=hazmat.ANY_ISSUER,
        audience=hazmat.ANY_AUDIENCE,
        typ="at+jwt",
        require=("exp", "sub"),
        leeway=timedelta(0),
        max_age=timedelta(days=1),
        clock=lambda: 0,
        decrypt_with=key,
        limits=Limits(token=1000),
    ).verify(token, now=1.5)
    jwt.Signer(key, issuer=None, lifetime=hazmat.NO_EXPIRY, encrypt_to=key, enc="A256GCM", header={"x": 1})
    assert_type(jws.sign_json(b"", [key, jws.SignerInfo(key=key)]), dict[str, Any])
    assert_type(jwe.encrypt_json(b"", [key, key], aad=b""), dict[str, Any])
    assert_type(jws.verify_json({}, keys).signatures, tuple[jws.VerifiedSignature, ...])
    assert_type(jwe.decrypt_json("", keys).aad, bytes | None)
    assert_type(KeySet.from_jwks({}, algorithms=["ES256"]).ignored, tuple[str, ...])
    assert_type(key.thumbprint("sha512"), str)


def attributes_of_errors(
    mismatch: AlgorithmMismatchError, unknown: NoMatchingKeyError, kind: UnexpectedTypeError
) -> None:
    assert_type(mismatch.expected, tuple[str, ...])
    assert_type(unknown.kid, str | None)
    assert_type(kind.typ, str | None)


def misuse(key: Key, keys: KeySet, token: str) -> None:
    jwt.Verifier(key, issuer="i")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    jwt.Verifier("secret", issuer="i", audience="a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    jwt.Verifier([key], issuer="i", audience="a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    jwt.Verifier(key, issuer=["i"], audience="a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    jwt.Verifier(key, issuer="i", audience="a", max_age=60)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    _ = jwt.Verifier(key, issuer="i", audience="a", claims=Narrow).verify(token).claims.scope  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    jwt.Verifier(key, issuer="i", audience="a").verify(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jwt.Signer(keys, issuer="i")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jwt.Signer(key, issuer="i").sign("claims")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jws.sign(b"", keys)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jws.verify(token, key, understood=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jwe.encrypt("text", key)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jwe.decrypt(token, key, max_decompressed="1 MB")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Key.from_secret("secret", "HS256")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    key.thumbprint("md5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Limits(10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Narrow()  # type: ignore[call-arg]
