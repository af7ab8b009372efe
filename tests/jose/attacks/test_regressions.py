"""Holes that were found by reading the code with hostile eyes: none of them may open again."""

import copy
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coatcheck._core import base64url
from coatcheck.jose import Claims, Key, KeySet, Limits, jwe, jws, jwt
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidHeaderError,
    JOSEError,
    KeyImportError,
    KeyUseError,
    MalformedTokenError,
    TokenError,
    TokenTooLargeError,
    UnsupportedKeyError,
    WeakKeyError,
)

SECRET = Key.from_secret(bytes(range(32)), "HS256", kid="s")
ISSUER, AUDIENCE = "https://i", "a"


def signed(claims: object) -> str:
    return jws.sign(msgspec.json.encode(claims), SECRET)


def verifier(**options: Any) -> jwt.Verifier[Any]:
    return jwt.Verifier(SECRET, **{"issuer": ISSUER, "audience": AUDIENCE, **options})


GOOD = {"iss": ISSUER, "aud": AUDIENCE, "exp": 2**33}
FORGED = {"iss": "https://evil", "aud": "other", "exp": 1}


# --- work that a stranger could order ------------------------------------------------------------------------


def pkcs1(bits: int) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


@pytest.mark.parametrize("octets", [pkcs1(2048), b"ssh-" * 1000], ids=["der", "ssh"])
def test_an_ephemeral_key_that_poses_as_a_secret_is_not_even_read(octets: bytes) -> None:
    key = Key.generate("ECDH-ES+A256KW", kid="k")
    epk = {"kty": "oct", "crv": "P-256", "k": base64url.encode(octets)}
    header = {"alg": key.alg, "enc": "A256GCM", "kid": "k", "epk": epk}
    parts = [json.dumps(header).encode(), bytes(40), bytes(12), b"", bytes(16)]
    with pytest.raises(InvalidHeaderError, match="recipient's curve"):
        jwe.decrypt(".".join(map(base64url.encode, parts)), key)


@pytest.mark.parametrize(
    "text", [b"ssh-", b"ecdsa-sha2-", b"sk-", b"ssh-rsa ", b"\0\0\0\x07ssh", b"----BEGI", b'"kty']
)
def test_looking_for_key_texts_takes_linear_time(text: bytes) -> None:
    began = time.perf_counter()
    Key.from_secret((text * 4096)[:4096], "HS256")
    assert time.perf_counter() - began < 1  # it was ten seconds for a hundred times as much


def test_a_secret_of_more_than_4096_octets_is_refused_unsearched() -> None:
    assert Key.from_secret(bytes(4096), "HS512").size == 4096 * 8
    with pytest.raises(KeyImportError, match="at most 4096"):
        Key.from_secret(bytes(4097), "HS512")


def test_private_rsa_jwks_are_checked_by_arithmetic_and_not_by_primality() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    jwk = Key.from_pem(key.private_bytes(*_pkcs8()), "RS256").to_private_jwk()
    began = time.perf_counter()
    KeySet.from_jwks({"keys": [{**jwk, "kid": str(number)} for number in range(10)]})
    assert time.perf_counter() - began < 5


def _pkcs8() -> tuple[Any, ...]:
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    return Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()


def test_password_hashing_is_bounded_over_recipients_and_keys_together() -> None:
    passwords = [Key.from_password(f"password {number}") for number in range(4)]
    others = [Key.from_password(f"something else {number}") for number in range(4)]
    token = jwe.encrypt_json(b"x", others, header={"p2c": 1000})
    with pytest.raises(TokenTooLargeError):
        jwe.decrypt_json(token, KeySet(passwords), limits=Limits(iterations=15_999))
    with pytest.raises(TokenError) as caught:
        jwe.decrypt_json(token, KeySet(passwords), limits=Limits(iterations=16_000))
    assert caught.value.code == "decryption_failed"


@pytest.mark.parametrize("call", [jws.verify_json, jwe.decrypt_json])
def test_one_list_in_many_places_is_counted_in_each(call: Callable[..., Any]) -> None:
    shared: list[Any] = []
    for _ in range(25):
        shared = [shared, shared]
    with pytest.raises(TokenTooLargeError, match="members"):
        call({"payload": "", "signature": "", "header": {"x": shared}}, SECRET)


# --- claims types that hide what a token says ----------------------------------------------------------------


class Attribute(Claims):
    iss = "https://i"
    aud = "a"
    exp = 2**33


class Property(Claims):
    @property  # type: ignore[misc]
    def exp(self) -> int:  # type: ignore[override]
        return 2**33

    @property  # type: ignore[misc]
    def iss(self) -> str:  # type: ignore[override]
        return ISSUER


class Mixin:
    __slots__ = ()
    exp = 2**33


class Mixed(Mixin, Claims):  # type: ignore[misc]
    pass


class Hooked(Claims):
    def __getattribute__(self, name: str) -> Any:
        return 2**33 if name == "exp" else super().__getattribute__(name)


@pytest.mark.parametrize("kind", [Attribute, Property, Mixed, Hooked])
def test_a_type_that_hides_a_registered_claim_does_not_hide_it_from_the_checks(kind: type[Claims]) -> None:
    with pytest.raises(ExpiredTokenError):
        verifier(claims=kind).verify(signed({**GOOD, "exp": 1}))
    with pytest.raises(TokenError):
        verifier(claims=kind).verify(signed(FORGED))


def test_a_redeclared_field_stays_quick_and_checked() -> None:
    class Narrow(Claims):
        exp: int
        sub: str

    assert verifier(claims=Narrow).verify(signed({**GOOD, "sub": "x"})).claims.sub == "x"
    with pytest.raises(ExpiredTokenError):
        verifier(claims=Narrow).verify(signed({**GOOD, "sub": "x", "exp": 1}))


class Listed(Claims, array_like=True):
    pass


class Model:
    """Stands for a model of another library."""


class Unresolved(msgspec.Struct):
    nobody: "Nobody"  # type: ignore[name-defined]  # noqa: F821


class OneThing(msgspec.Struct):
    one: int


class OrTheOther(msgspec.Struct):
    other: int


@pytest.mark.parametrize("kind", [Listed, Model, Unresolved, OneThing | OrTheOther])
def test_a_type_that_is_no_object_of_claims_is_refused_before_the_first_token(kind: Any) -> None:
    with pytest.raises(ConfigurationError):
        verifier(claims=kind)


def test_an_object_written_as_an_array_is_not_signed() -> None:
    with pytest.raises(ConfigurationError):
        jwt.Signer(SECRET, issuer=ISSUER).sign(Listed(sub="x"))


class Strict(Claims, forbid_unknown_fields=True):
    level: int = 0

    def __post_init__(self) -> None:
        if self.level < 0:
            message = "no level below zero"
            raise ValueError(message)


def test_what_a_type_itself_refuses_is_an_invalid_claim() -> None:
    strict = verifier(claims=Strict)
    with pytest.raises(InvalidClaimError, match="'other'") as unknown:
        strict.verify(signed({**GOOD, "other": 1}))
    assert unknown.value.claim == "other"
    with pytest.raises(InvalidClaimError, match="no level below zero"):
        strict.verify(signed({**GOOD, "level": -1}))


def test_a_wrong_type_deep_inside_is_named_with_its_place() -> None:
    class Realm(msgspec.Struct):
        roles: list[str]

    class Access(Claims):
        realm: Realm

    with pytest.raises(InvalidClaimError, match=r"at \$\.realm\.roles\[1\]") as caught:
        verifier(claims=Access).verify(signed({**GOOD, "realm": {"roles": ["a", 1]}}))
    assert caught.value.claim == "realm"


# --- keys ----------------------------------------------------------------------------------------------------


def test_the_published_jwk_of_a_signing_key_says_that_it_verifies() -> None:
    jwk = {**Key.generate("ES256").to_private_jwk(), "key_ops": ["sign"]}
    del jwk["use"]
    published = Key.from_jwk(jwk).to_jwk()
    assert published["key_ops"] == ["verify"]
    Key.from_jwk(published).verify(b"x", Key.from_jwk(jwk).sign(b"x"))


DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "line end": lambda der: der + b"\n",
    "leading zero": lambda der: b"\0" + der,
    "bare base64": lambda der: base64url.encode(der).replace("-", "+").replace("_", "/").encode(),
    "base64 in lines": lambda der: b"\n".join(
        [
            base64url.encode(der).replace("-", "+").replace("_", "/").encode()[at : at + 64]
            for at in range(0, 900, 64)
        ]
    ),
    "SSH2": lambda der: b"---- BEGIN SSH2 PUBLIC KEY ----\n" + der,
    "tab": lambda _: b"ssh-ed25519\tAAAAC3NzaC1lZDI1NTE5AAAAI",
    "decoded OpenSSH": lambda der: b"\0\0\0\x07ssh-rsa\0\0\0\x03\1\0\1" + der,
    "escaped JWK": lambda _: b'{"\\u006bty":"RSA","n":"..............................."}',
    "JWK Set": lambda _: b'{"keys":[]}                               ',
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_a_public_key_in_disguise_is_no_secret(disguise: str, form: PublicFormat) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    octets = DISGUISES[disguise](key.public_bytes(Encoding.DER, form))
    with pytest.raises(WeakKeyError):
        Key.from_secret(octets, "HS256")


def test_base64_text_of_random_octets_is_a_secret() -> None:
    for octets in (bytes(range(48)), b"1" * 48, b"\x30" + bytes(47)):
        assert Key.from_secret(base64url.encode(octets).encode(), "HS256").size == 512


@pytest.mark.parametrize("crv", ["Ed25519", "Ed448"])
def test_edwards_octets_that_are_no_point_are_refused(crv: str) -> None:
    size = {"Ed25519": 32, "Ed448": 57}[crv]
    outcomes = []
    for y in range(3, 63):
        jwk = {"kty": "OKP", "crv": crv, "x": base64url.encode(y.to_bytes(size, "little"))}
        try:
            Key.from_jwk(jwk, alg=crv)
            outcomes.append(True)
        except KeyImportError:
            outcomes.append(False)
    assert 15 < sum(outcomes) < 45  # about half of all numbers are the y of a point


@pytest.mark.parametrize("number", range(2, 19))
def test_an_edwards_key_that_is_not_reduced_is_refused(number: int) -> None:
    x = base64url.encode((2**255 - 19 + number).to_bytes(32, "little"))
    with pytest.raises(KeyImportError):
        Key.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x}, alg="Ed25519")


def test_a_montgomery_key_has_one_text() -> None:
    jwk = Key.generate("ECDH-ES", crv="X25519").to_jwk()
    octets = bytearray(base64url.decode(jwk["x"].encode()))
    octets[-1] |= 0x80
    with pytest.raises(KeyImportError, match="canonical"):
        Key.from_jwk({**jwk, "x": base64url.encode(bytes(octets))})


def test_honest_keys_of_all_curves_pass_the_checks() -> None:
    for _ in range(50):
        for alg, crv in (("Ed25519", None), ("Ed448", None), ("ECDH-ES", "X25519"), ("ECDH-ES", "X448")):
            Key.from_jwk(Key.generate(alg, crv=crv).to_jwk())


PSS_PEM = """-----BEGIN PUBLIC KEY-----
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALzMZDYZYeSIGNjhjgEOchLZ
-----END PUBLIC KEY-----
"""


def test_a_file_that_restricts_its_key_to_pss_is_refused() -> None:
    with pytest.raises(UnsupportedKeyError, match="restricts its RSA key to PSS"):
        Key.from_pem(PSS_PEM, "RS256")


def test_an_error_never_holds_the_secret_that_it_refuses() -> None:
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
    with pytest.raises(KeyImportError) as caught:
        Key.from_jwk({"kty": "oct", "alg": "HS256", "k": f"{secret}\ud800"})
    error: BaseException | None = caught.value
    while error is not None:
        assert secret not in repr(vars(error)) + repr(error.args)
        error = error.__context__


def test_a_wrapped_key_shows_nothing() -> None:
    wrapped = Key.generate("A128KW").encrypt_key(
        __import__("coatcheck.jose.algorithms", fromlist=["x"]).CONTENT_ENCRYPTION["A128GCM"],
        cek=b"k" * 16,
        header={},
    )
    assert "kkkk" not in repr(wrapped)


# --- two names of one algorithm ------------------------------------------------------------------------------


def test_one_key_may_stand_in_a_set_under_both_names_of_its_algorithm() -> None:
    key = Key.generate("Ed25519", kid="k1")
    old = Key.from_jwk(key.to_private_jwk(), alg="EdDSA")
    both = KeySet([key.public(), old.public()])
    for signer in (key, old):
        assert jws.verify(jws.sign(b"x", signer), both).key.alg == signer.alg
    with pytest.raises(AlgorithmMismatchError, match="alg='EdDSA'"):
        jws.verify(jws.sign(b"x", old), key)
    with pytest.raises(JOSEError):
        KeySet([key, Key.generate("EdDSA", kid="k1")])


# --- sets that somebody else publishes -----------------------------------------------------------------------


def test_a_bad_key_is_named_or_left_out_as_the_caller_wishes() -> None:
    good = Key.generate("ES256", kid="good").to_jwk()
    bad = {**Key.generate("ES256", kid="bad").to_jwk(), "x": "AA"}
    nameless = {name: value for name, value in good.items() if name not in {"alg", "kid"}}
    entries = {"keys": [good, bad]}
    with pytest.raises(KeyImportError, match=r"^Key 1 \('bad'\): "):
        KeySet.from_jwks(entries)
    keys = KeySet.from_jwks(entries, ignore_invalid=True)
    assert ([key.kid for key in keys], len(keys.ignored)) == (["good"], 1)
    with pytest.raises(KeyImportError, match=r"^Key 0: It names no algorithm.*algorithms="):
        KeySet.from_jwks({"keys": [nameless]})
    with pytest.raises(KeyUseError, match=r"^Key 0 \('good'\): "):
        KeySet.from_jwks({"keys": [{**good, "use": "enc"}]})
    with pytest.raises(KeyImportError, match=r"KeySet\.from_jwks"):
        Key.from_jwk(entries)


# --- arguments -----------------------------------------------------------------------------------------------


class Text(str):
    __slots__ = ()


class Octets(bytes):
    __slots__ = ()


@pytest.mark.parametrize(
    "call",
    [
        lambda: verifier(limits=None),
        lambda: jws.verify("a.b.c", SECRET, limits=None),  # type: ignore[arg-type]
        lambda: jws.verify_json({}, SECRET, limits=5),  # type: ignore[arg-type]
        lambda: jwe.decrypt("a.b.c.d.e", SECRET, limits=None),  # type: ignore[arg-type]
        lambda: jwe.decrypt_json("{}", SECRET, limits=None),  # type: ignore[arg-type]
        lambda: jws.sign(Octets(b"x"), SECRET),
        lambda: jws.sign_json(b"x", jws.SignerInfo(key="x")),  # type: ignore[arg-type]
        lambda: jws.sign_json(b"x", jws.SignerInfo(key=SECRET, unprotected=5)),  # type: ignore[arg-type]
        lambda: jwt.Signer(SECRET, issuer=ISSUER, clock=lambda: float("nan")).sign({}),
        lambda: jwt.Signer(SECRET, issuer=ISSUER, clock=lambda: None).sign({}),  # type: ignore[arg-type, return-value]
        lambda: jwt.Signer(SECRET, issuer=ISSUER, encrypt_to=Key.generate("A256KW"), enc="none"),
        lambda: jwt.Signer(SECRET, issuer=ISSUER, typ="application/"),
        lambda: verifier(typ="application/"),
        lambda: Key.generate("ES256").thumbprint_uri(5),  # type: ignore[arg-type]
    ],
)
def test_an_argument_of_a_wrong_type_is_a_designed_error(call: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError):
        call()


def test_nothing_is_allowed_that_has_no_name() -> None:
    assert SECRET.allows([]) is False  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ['{"payload":"x\ud800"}', b"\xff{}"])
def test_json_that_is_no_utf8_is_not_repaired(token: Any) -> None:
    with pytest.raises(MalformedTokenError):
        jws.verify_json(token, SECRET)


@pytest.mark.parametrize("payload", [b"a\nb", b"\xff", b"a\0"])
def test_an_unencoded_payload_has_the_characters_that_a_token_can_carry(payload: bytes) -> None:
    detached = jws.sign(payload, SECRET, b64=False, detached=True).encode()
    with pytest.raises(MalformedTokenError):
        jws.verify(detached.replace(b"..", b"." + payload + b"."), SECRET)


def test_a_detached_payload_that_was_forgotten_is_hinted_at() -> None:
    with pytest.raises(TokenError, match="payload="):
        jws.verify(jws.sign(b"x", SECRET, detached=True), SECRET)


def test_a_frozen_clock_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = verifier()
    monkeypatch.setattr("time.time", lambda: 2.0**34)
    with pytest.raises(ExpiredTokenError):
        keeper.verify(signed(GOOD))


def test_the_scheme_of_a_header_is_told_from_the_token() -> None:
    for scheme in ("Bearer ", "bearer "):
        with pytest.raises(MalformedTokenError, match="take the scheme off"):
            verifier().verify(scheme + signed(GOOD))


def test_a_copy_of_a_key_is_the_key() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy({"key": SECRET})["key"] is SECRET


def test_a_certificate_that_the_reader_warns_of_is_refused_where_warnings_are_errors() -> None:
    # A serial number of zero, which RFC 5280 section 4.1.2.2 forbids. Warnings are errors in these tests.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    good = (
        x509.CertificateBuilder(name, name, key.public_key(), 0x5A5A5A5A5A, now, now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert Key.from_der(good, "RS256").kty == "RSA"
    with pytest.raises(KeyImportError):
        Key.from_der(good.replace(bytes.fromhex("5a5a5a5a5a"), bytes.fromhex("da5a5a5a5a")), "RS256")


def test_a_name_with_an_equality_of_its_own_cannot_write_a_claim_twice() -> None:
    class Odd(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return self is other

        __hash__ = object.__hash__

    several: list[dict[Any, Any]] = [{Odd("exp"): 2**40}, {Odd("exp"): 2**40, "iat": 1}]
    for claims in several:
        with pytest.raises(ConfigurationError, match="names of claims must be text"):
            jwt.Signer(SECRET, issuer=ISSUER).sign(claims)
