"""The published examples of RFC 7515 to 7520, 7638, 7797, 8037, 9278 and 9964."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

from coatcheck._core import base64url
from coatcheck.jose import Key, KeySet, hazmat, jwe, jws, jwt
from coatcheck.jose.algorithms import CONTENT_ENCRYPTION, KEY_ENCRYPTION, find_content_encryption
from coatcheck.jose.algorithms.ecdh_es import concat_kdf
from coatcheck.jose.errors import AlgorithmMismatchError, CriticalHeaderError, JOSEError, TokenError
from tests.jose.samples import thawed, vectors

Entry = dict[str, Any]
SERIALIZATIONS = ("compact", "flattened", "general")
DESCRIPTION = {"alg", "use", "key_ops", "kid", "x5c"}


def named(entries: Iterable[tuple[int, Entry]]) -> list[Any]:
    return [pytest.param(entry, id=f"{rfc}-{entry['name']}") for rfc, entry in entries]


def serialized(entries: Iterable[tuple[int, Entry]]) -> list[Any]:
    return [
        pytest.param(entry, form, id=f"{rfc}-{entry['name']}-{form}")
        for rfc, entry in entries
        for form in SERIALIZATIONS
        if form in entry
    ]


JWS, JWE = vectors("jws"), vectors("jwe")
SIGNED_BY_ONE = [(rfc, entry) for rfc, entry in JWS if "key" in entry]
REPRODUCIBLE = [(rfc, entry) for rfc, entry in JWS if entry["reproducible"]]


def read_key(jwk: Entry, alg: str, enc: str | None = None) -> Key:
    """The key, pinned as the example uses it: one for "dir" is pinned to what it encrypts with."""
    return Key.from_jwk(jwk, alg=enc if alg == "dir" else alg)


def keys_of(entry: Entry) -> list[Key]:
    enc = entry.get("enc")
    if "password" in entry:
        return [Key.from_password(entry["password"], entry["alg"])]
    if "key" in entry:
        return [read_key(entry["key"], entry["alg"], enc)]
    return [read_key(jwk, alg, enc) for jwk, alg in zip(entry["keys"], entry["algs"], strict=True)]


def decoded(text: str) -> bytes:
    return base64url.decode(text.encode())


# Signatures


@pytest.mark.parametrize("entry, form", serialized(JWS))
def test_every_signed_example_verifies_with_the_key_of_each_signer(entry: Entry, form: str) -> None:
    payload = decoded(entry["payload"])
    given = payload if entry["detached"] else None
    verify: Any = jws.verify if form == "compact" else jws.verify_json
    for key in keys_of(entry):
        pair = key if key.is_symmetric else key.public()
        assert verify(entry[form], pair, payload=given).payload == payload
        if form != "compact":
            text = msgspec.json.encode(entry[form])
            assert verify(text, pair, payload=given).payload == payload


@pytest.mark.parametrize("entry, form", serialized(SIGNED_BY_ONE))
def test_the_header_of_a_signed_example_is_the_printed_one(entry: Entry, form: str) -> None:
    given = decoded(entry["payload"]) if entry["detached"] else None
    verify: Any = jws.verify if form == "compact" else jws.verify_json
    verified = verify(entry[form], keys_of(entry)[0], payload=given).signatures[0]
    header = {**verified.header, **verified.unprotected}
    assert thawed(header) == entry["header"]


@pytest.mark.parametrize("entry, form", serialized(SIGNED_BY_ONE))
def test_another_payload_does_not_verify(entry: Entry, form: str) -> None:
    forged = "Zm9yZ2Vk"
    token: Any = entry[form]
    given = b"forged" if entry["detached"] else None
    verify: Any = jws.verify if form == "compact" else jws.verify_json
    if form == "compact" and not given:
        protected, _, signature = token.split(".")
        token = f"{protected}.{forged}.{signature}"
    elif not given:
        token = {**token, "payload": forged}
    with pytest.raises(TokenError):
        verify(token, keys_of(entry)[0], payload=given)


def test_all_signatures_of_a_multiply_signed_example_verify_together() -> None:
    entry = next(entry for _, entry in JWS if entry["name"] == "4.8-multiple-signatures")
    asymmetric = [key.with_kid(None) for key in keys_of(entry) if not key.is_symmetric]
    verified = jws.verify_json(entry["general"], KeySet(asymmetric))
    assert [signature.header.alg for signature in verified.signatures] == ["RS256", "ES512"]


def parts_of_one(entry: Entry) -> tuple[str, bytes]:
    """The protected segment and the signature."""
    if "compact" in entry:
        protected, _, signature = entry["compact"].split(".")
    else:
        protected, signature = entry["flattened"].get("protected", ""), entry["flattened"]["signature"]
    return protected, decoded(signature)


@pytest.mark.parametrize("entry", named(REPRODUCIBLE))
def test_deterministic_signatures_are_reproduced_octet_for_octet(entry: Entry) -> None:
    protected, signature = parts_of_one(entry)
    body = entry["payload"].encode() if entry["b64"] else decoded(entry["payload"])
    assert keys_of(entry)[0].sign(protected.encode() + b"." + body) == signature


def in_our_words(entry: Entry) -> bool:
    """Whether the printed header is written as this library writes it, without white space."""
    protected = parts_of_one(entry)[0]
    return protected == base64url.encode(msgspec.json.encode(entry["header"]))


@pytest.mark.parametrize(
    "entry, form", serialized((rfc, entry) for rfc, entry in REPRODUCIBLE if in_our_words(entry))
)
def test_whole_tokens_are_reproduced_octet_for_octet(entry: Entry, form: str) -> None:
    key = keys_of(entry)[0].with_kid(entry["header"].get("kid"))
    extra = {
        name: value for name, value in entry["header"].items() if name not in {"alg", "kid", "b64", "crit"}
    }
    payload, detached, b64 = decoded(entry["payload"]), entry["detached"], entry["b64"]
    if form == "compact":
        made: object = jws.sign(payload, key, header=extra, detached=detached, b64=b64)
    else:
        signer = jws.SignerInfo(key=key, protected=extra)
        made = jws.sign_json(payload, [signer], flattened=form == "flattened", detached=detached, b64=b64)
    assert made == entry[form]


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWS if "signing_input" in entry))
def test_the_signing_input_is_the_printed_one(entry: Entry) -> None:
    _, signature = parts_of_one(entry)
    keys_of(entry)[0].verify(entry["signing_input"].encode(), signature)


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWS if "claims" in entry))
def test_the_claims_of_signed_examples_are_the_printed_ones(entry: Entry) -> None:
    verifier = jwt.Verifier(keys_of(entry)[0], issuer=entry["claims"]["iss"], audience=None, claims=dict)
    assert verifier.verify(entry["compact"], now=entry["claims"]["exp"] - 1).claims == entry["claims"]


@pytest.mark.parametrize("entry", named(vectors("unsecured")))
def test_unsecured_examples_are_refused_by_every_reader(entry: Entry) -> None:
    for key in (Key.generate("HS256"), Key.generate("ES256").public()):
        with pytest.raises(AlgorithmMismatchError):
            jws.verify(entry["compact"], key)
        verifier = jwt.Verifier(key, issuer=hazmat.ANY_ISSUER, audience=hazmat.ANY_AUDIENCE, require=())
        with pytest.raises(AlgorithmMismatchError):
            verifier.verify(entry["compact"], now=0)


@pytest.mark.parametrize("entry", named(vectors("invalid")))
def test_invalid_examples_are_refused(entry: Entry) -> None:
    with pytest.raises(CriticalHeaderError):
        jws.verify(entry["compact"], Key.generate("HS256"))


# Encryption


@pytest.mark.parametrize("entry, form", serialized(JWE))
def test_every_encrypted_example_decrypts_with_the_key_of_each_recipient(entry: Entry, form: str) -> None:
    most = 10_000 if "compressed" in entry else None
    decrypt: Any = jwe.decrypt if form == "compact" else jwe.decrypt_json
    for key in keys_of(entry):
        opened = decrypt(entry[form], key, max_decompressed=most)
        assert opened.plaintext == decoded(entry["plaintext"])
        assert (opened.aad or b"") == decoded(entry.get("aad", ""))
        if form != "compact":
            text = msgspec.json.encode(entry[form])
            assert decrypt(text, key, max_decompressed=most).plaintext == opened.plaintext
        if "header" in entry:
            assert thawed({**opened.header, **opened.unprotected}) == entry["header"]


def recipients(entry: Entry) -> list[tuple[Key, Entry, bytes]]:
    """For each recipient of an example: the key, the whole header and the encrypted key."""
    if "compact" in entry:
        encrypted = [entry["compact"].split(".")[1]]
    elif "general" in entry:
        encrypted = [each.get("encrypted_key", "") for each in entry["general"]["recipients"]]
    else:
        encrypted = [entry["flattened"].get("encrypted_key", "")]
    headers = entry.get("headers") or [entry["header"]]
    return [
        (key, header, decoded(text))
        for key, header, text in zip(keys_of(entry), headers, encrypted, strict=True)
    ]


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWE if "cek" in entry))
def test_the_content_encryption_key_is_the_printed_one(entry: Entry) -> None:
    enc = CONTENT_ENCRYPTION[entry["enc"]]
    for key, header, encrypted in recipients(entry):
        assert key.decrypt_key(enc, encrypted_key=encrypted, header=header) == decoded(entry["cek"])


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWE if "compressed" not in entry))
def test_ciphertext_and_tag_are_reproduced_octet_for_octet(entry: Entry) -> None:
    if "compact" in entry:
        protected, _, _, ciphertext, tag = entry["compact"].split(".")
    else:
        members = entry.get("flattened") or entry["general"]
        protected, ciphertext, tag = members.get("protected", ""), members["ciphertext"], members["tag"]
    aad = protected + ("." + entry["aad"] if "aad" in entry else "")
    cek = entry["cek"] if "cek" in entry else entry["key"]["k"]
    enc = CONTENT_ENCRYPTION[entry["enc"]]
    made = enc.encrypt(decoded(cek), decoded(entry["plaintext"]), iv=decoded(entry["iv"]), aad=aad.encode())
    assert made == (decoded(ciphertext), decoded(tag))


@pytest.mark.parametrize(
    "entry",
    named((rfc, entry) for rfc, entry in JWE if entry.get("alg") in {"A128KW", "A192KW", "A256KW"}),
)
def test_wrapped_keys_are_reproduced_octet_for_octet(entry: Entry) -> None:
    ((key, header, encrypted),) = recipients(entry)
    wrapped = key.encrypt_key(CONTENT_ENCRYPTION[entry["enc"]], cek=decoded(entry["cek"]), header=header)
    assert wrapped.encrypted_key == encrypted


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWE if "compressed" in entry))
def test_the_compressed_content_is_raw_deflate_of_the_plaintext(entry: Entry) -> None:
    assert zlib.decompress(decoded(entry["compressed"]), -15) == decoded(entry["plaintext"])


@pytest.mark.parametrize("entry", named((rfc, entry) for rfc, entry in JWE if "nested" in entry))
def test_what_is_in_nested_examples_is_the_signed_example(entry: Entry) -> None:
    inner = next(each for _, each in JWS if each["name"] == entry["nested"])
    opened = jwe.decrypt(entry["compact"], keys_of(entry)[0])
    assert opened.header.cty == "JWT"
    assert opened.plaintext.decode() == inner["compact"]
    assert jws.verify(opened.plaintext, keys_of(inner)[0]).payload == decoded(inner["payload"])


def test_a_nested_example_is_verified_at_one_go() -> None:
    entry = next(each for rfc, each in JWE if rfc == 7519 and "nested" in each)
    inner = next(each for _, each in JWS if each["name"] == entry["nested"])
    verifier = jwt.Verifier(
        keys_of(inner)[0], issuer="joe", audience=None, claims=dict, decrypt_with=keys_of(entry)[0]
    )
    assert verifier.verify(entry["compact"], now=1300819379).claims == entry["claims"]


@pytest.mark.parametrize("entry", named(vectors("aead")))
def test_authenticated_encryption_gives_the_printed_octets(entry: Entry) -> None:
    enc = find_content_encryption(entry["enc"])
    assert enc is not None
    names = ("K", "IV", "P", "A", "E", "T")
    key, iv, plaintext, aad, ciphertext, tag = (bytes.fromhex(entry[name]) for name in names)
    assert enc.encrypt(key, plaintext, iv=iv, aad=aad) == (ciphertext, tag)
    assert enc.decrypt(key, ciphertext, iv=iv, tag=tag, aad=aad) == plaintext
    assert (enc.key_size, enc.iv_size, enc.tag_size) == (len(key), len(iv), len(tag))


# Key agreement


def exchanged(private: Any, public: Any) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.exchange(ec.ECDH(), public)
    assert isinstance(private, x25519.X25519PrivateKey | x448.X448PrivateKey)
    return private.exchange(public)


@pytest.mark.parametrize("entry", named(vectors("key_agreement")))
def test_the_shared_secret_is_the_printed_one_from_both_sides(entry: Entry) -> None:
    ephemeral, recipient = (
        Key.from_jwk(entry[name], alg=entry["alg"])._material for name in ("ephemeral_key", "recipient_key")
    )
    shared = bytes.fromhex(entry["Z"])
    assert exchanged(ephemeral.private, recipient.public) == shared
    assert exchanged(recipient.private, ephemeral.public) == shared


@pytest.mark.parametrize("entry", named(vectors("key_agreement")))
def test_the_agreed_key_is_derived_from_the_printed_secret(entry: Entry) -> None:
    alg, enc = KEY_ENCRYPTION[entry["alg"]], CONTENT_ENCRYPTION[entry["enc"]]
    direct = entry["alg"] == "ECDH-ES"
    size = enc.key_size if direct else {"A128KW": 16, "A256KW": 32}[entry["alg"].removeprefix("ECDH-ES+")]
    derived = concat_kdf(
        bytes.fromhex(entry["Z"]),
        algorithm=enc.name if direct else alg.name,
        size=size,
        apu=decoded(entry.get("apu", "")),
        apv=decoded(entry.get("apv", "")),
    )
    key = Key.from_jwk(entry["recipient_key"], alg=alg.name)
    if direct:
        assert size * 8 == entry["keydatalen"]
        assert derived == decoded(entry["derived_key"])
        assert key.decrypt_key(enc, encrypted_key=b"", header=entry["header"]) == derived
    else:
        wrapping = Key.from_secret(derived, alg.name.removeprefix("ECDH-ES+"))
        wrapped = wrapping.encrypt_key(enc, cek=None, header={})
        assert (
            key.decrypt_key(enc, encrypted_key=wrapped.encrypted_key, header=entry["header"]) == wrapped.cek
        )


# Keys


def pinned(jwk: Entry) -> Key:
    """Read a key whose example may leave its algorithm open."""
    open_ones = {
        ("EC", "P-256"): "ECDH-ES",
        ("EC", "P-521"): "ES512",
        ("RSA", None): "RSA-OAEP" if jwk.get("use") == "enc" else "RS256",
        ("OKP", "Ed25519"): "Ed25519",
        ("oct", None): "HS256",
    }
    return Key.from_jwk(jwk, alg=jwk.get("alg") or open_ones[jwk["kty"], jwk.get("crv")])


@pytest.mark.parametrize("entry", named(vectors("keys")))
def test_every_example_key_is_written_with_the_members_it_was_read_from(entry: Entry) -> None:
    jwk = entry["jwk"]
    key = pinned(jwk)
    written = key.to_private_jwk() if key.is_private else key.to_jwk()
    for name in jwk.keys() - DESCRIPTION:
        assert written[name] == jwk[name]
    assert written.keys() - DESCRIPTION == jwk.keys() - DESCRIPTION
    assert written.get("kid") == jwk.get("kid")


@pytest.mark.parametrize("entry", named(vectors("keys")))
def test_an_example_key_written_and_read_again_is_the_same(entry: Entry) -> None:
    key = pinned(entry["jwk"])
    written = key.to_private_jwk() if key.is_private else key.to_jwk()
    again = Key.from_jwk(written)
    assert (again.to_private_jwk() if again.is_private else again.to_jwk()) == written


@pytest.mark.parametrize(
    "entry", named((rfc, entry) for rfc, entry in vectors("keys") if "thumbprint" in entry)
)
def test_thumbprints_are_the_printed_ones(entry: Entry) -> None:
    key = pinned(entry["jwk"])
    assert key.thumbprint() == entry["thumbprint"]
    assert key.thumbprint_uri() == f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{entry['thumbprint']}"
    assert key.thumbprint_uri() == entry.get("uri", key.thumbprint_uri())
    if "digest" in entry:
        assert decoded(key.thumbprint()).hex() == entry["digest"]


@pytest.mark.parametrize(
    "entry", named((rfc, entry) for rfc, entry in vectors("keys") if "private_hex" in entry)
)
def test_raw_octets_of_keys_are_the_printed_ones(entry: Entry) -> None:
    written = pinned(entry["jwk"]).to_private_jwk()
    assert decoded(written["d"]).hex() == entry["private_hex"]
    assert decoded(written["x"]).hex() == entry["public_hex"]


@pytest.mark.parametrize(
    "entry", named((rfc, entry) for rfc, entry in vectors("key_sets") if entry["name"] != "a.3-symmetric")
)
def test_example_key_sets_are_read_for_the_algorithms_asked_for(entry: Entry) -> None:
    keys = KeySet.from_jwks(entry["jwks"], algorithms=["ECDH-ES", "RS256"])
    assert [(key.kid, key.alg) for key in keys] == [("1", "ECDH-ES"), ("2011-04-29", "RS256")]
    assert keys.ignored == ()


def test_the_example_set_of_secrets_is_ambiguous_until_each_key_names_its_algorithm() -> None:
    entry = next(entry for _, entry in vectors("key_sets") if entry["name"] == "a.3-symmetric")
    with pytest.raises(JOSEError, match="names no algorithm"):
        KeySet.from_jwks(entry["jwks"])
    wrapping, mac = entry["jwks"]["keys"]
    keys = KeySet.from_jwks({"keys": [wrapping, {**mac, "alg": "HS256"}]})
    assert [key.alg for key in keys] == ["A128KW", "HS256"]


@pytest.mark.parametrize("entry", named(vectors("base64url")))
def test_the_base64url_example_holds_both_ways(entry: Entry) -> None:
    assert base64url.encode(bytes.fromhex(entry["hex"])) == entry["encoded"]
    assert decoded(entry["encoded"]).hex() == entry["hex"]
