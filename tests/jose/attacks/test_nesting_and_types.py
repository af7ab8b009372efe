"""Encrypted taken for signed, nested tokens, and tokens of one kind taken for another."""

import itertools
import json
import os
from typing import Any

import pytest

from coatcheck.jose import Key, jwe, jws, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    DecryptionError,
    ExpiredTokenError,
    InvalidHeaderError,
    InvalidSignatureError,
    IssuerMismatchError,
    JOSEError,
    KeyUseError,
    MalformedTokenError,
    UnexpectedTypeError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    SECRET,
    b,
    hmac_tok,
    key,
    public_jwk,
    refused,
    signed,
    spki,
    tok,
    verifier,
)
from tests.jose.attacks.tampering import encrypted, to_recipient

INNER = {"alg": "ES256"}


def wrapped(content: str | bytes, alg: str = "RSA-OAEP-256", **header: Any) -> str:
    """Encrypt anything to the recipient, as anybody can."""
    plaintext = content.encode() if isinstance(content, str) else content
    return to_recipient(alg, plaintext=plaintext, **{"cty": "JWT", **header}).compact()


def opener(**demands: Any) -> jwt.Verifier[Any]:
    return verifier(key("KES"), decrypt_with=key("KOAEP"), **demands)


def test_a_good_nested_token_passes() -> None:
    token = opener().verify(wrapped(signed("KES", INNER)))
    assert token.claims.sub == "alice"
    assert token.key.alg == "ES256"


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"cty": None}, {"typ": "JWT", "cty": "JWT"}], ids=str)
def test_cve_2023_51774_encrypted_token_is_not_a_signed_one(header: dict[str, Any]) -> None:
    kept = {name: value for name, value in header.items() if value is not None}
    claims = json.dumps(CLAIMS).encode()
    for name in ("KRS", "KPS", "KES"):
        token = to_recipient("RSA-OAEP-256", plaintext=claims, **kept).compact()
        refused(MalformedTokenError, verifier(key(name)).verify, token)
        refused(MalformedTokenError, jws.verify, token, key(name))
    direct = encrypted({"alg": "dir", "enc": "A256GCM", **kept}, SECRET[:32], plaintext=claims).compact()
    ours = Key.from_secret(SECRET[:32], "HS256")
    refused(MalformedTokenError, verifier(ours).verify, direct)
    refused(MalformedTokenError, jws.verify, direct, ours)


NO_JWS: dict[str, str | bytes] = {
    "claims": json.dumps(CLAIMS),
    "two parts": ".".join(tok(INNER).split(".")[:2]),
    "one part": "abc",
    "dots": "..",
    "nothing": "",
    "four parts": tok(INNER) + ".a",
    "octets": os.urandom(64),
    "not ASCII": "é.é.é",
    "JSON serialisation": json.dumps({"payload": b(CLAIMS), "protected": b(INNER), "signature": ""}),
    "line end": tok(INNER) + "\n",
}


@pytest.mark.parametrize("content", NO_JWS.values(), ids=NO_JWS)
def test_cve_2026_29000_jwe_around_no_jws_is_refused(content: str | bytes) -> None:
    kinds = (MalformedTokenError, InvalidHeaderError)
    refused(kinds, opener().verify, wrapped(content))
    refused((UnexpectedTypeError,), opener().verify, to_recipient("RSA-OAEP-256", plaintext=b"{}").compact())


@pytest.mark.parametrize("signature", [b"", b"\0", bytes(64)], ids=len)
def test_cve_2026_29000_jwe_around_an_unsigned_jwt_is_refused(signature: bytes) -> None:
    for alg in ("none", "None", ""):
        refused(AlgorithmMismatchError, opener().verify, wrapped(tok({"alg": alg}, CLAIMS, signature)))
    refused(InvalidSignatureError, opener().verify, wrapped(tok(INNER, CLAIMS, signature)))


def test_rfc8725_inner_signature_of_a_nested_jwt_is_verified() -> None:
    attacker = forging.ec_private("P-256", "attacker")
    stolen = {**INNER, "jwk": public_jwk(attacker)}
    forged = tok(stolen, CLAIMS, forging.es(forging.message(stolen), attacker))
    refused(InvalidSignatureError, opener().verify, wrapped(forged))
    good = signed("KES", INNER)
    head, _, signature = good.split(".")
    refused(
        InvalidSignatureError, opener().verify, wrapped(f"{head}.{b({**CLAIMS, 'sub': 'admin'})}.{signature}")
    )
    cek = os.urandom(32)
    for secret in (cek, SECRET[:32], spki(forging.rsa_private()), spki(forging.ec_private()), b""):
        inner = hmac_tok({"alg": "HS256"}, secret)
        token = to_recipient("RSA-OAEP-256", cek=cek, plaintext=inner.encode(), cty="JWT").compact()
        refused(AlgorithmMismatchError, opener().verify, token)


def test_secret_of_direct_encryption_does_not_sign() -> None:
    both = Key.from_secret(SECRET[:32], "A256GCM")
    check = verifier(key("KES"), decrypt_with=both)
    inner = hmac_tok({"alg": "HS256"}, SECRET[:32])
    token = encrypted({"alg": "dir", "enc": "A256GCM", "cty": "JWT"}, SECRET[:32], plaintext=inner.encode())
    refused(AlgorithmMismatchError, check.verify, token.compact())


@pytest.mark.parametrize("cty", ["JWT", "jwt", "application/jwt", "Application/JWT"])
def test_content_type_of_a_nested_token_may_be_written_in_any_case(cty: str) -> None:
    assert opener().verify(wrapped(signed("KES", INNER), cty=cty)).claims.sub == "alice"


@pytest.mark.parametrize(
    "cty", ["json", "JWT ", "", "jws", "at+jwt", "text/jwt", "JWT;v=1", "application/application/jwt"]
)
def test_other_content_type_is_refused(cty: str) -> None:
    refused(UnexpectedTypeError, opener().verify, wrapped(signed("KES", INNER), cty=cty))


@pytest.mark.parametrize("cty", [1, None, True, ["JWT"], {}], ids=repr)
def test_content_type_that_is_no_string_is_refused(cty: object) -> None:
    refused(InvalidHeaderError, opener().verify, wrapped(signed("KES", INNER), cty=cty))


def test_absent_content_type_is_refused() -> None:
    token = to_recipient("RSA-OAEP-256", plaintext=signed("KES", INNER).encode()).compact()
    refused(UnexpectedTypeError, opener().verify, token)


def test_only_one_jws_directly_inside_a_jwe() -> None:
    good = signed("KES", INNER)
    refused(MalformedTokenError, opener().verify, wrapped(wrapped(good)))
    outer = signed("KES", {**INNER, "cty": "JWT"}, good)
    refused(MalformedTokenError, opener().verify, wrapped(outer))
    refused(MalformedTokenError, verifier(key("KES")).verify, outer)
    refused(
        MalformedTokenError,
        verifier(key("KES")).verify,
        signed("KES", {**INNER, "cty": "JWT"}, wrapped(good)),
    )


def test_plain_jws_is_refused_where_encryption_is_expected() -> None:
    check = opener()
    good = signed("KES", INNER)
    check.verify(wrapped(good))
    refused(MalformedTokenError, check.verify, good)
    check.verify(wrapped(good))


def test_encrypted_token_is_refused_where_none_is_expected() -> None:
    refused(MalformedTokenError, verifier(key("KES")).verify, wrapped(signed("KES", INNER)))


def test_compressed_nested_token_is_refused() -> None:
    token = jwe.encrypt(signed("KES", INNER).encode(), key("KOAEP").public(), cty="JWT", compress=True)
    refused(InvalidHeaderError, opener().verify, token)


def test_nested_token_under_another_key_is_refused() -> None:
    stranger = Key.generate("ECDH-ES")
    token = jwe.encrypt(signed("KES", INNER).encode(), stranger.public(), cty="JWT")
    refused(
        DecryptionError,
        verifier(key("KES"), decrypt_with=Key.generate("ECDH-ES").with_kid(None)).verify,
        token,
    )
    refused(AlgorithmMismatchError, opener().verify, token)


def test_a_verifier_that_could_never_decrypt_is_not_made() -> None:
    for name in ("KES", "KHS"):
        refused(KeyUseError, verifier, key("KES"), decrypt_with=key(name))
    refused(KeyUseError, verifier, key("KES"), decrypt_with=key("KOAEP").public())


# --- kinds of tokens -----------------------------------------------------------------------------

KINDS = [
    "JWT",
    "at+jwt",
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "client-authentication+jwt",
]


def of_type(typ: object) -> str:
    header = INNER if typ is ... else {**INNER, "typ": typ}
    return signed("KES", header)


def test_rfc8725_type_of_a_nested_jwt_is_the_inner_one() -> None:
    check = opener(typ="at+jwt")
    for inner in (..., "JWT", "logout+jwt"):
        refused(UnexpectedTypeError, check.verify, wrapped(of_type(inner), typ="at+jwt"))
    assert check.verify(wrapped(of_type("at+jwt"))).header.typ == "at+jwt"
    assert check.verify(wrapped(of_type("at+jwt"), typ="JWT")).header.typ == "at+jwt"


@pytest.mark.parametrize("stated, expected", [*itertools.product([..., *KINDS], KINDS)], ids=str)
def test_rfc8725_token_kinds_are_mutually_exclusive(stated: object, expected: str) -> None:
    check = verifier(key("KES"), typ=expected)
    if stated == expected or (stated is ... and expected == "JWT"):
        check.verify(of_type(stated))
        return
    error = refused(UnexpectedTypeError, check.verify, of_type(stated))
    assert isinstance(error, UnexpectedTypeError)
    assert (error.typ, error.expected) == (None if stated is ... else stated, expected)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", "At+Jwt"])
def test_typ_is_a_media_type(typ: str) -> None:
    verifier(key("KES"), typ="at+jwt").verify(of_type(typ))
    verifier(key("KES"), typ="application/at+jwt").verify(of_type(typ))


def test_typ_may_be_written_with_escapes() -> None:
    verifier(key("KES"), typ="at+jwt").verify(signed("KES", r'{"alg":"ES256","typ":"at+j\u0077t"}'))


@pytest.mark.parametrize(
    "typ",
    [
        *(
            "at+jwt;v=1",
            " at+jwt",
            "at+jwt ",
            "at+jwt\0",
            "at+jwt\n",
            "xat+jwt",
            "at+jwtx",
            "at+jw",
            "at",
            "jwt",
            "",
            "/",
        ),
        *("application/application/at+jwt", "text/at+jwt", "application/", "/at+jwt", "applicationat+jwt"),
        *("at+jwt,JWT", "at +jwt", "at%2Bjwt", "at-jwt", "*", "application/*", "ａt+jwt", "at＋jwt"),  # noqa: RUF001
    ],
    ids=ascii,
)
def test_typ_is_compared_as_a_media_type_and_nothing_looser(typ: str) -> None:
    refused(UnexpectedTypeError, verifier(key("KES"), typ="at+jwt").verify, of_type(typ))


@pytest.mark.parametrize(
    "typ, expected",
    [
        ("\u212ab+jwt", "kb+jwt"),
        ("lo\u017fout", "losout"),
        ("\u0130at", "iat"),
        ("\u0131at", "iat"),
        ("İ", "i̇"),
    ],
    ids=ascii,
)
def test_typ_is_not_folded_beyond_ascii(typ: str, expected: str) -> None:
    refused(UnexpectedTypeError, verifier(key("KES"), typ=expected).verify, of_type(typ))


@pytest.mark.parametrize("typ", [None, 1, True, ["at+jwt"], {}, {"at+jwt": 1}], ids=repr)
def test_typ_that_is_no_string_is_refused(typ: object) -> None:
    for expected in ("JWT", "at+jwt"):
        refused(InvalidHeaderError, verifier(key("KES"), typ=expected).verify, of_type(typ))


@pytest.mark.parametrize("typ", ["", None, 1, ["at+jwt"], b"at+jwt"], ids=repr)
def test_a_verifier_names_the_type_it_wants(typ: Any) -> None:
    refused(ConfigurationError, verifier, key("KES"), typ=typ)


def test_type_is_checked_again_after_a_token_of_another_verifier() -> None:
    """The header is remembered per verifier: what one has accepted, another still refuses."""
    token = of_type("at+jwt")
    for _ in range(3):
        verifier(key("KES"), typ="at+jwt").verify(token)
        refused(UnexpectedTypeError, verifier(key("KES")).verify, token)


# --- claims in the header ------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["outer", "inner"])
def test_claims_in_the_header_are_ignored(place: str) -> None:
    lies = {"iss": "https://evil", "sub": "admin", "aud": "other", "exp": 1, "nbf": NOW * 2}
    truth = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, "sub": "admin"}

    def nested(header: dict[str, Any], claims: dict[str, Any]) -> str:
        inner = {**INNER, **header} if place == "inner" else INNER
        return wrapped(signed("KES", inner, claims), **(header if place == "outer" else {}))

    token = opener().verify(nested(lies, CLAIMS))
    assert (token.claims.sub, token.claims.iss, token.claims.exp) == ("alice", ISSUER, NOW + 300)
    bad: list[tuple[type[JOSEError], dict[str, Any]]] = [
        (ExpiredTokenError, {**CLAIMS, "exp": 1}),
        (IssuerMismatchError, {**CLAIMS, "iss": "https://evil"}),
    ]
    for kind, claims in bad:
        refused(kind, opener().verify, nested(truth, claims))
