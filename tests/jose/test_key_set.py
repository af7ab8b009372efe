"""Sets of keys: read from JWK Sets, and asked by headers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coatcheck.jose import Key, KeySet, jwe, jws
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    InvalidSignatureError,
    KeyImportError,
    KeySetError,
    KeyUseError,
    NoMatchingKeyError,
    UnsupportedAlgorithmError,
    WeakKeyError,
)
from tests.jose.samples import ASYMMETRIC_NAMES, PRIVATE_MEMBERS, key_for


def public_jwk(alg: str, crv: str | None = None, /, **changes: Any) -> dict[str, Any]:
    """A public JWK with members changed, or left out where the change is ``...``."""
    members = {**key_for(alg, crv).to_jwk(), **changes}
    return {name: value for name, value in members.items() if value is not ...}


def jwks(*entries: object) -> dict[str, Any]:
    return {"keys": list(entries)}


ASYMMETRIC = [key_for(name) for name in ASYMMETRIC_NAMES]


def test_a_set_holds_its_keys_in_order_and_finds_them_by_identifier() -> None:
    keys = KeySet(ASYMMETRIC)
    assert list(keys) == ASYMMETRIC
    assert len(keys) == len(ASYMMETRIC)
    assert all(keys.get(f"{key.alg} key") is key for key in ASYMMETRIC)
    assert keys.get("other") is None
    assert keys.ignored == ()


def test_the_public_set_written_and_read_again_has_the_public_halves() -> None:
    written = KeySet(ASYMMETRIC).to_jwks()
    assert not any(PRIVATE_MEMBERS & jwk.keys() for jwk in written["keys"])
    for form in (written, json.dumps(written), json.dumps(written).encode()):
        again = KeySet.from_jwks(form, algorithms=ASYMMETRIC_NAMES)
        assert again.to_jwks() == written
        assert not any(key.is_private for key in again)


def test_a_set_of_secrets_is_never_published() -> None:
    with pytest.raises(KeyUseError, match="no public form"):
        KeySet([Key.generate("HS256")]).to_jwks()


def test_the_text_about_a_set_shows_no_secret() -> None:
    key = Key.generate("HS256")
    assert repr(KeySet([key])) == f"<KeySet [{key!r}]>"
    assert key.to_private_jwk()["k"] not in repr(KeySet([key]))


def test_two_keys_of_one_identifier_are_refused() -> None:
    with pytest.raises(KeySetError, match="same 'kid'"):
        KeySet([Key.generate("ES256", kid="one"), Key.generate("ES384", kid="one")])
    assert len(KeySet([Key.generate("ES256").with_kid(None) for _ in range(2)])) == 2


def test_secrets_and_asymmetric_keys_are_never_mixed() -> None:
    with pytest.raises(KeySetError, match="Secrets and asymmetric keys"):
        KeySet([Key.generate("ES256"), Key.generate("HS256")])


def test_a_set_has_at_most_a_hundred_keys() -> None:
    keys = [Key.from_secret(bytes([number, *range(31)]), "HS256") for number in range(101)]
    assert len(KeySet(keys[:100])) == 100
    with pytest.raises(KeySetError, match="at most 100"):
        KeySet(keys)
    with pytest.raises(KeySetError, match="at most 100"):
        KeySet.from_jwks(jwks(*({} for _ in range(101))))


@pytest.mark.parametrize("keys", [None, 5, ["text"], [b"secret"], "text", [key_for("ES256"), None]])
def test_a_set_is_made_of_keys_and_nothing_else(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="made of"):
        KeySet(keys)


@pytest.mark.parametrize("keys", [None, "secret", b"secret", [key_for("ES256")], KeySet([])])
def test_nothing_is_verified_or_decrypted_with_what_is_no_key_or_an_empty_set(keys: Any) -> None:
    with pytest.raises(ConfigurationError):
        jws.verify(jws.sign(b"", key_for("ES256")), keys)
    with pytest.raises(ConfigurationError):
        jwe.decrypt(jwe.encrypt(b"", key_for("ECDH-ES")), keys)


# Reading


@pytest.mark.parametrize(
    "text",
    [
        {},
        {"keys": None},
        {"keys": {}},
        {"keys": "text"},
        jwks("text"),
        jwks(None),
        jwks([]),
        '{"keys":1}',
    ],
)
def test_what_is_no_set_of_objects_is_refused(text: Any) -> None:
    with pytest.raises(KeySetError, match="'keys'"):
        KeySet.from_jwks(text)


@pytest.mark.parametrize("text", ["", "[]", b"\xff", '{"keys":[],"keys":[]}', " " * 1_048_577])
def test_text_that_is_no_strict_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(KeyImportError, match="JWK Set"):
        KeySet.from_jwks(text)


def test_a_set_must_be_given_as_a_mapping_or_json() -> None:
    with pytest.raises(ConfigurationError, match="JWK Set must be a mapping or JSON"):
        KeySet.from_jwks([public_jwk("ES256")])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entry",
    [
        public_jwk("ES256", kty="XYZ"),
        public_jwk("ES256", alg="XS256"),
        public_jwk("ES256", crv="P-192"),
        public_jwk("RS256", alg="RSA1_5", use="enc"),
        public_jwk("EdDSA"),
        public_jwk("Ed25519", crv="Ed1"),
    ],
)
def test_keys_of_kinds_that_are_not_supported_are_left_out_and_named(entry: dict[str, Any]) -> None:
    keys = KeySet.from_jwks(jwks(entry, public_jwk("ES256")))
    assert [key.alg for key in keys] == ["ES256"]
    assert len(keys.ignored) == 1
    assert keys.ignored[0].startswith("Key 0 (")


def test_a_set_may_turn_out_empty() -> None:
    keys = KeySet.from_jwks(jwks(public_jwk("ES256", kty="XYZ")))
    assert len(keys) == 0
    assert keys.ignored[0].startswith("Key 0 ('ES256 key'): Keys of type 'XYZ' are not supported")


@pytest.mark.parametrize(
    "entry, kind",
    [
        (public_jwk("ES256", x="AA"), KeyImportError),
        (public_jwk("ES256", alg=...), KeyImportError),
        (public_jwk("ES256", alg=["ES256"]), KeyImportError),
        (public_jwk("ES256", alg=None), KeyImportError),
        (public_jwk("RS256", e="Aw"), WeakKeyError),
        (public_jwk("ES256", use="enc"), KeyUseError),
        (public_jwk("ES256", use=..., key_ops=["encrypt"]), KeyUseError),
        (public_jwk("ES256", alg="RS256"), KeyUseError),
    ],
)
@pytest.mark.parametrize("algorithms", [None, ["ES256", "RS256"]])
def test_malformed_weak_and_contradictory_keys_are_errors(
    entry: dict[str, Any], kind: type[Exception], algorithms: list[str] | None
) -> None:
    if algorithms is not None and "alg" not in entry:
        assert [key.alg for key in KeySet.from_jwks(jwks(entry), algorithms=algorithms)] == ["ES256"]
        return
    with pytest.raises(kind):
        KeySet.from_jwks(jwks(public_jwk("Ed25519"), entry), algorithms=algorithms)


def test_only_keys_for_the_algorithms_asked_for_are_taken() -> None:
    keys = KeySet.from_jwks(KeySet(ASYMMETRIC).to_jwks(), algorithms=["ES256", "ML-DSA-65"])
    assert [key.alg for key in keys] == ["ES256", "ML-DSA-65"]
    assert len(keys.ignored) == len(ASYMMETRIC) - 2
    assert all("not among those asked for" in reason for reason in keys.ignored)


def test_deprecated_algorithms_are_taken_only_if_asked_for_by_name() -> None:
    entries = jwks(public_jwk("EdDSA"), public_jwk("RSA1_5"))
    assert len(KeySet.from_jwks(entries)) == 0
    assert [key.alg for key in KeySet.from_jwks(entries, algorithms={"EdDSA", "RSA1_5"})] == [
        "EdDSA",
        "RSA1_5",
    ]


def test_a_key_without_algorithm_is_pinned_to_the_only_one_asked_for_that_fits_it() -> None:
    entries = jwks(public_jwk("ES256", alg=..., use=...), public_jwk("RS256", alg=...))
    keys = KeySet.from_jwks(entries, algorithms=["ES256", "PS256", "HS256"])
    assert [key.alg for key in keys] == ["ES256", "PS256"]


def test_a_key_without_algorithm_that_fits_several_asked_for_is_an_error() -> None:
    with pytest.raises(KeySetError, match="PS256, RS256"):
        KeySet.from_jwks(jwks(public_jwk("RS256", alg=...)), algorithms=["RS256", "PS256"])


@pytest.mark.parametrize(
    "entry",
    [
        public_jwk("ES256", alg=..., use="enc"),
        public_jwk("ES256", alg=..., use=..., key_ops=["deriveKey"]),
        public_jwk("RS256", alg=...),
        public_jwk("Ed25519", alg=...),
        {"kty": "XYZ"},
        {"kty": ["EC"], "crv": {}},
    ],
)
def test_a_key_without_algorithm_that_fits_none_asked_for_is_left_out(entry: dict[str, Any]) -> None:
    keys = KeySet.from_jwks(jwks(entry, public_jwk("ES384")), algorithms=["ES256", "ES384"])
    assert [key.alg for key in keys] == ["ES384"]
    assert len(keys.ignored) == 1
    assert keys.ignored[0].endswith(": None of the algorithms asked for fits it.")


def test_the_use_of_a_key_without_algorithm_decides_between_several_asked_for() -> None:
    entries = jwks(public_jwk("ES256", alg=..., use="enc", kid="1"), public_jwk("ES256", alg=..., kid="2"))
    keys = KeySet.from_jwks(entries, algorithms=["ES256", "ECDH-ES"])
    assert [key.alg for key in keys] == ["ECDH-ES", "ES256"]


@pytest.mark.parametrize("algorithms", ["ES256", 5, [5], b"ES256"])
def test_the_algorithms_asked_for_must_be_a_collection_of_names(algorithms: Any) -> None:
    with pytest.raises(ConfigurationError, match="collection of names"):
        KeySet.from_jwks(jwks(), algorithms=algorithms)


def test_an_unknown_algorithm_asked_for_is_an_error() -> None:
    with pytest.raises(UnsupportedAlgorithmError):
        KeySet.from_jwks(jwks(), algorithms=["none"])


# Choosing by header


def test_a_header_with_an_identifier_means_just_that_key() -> None:
    one, two = Key.generate("ES256", kid="one"), Key.generate("ES256", kid="two")
    keys = KeySet([one, two])
    assert jws.verify(jws.sign(b"x", two), keys).key is two
    with pytest.raises(InvalidSignatureError):
        jws.verify(jws.sign(b"x", two.with_kid("one")), keys)


def test_a_header_without_identifier_means_any_key_of_its_algorithm() -> None:
    keys = [Key.generate("ES256") for _ in range(3)]
    for key in keys:
        assert jws.verify(jws.sign(b"x", key.with_kid(None)), KeySet(keys)).key is key
    with pytest.raises(InvalidSignatureError):
        jws.verify(jws.sign(b"x", Key.generate("ES256").with_kid(None)), KeySet(keys))


def test_a_header_with_an_unknown_identifier_means_keys_without_one() -> None:
    anonymous = Key.generate("ES256").with_kid(None)
    keys = KeySet([Key.generate("ES256"), anonymous])
    assert jws.verify(jws.sign(b"x", anonymous.with_kid("other")), keys).key is anonymous


def test_a_header_with_an_unknown_identifier_matches_no_key_that_has_another() -> None:
    with pytest.raises(NoMatchingKeyError) as caught:
        jws.verify(jws.sign(b"x", key_for("ES256").with_kid("other")), key_for("ES256"))
    assert caught.value.kid == "other"


def test_a_header_cannot_give_a_key_another_algorithm() -> None:
    keys = KeySet([key_for("RS256"), key_for("ES256")])
    token = jws.sign(b"x", key_for("PS256").with_kid(None))
    with pytest.raises(AlgorithmMismatchError) as caught:
        jws.verify(token, keys)
    assert (caught.value.alg, caught.value.expected) == ("PS256", ("ES256", "RS256"))


@pytest.mark.parametrize("name", ["ignored"])
def test_what_was_left_out_cannot_be_changed(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(KeySet([]), name, ())


def test_an_entry_of_an_unknown_type_without_alg_is_left_out_like_one_with_alg() -> None:
    jwk = Key.generate("ES256", kid="good").to_jwk()
    keys = KeySet.from_jwks({"keys": [{"kty": "XYZ"}, {"kty": "EC", "crv": "P-224"}, jwk]})
    assert [key.kid for key in keys] == ["good"]
    assert len(keys.ignored) == 2
