"""One token has one text, and one text is one token."""

import json
import string
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from coatcheck.jose import KeySet, jwe, jws
from coatcheck.jose.errors import (
    AlgorithmMismatchError,
    DecryptionError,
    InvalidHeaderError,
    InvalidSignatureError,
    KeyImportError,
    MalformedTokenError,
)
from tests.jose.attacks import forging
from tests.jose.attacks.forging import (
    ALG,
    CLAIMS,
    SECRET,
    SIGN,
    b,
    flattened,
    flattened_jwe,
    general,
    key,
    message,
    refused,
    sealed,
    signed,
    tok,
    verifier,
)

MALFORMED = (MalformedTokenError, InvalidHeaderError)
# The payload of a JWS is decoded only once its signature has been verified, which is over the text.
TAMPERED = (*MALFORMED, InvalidSignatureError)
FORGED = {**CLAIMS, "sub": "admin"}
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _good(name: str = "KES") -> str:
    return signed(name, {"alg": ALG[name]})


def _encrypted(header: dict[str, Any] | None = None) -> str:
    return sealed({"alg": "dir", "enc": "A256GCM", **(header or {})}, SECRET[:32])


def _wrapped() -> str:
    """Write a JWE in which no part is empty."""
    cek = SECRET[32:]
    encrypted_key = aes_key_wrap(SECRET[:32], cek)
    return sealed({"alg": "A256KW", "enc": "A256GCM"}, cek, encrypted_key=encrypted_key)


def _refused_jws(text: str, kinds: Any = MALFORMED, name: str = "KES") -> None:
    tampered = TAMPERED if kinds is MALFORMED else kinds
    refused(tampered, jws.verify, text, key(name))
    refused(tampered, jws.verify, text.encode("utf-8", "surrogatepass"), key(name))
    refused(kinds, verifier(key(name)).verify, text)
    warm = verifier(key(name))
    warm.verify(_good(name))
    refused(kinds, warm.verify, text)


def _refused_jwe(text: str, kinds: Any = MALFORMED) -> None:
    for name in ("KDIR", "KKW"):
        refused(kinds, jwe.decrypt, text, key(name))
    refused(kinds, verifier(key("KES"), decrypt_with=key("KDIR")).verify, text)


def _in_segments(compact: str, change: Any) -> list[str]:
    """Apply a change to one segment after the other."""
    parts = compact.split(".")
    changed = [[*parts[:i], change(part), *parts[i + 1 :]] for i, part in enumerate(parts)]
    return [".".join(segments) for segments in changed]


# --- two serialisations -----------------------------------------------------------------------------


def test_cve_2022_39227_json_compact_polyglot_is_refused() -> None:
    head, payload, signature = _good().split(".")
    members = f'"protected":"{head}","payload":"{payload}","signature":"{signature}"'
    polyglots = [
        f'{{"  {head}.{b(FORGED)}.":"",{members}}}',
        f'{{" {head}.{b(FORGED)}.{signature}":"",{members}}}',
        f'{{{members},"x":".{b(FORGED)}.{signature}"}}',
        f'{{"{head}.{b(FORGED)}.{signature}":{{}},{members},"header":{{"x":"{head}.{b(FORGED)}."}}}}',
    ]
    for polyglot in polyglots:
        _refused_jws(polyglot)
        for text in (polyglot, polyglot.encode()):
            assert jws.verify_json(text, key("KES")).payload == forging.urlsafe_decoded(payload)


def test_json_serialisation_is_not_a_jwt() -> None:
    for token in (
        flattened(_good()),
        flattened(_good(), {"x": "a.b.c"}),
        general(_good()),
        {**flattened(_good()), "x.y.z": ""},
    ):
        _refused_jws(json.dumps(token))
        assert jws.verify_json(token, key("KES")).payload
    encrypted = flattened_jwe(_encrypted())
    for token in (
        encrypted,
        {**encrypted, "unprotected": {"x": "a.b.c.d.e"}},
        {**encrypted, "a.b.c.d.e": ""},
    ):
        _refused_jwe(json.dumps(token))
        assert jwe.decrypt_json(token, key("KDIR")).plaintext == b"secret"
    for mapping in (flattened(_good()), encrypted):
        refused(MalformedTokenError, jws.verify, mapping, key("KES"))
        refused(MalformedTokenError, verifier(key("KES")).verify, mapping)
        refused(MalformedTokenError, jwe.decrypt, mapping, key("KDIR"))


def test_compact_token_is_not_in_json_serialisation() -> None:
    for text in (_good(), _good().encode(), json.dumps(_good()), json.dumps([flattened(_good())])):
        refused(MalformedTokenError, jws.verify_json, text, key("KES"))
    for text in (_encrypted(), json.dumps(_encrypted())):
        refused(MalformedTokenError, jwe.decrypt_json, text, key("KDIR"))
    refused(
        (MalformedTokenError, InvalidHeaderError), jws.verify_json, flattened_jwe(_encrypted()), key("KES")
    )
    no_jwe = (*MALFORMED, AlgorithmMismatchError)  # it names no content encryption
    refused(no_jwe, jwe.decrypt_json, flattened(_good()), key("KDIR"))


# --- base64url ------------------------------------------------------------------------------------

FOREIGN = [
    *(
        " ",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\b",
        "\x0b",
        "\x7f",
        "{",
        "}",
        '"',
        "'",
        "\\",
        "%2E",
        "%",
        "~",
        "#",
        "?",
        "!",
    ),
    *(
        "=",
        "==",
        "+",
        "/",
        "*",
        ",",
        ":",
        ";",
        "@",
        "é",
        "\u200b",
        "\uff21",
        "\uff0e",
        "\u3002",
        "\xad",
        "\ud800",
    ),
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=ascii)
def test_rfc8725bis_characters_outside_base64url_are_refused(foreign: str) -> None:
    for place in (0, 1, 7, -1):
        for text in _in_segments(_good(), lambda part, at=place: part[:at] + foreign + part[at:]):
            _refused_jws(text)
        for text in _in_segments(_wrapped(), lambda part, at=place: part[:at] + foreign + part[at:]):
            _refused_jwe(text)
    for text in (*_in_segments(_good(), lambda part: part + foreign), foreign + _good(), _good() + foreign):
        _refused_jws(text)
    for text in (*_in_segments(_wrapped(), lambda part: part + foreign), foreign + _wrapped()):
        _refused_jwe(text)
    for name, value in flattened(_good()).items():
        for text in (foreign + value, value[:3] + foreign + value[3:], value + foreign):
            refused(TAMPERED, jws.verify_json, {**flattened(_good()), name: text}, key("KES"))
    for name, value in flattened_jwe(_wrapped()).items():
        for text in (foreign + value, value[:3] + foreign + value[3:], value + foreign):
            refused(MALFORMED, jwe.decrypt_json, {**flattened_jwe(_wrapped()), name: text}, key("KKW"))


@pytest.mark.parametrize(
    "around", ["Bearer {}", "bearer {}", '"{}"', "'{}'", "{}\n", " {}", "<{}>", "{};", "b'{}'"]
)
def test_rfc8725bis_text_around_a_token_is_refused(around: str) -> None:
    _refused_jws(around.format(_good()))
    _refused_jwe(around.format(_encrypted()))


def test_ghsa_5jhw_7jv7_qcqq_padding_is_refused() -> None:
    for padding in ("=", "==", "===", "====", "%3D", "%3d%3d", "."):
        for name in SIGN:
            for text in _in_segments(_good(name), lambda part, padding=padding: part + padding):
                _refused_jws(text, name=name)
        for text in _in_segments(_wrapped(), lambda part, padding=padding: part + padding):
            _refused_jwe(text)
        for member in ("k", "x", "y", "n", "e"):
            for jwk in (
                forging.oct_jwk(),
                {**forging.public_jwk(forging.ec_private()), "alg": "ES256"},
                {**forging.public_jwk(forging.rsa_private()), "alg": "RS256"},
            ):
                if member in jwk:
                    padded = {**jwk, member: jwk[member] + padding}
                    refused(KeyImportError, KeySet.from_jwks, {"keys": [padded]})


def _exactly_padded(name: str) -> str:
    """Write a token each part of which is padded as plain base64url would be."""
    return ".".join(part + "=" * (-len(part) % 4) for part in _good(name).split("."))


@pytest.mark.parametrize("name", SIGN)
def test_ghsa_5jhw_7jv7_qcqq_rightly_padded_token_is_refused(name: str) -> None:
    assert "=" in _exactly_padded(name)
    _refused_jws(_exactly_padded(name), name=name)


def _other_tails(part: str) -> list[str]:
    """Return the other texts of the same octets: the last character with stray low bits."""
    free_bits = {2: 4, 3: 2}.get(len(part) % 4, 0)
    last = ALPHABET.index(part[-1]) if free_bits else 0
    return [part[:-1] + ALPHABET[last | stray] for stray in range(1, 1 << free_bits)]


@pytest.mark.parametrize("name", SIGN)
def test_non_canonical_base64url_tail_is_refused(name: str) -> None:
    tried = 0
    for filling in ("", "x", "xx"):
        header, claims = {"alg": ALG[name], "x": filling}, {**CLAIMS, "x": filling}
        good = signed(name, header, claims)
        assert verifier(key(name)).verify(good).claims.sub == "alice"
        for place, part in enumerate(good.split(".")):
            for tail in _other_tails(part):
                assert forging.urlsafe_decoded(tail) == forging.urlsafe_decoded(part)
                parts = good.split(".")
                parts[place] = tail
                _refused_jws(".".join(parts), MALFORMED, name)
                refused(TAMPERED, jws.verify_json, flattened(".".join(parts)), key(name))
                tried += 1
    assert tried >= 3 * 3 + 2 * (15 + 3)


def test_payload_signed_with_a_non_canonical_text_is_refused() -> None:
    # The signature is over the text, so the signer itself wrote the stray bits.
    head, payload = message({"alg": "HS256"}, {**CLAIMS, "x": "x"}).decode().split(".")
    texts = [*_other_tails(payload), payload + "=", payload[:8] + "\n" + payload[8:]]
    assert len(texts) > 2
    for text in texts:
        token = f"{head}.{text}.{b(forging.hs(f'{head}.{text}'.encode()))}"
        refused(MalformedTokenError, jws.verify, token, key("KHS"))
        refused(MalformedTokenError, verifier(key("KHS")).verify, token)
        refused(MalformedTokenError, jws.verify_json, flattened(token), key("KHS"))


@pytest.mark.parametrize("part", range(5))
def test_non_canonical_base64url_tail_of_a_jwe_is_refused(part: int) -> None:
    parts = _wrapped().split(".")
    for tail in _other_tails(parts[part]):
        _refused_jwe(".".join([*parts[:part], tail, *parts[part + 1 :]]))


def test_standard_base64_alphabet_is_refused() -> None:
    claims = {**CLAIMS, "x": "\u00ff\u00fe?>~\u00bf\u00ef" * 3}
    good = signed("KHS", {"alg": "HS256", "x": "???>>>~~~"}, json.dumps(claims, ensure_ascii=False))
    assert "-" in good
    assert "_" in good
    assert verifier(key("KHS")).verify(good).claims.sub == "alice"
    for old, new in (("-", "+"), ("_", "/"), ("-", " "), ("-", "%2B"), ("_", "%2F")):
        _refused_jws(good.replace(old, new), name="KHS")
        _refused_jws(good.replace(old, new, 1), name="KHS")


@pytest.mark.parametrize("inserted", ["=", "==", "\b", "\0", "\n", "\x7f", "AA==", "=AAA"], ids=ascii)
def test_nothing_in_a_signature_is_skipped_or_cut_off(inserted: str) -> None:
    for name in SIGN:
        head, payload, signature = _good(name).split(".")
        for at in (0, 4, 8, len(signature) - 1, len(signature)):
            _refused_jws(f"{head}.{payload}.{signature[:at]}{inserted}{signature[at:]}", MALFORMED, name)


# --- the form of a compact token ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "....", ".....", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "é", "null", "{}"],
)
def test_wrong_number_of_segments_is_refused(text: str) -> None:
    _refused_jws(text)
    _refused_jwe(text)


def test_wrong_number_of_good_segments_is_refused() -> None:
    head, payload, signature = _good().split(".")
    wrong = [
        head,
        f"{head}.{payload}",
        f"{head}.{payload}.{signature}.{signature}",
        f"{_good()}.",
        f".{_good()}",
    ]
    wrong += [
        f"{head}..{payload}.{signature}",
        f"{head}.{payload}..{signature}",
        f"{_good()}.{_good()}",
        f"{_good()}...",
    ]
    for text in (*wrong, f".{payload}.{signature}", f"..{signature}", f"{head}{payload}{signature}"):
        _refused_jws(text)
    for text in _in_segments(_good(), lambda part: part + "A" * ((1 - len(part)) % 4)):
        _refused_jws(text)
    _refused_jws(f"{head}.{payload}.", InvalidSignatureError)
    _refused_jws(f"{head}..{signature}", InvalidSignatureError)


def test_jws_and_jwe_are_not_taken_for_each_other() -> None:
    _refused_jws(_encrypted())
    _refused_jws(_wrapped())
    _refused_jwe(_good())
    refused(MalformedTokenError, verifier(key("KES"), decrypt_with=key("KDIR")).verify, _good())


def test_cve_2019_18848_jwe_with_extra_segments_is_refused() -> None:
    for token in (_encrypted(), _wrapped()):
        for extra in ("", "AAAA", "AAAA.AAAA", ".....", token):
            _refused_jwe(f"{token}.{extra}")
            _refused_jwe(f"{extra}.{token}")
        _refused_jwe(token.rpartition(".")[0])
        _refused_jwe(token.partition(".")[2])


@pytest.mark.parametrize(
    "token",
    [None, 1, 1.5, True, [], {}, ..., (), object(), bytearray(b"a.b.c"), memoryview(b"a.b.c"), str],
    ids=lambda token: type(token).__name__,
)
def test_token_of_another_type_is_refused(token: Any) -> None:
    refused(MalformedTokenError, jws.verify, token, key("KES"))
    refused(MalformedTokenError, verifier(key("KES")).verify, token)
    refused(MalformedTokenError, jwe.decrypt, token, key("KDIR"))
    if not isinstance(token, dict):
        refused(MalformedTokenError, jws.verify_json, token, key("KES"))
        refused(MalformedTokenError, jwe.decrypt_json, token, key("KDIR"))
    else:
        refused(MALFORMED, jws.verify_json, token, key("KES"))
        refused(MALFORMED, jwe.decrypt_json, token, key("KDIR"))


def test_good_token_in_another_type_of_buffer_is_refused() -> None:
    for token in (
        bytearray(_good().encode()),
        memoryview(_good().encode()),
        list(_good()),
        tuple(_good().split(".")),
    ):
        refused(MalformedTokenError, jws.verify, token, key("KES"))
        refused(MalformedTokenError, verifier(key("KES")).verify, token)


@pytest.mark.parametrize(
    "octets", [b"\xff.a.b", "é.a.b".encode("latin-1"), "a.b.c".encode("utf-16"), b"\xef\xbb\xbfa.b.c", b"\0"]
)
def test_token_that_is_not_ascii_is_refused(octets: bytes) -> None:
    for text in (octets, octets.decode("latin-1"), octets.decode("utf-8", "surrogateescape")):
        refused(MALFORMED, jws.verify, text, key("KES"))
        refused(MALFORMED, verifier(key("KES")).verify, text)
        refused(MALFORMED, jwe.decrypt, text, key("KDIR"))
        refused(MALFORMED, jws.verify_json, text, key("KES"))


class Shifting(str):
    """Text that answers every question about its parts with another token's."""

    __slots__ = ()

    def split(self, *_arguments: Any, **_options: Any) -> list[str]:
        return tok({"alg": "ES256"}, FORGED, bytes(64)).split(".")

    def partition(self, *_arguments: Any) -> tuple[str, str, str]:
        return b({"alg": "none"}), ".", b(FORGED)

    rpartition = partition

    def count(self, *_arguments: Any) -> int:
        return 2

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(str(_good))


def test_token_with_methods_of_its_own_is_read_once() -> None:
    assert (
        jws.verify(Shifting(_good()), key("KES")).payload
        == json.dumps(CLAIMS, separators=(",", ":")).encode()
    )
    assert verifier(key("KES")).verify(Shifting(_good())).claims.sub == "alice"
    forged = tok({"alg": "ES256"}, FORGED, bytes(64))
    refused(InvalidSignatureError, jws.verify, Shifting(forged), key("KES"))
    refused(InvalidSignatureError, verifier(key("KES")).verify, Shifting(forged))


# --- the form of a JSON token -------------------------------------------------------------------

SIGNATURES: tuple[Any, ...] = ([], None, {}, "", 1, True, [None], [1], ["x"], [[]], [{}], [{"protected": ""}])


@pytest.mark.parametrize("signatures", SIGNATURES, ids=repr)
def test_joserfc_1_7_4_empty_signatures_are_refused(signatures: Any) -> None:
    token = {"payload": b(CLAIMS), "signatures": signatures}
    for written in (token, json.dumps(token), json.dumps(token).encode()):
        refused(MALFORMED, jws.verify_json, written, key("KES"))
    good = general(_good())["signatures"]
    if isinstance(signatures, list) and signatures:
        for mixed in (good + signatures, signatures + good):
            refused(MALFORMED, jws.verify_json, {"payload": b(CLAIMS), "signatures": mixed}, key("KES"))


@pytest.mark.parametrize("recipients", SIGNATURES[:10], ids=repr)
def test_empty_recipients_are_refused(recipients: Any) -> None:
    token = {**flattened_jwe(_encrypted()), "recipients": recipients}
    for written in (token, json.dumps(token)):
        refused(MalformedTokenError, jwe.decrypt_json, written, key("KDIR"))


def test_absent_signatures_are_refused() -> None:
    for token in ({"payload": b(CLAIMS)}, {"payload": b(CLAIMS), "protected": b({"alg": "ES256"})}, {}):
        refused(MALFORMED, jws.verify_json, token, key("KES"))
    flat = flattened(_good())
    for lost in flat:
        refused(
            MALFORMED,
            jws.verify_json,
            {name: part for name, part in flat.items() if name != lost},
            key("KES"),
        )


def test_cve_2016_9122_result_names_the_signature_that_was_verified() -> None:
    attacker = forging.ec_private("P-256", "attacker")
    theirs_header = {"alg": "ES256", "typ": "admin", "kid": "theirs"}
    theirs = tok(theirs_header, CLAIMS, forging.es(message(theirs_header), attacker))
    ours = signed("KES", {"alg": "ES256", "typ": "JWT", "kid": "ours"})
    for order in ((ours, theirs), (theirs, ours), (theirs, ours, theirs)):
        for keys in (key("KES"), key("KES").with_kid("ours"), KeySet([key("KES").with_kid("ours")])):
            verified = jws.verify_json(general(*order), keys)
            assert len(verified.signatures) == 1
            assert (verified.header.typ, verified.header.kid) == ("JWT", "ours")
            assert verified.key.thumbprint() == key("KES").thumbprint()
    refused(InvalidSignatureError, jws.verify_json, general(theirs), key("KES"))
    refused(InvalidSignatureError, jws.verify_json, general(theirs, theirs), key("KES"))


def test_cve_2016_9122_unprotected_parameters_of_other_signatures_do_not_mix_in() -> None:
    token = general(_good(), signed("KHS", {"alg": "HS256", "typ": "other"}))
    token["signatures"][0]["header"] = {"x": 1}
    token["signatures"][1]["header"] = {"x": 2, "kid": "k"}
    verified = jws.verify_json(token, key("KES"))
    assert [dict(one.header) for one in verified.signatures] == [{"alg": "ES256"}]
    assert [dict(one.unprotected) for one in verified.signatures] == [{"x": 1}]


def test_signature_over_another_payload_does_not_count() -> None:
    token = general(signed("KES", {"alg": "ES256"}, FORGED), signed("KHS", {"alg": "HS256"}, CLAIMS))
    assert token["payload"] == b(CLAIMS)
    refused((InvalidSignatureError, AlgorithmMismatchError), jws.verify_json, token, key("KES"))


def test_json_serialisation_of_two_forms_at_once_is_refused() -> None:
    flat, several = flattened(_good()), general(_good())
    forged = general(tok({"alg": "ES256"}, CLAIMS, bytes(64)))
    for token in (
        {**flat, **several},
        {**flat, "signatures": forged["signatures"]},
        {**flat, "signatures": []},
        {**several, "signature": flat["signature"]},
        {**several, "protected": flat["protected"]},
        {**several, "header": {}},
    ):
        refused(MalformedTokenError, jws.verify_json, token, key("KES"))
        refused(MalformedTokenError, jws.verify_json, json.dumps(token), key("KES"))
    assert jws.verify_json({**flat, "extra": [1], "payloads": "x"}, key("KES")).payload


def test_json_jwe_of_two_forms_at_once_is_refused() -> None:
    flat = flattened_jwe(_wrapped())
    recipient = {"encrypted_key": flat["encrypted_key"]}
    bare = {name: part for name, part in flat.items() if name != "encrypted_key"}
    assert jwe.decrypt_json({**bare, "recipients": [recipient]}, key("KKW")).plaintext == b"secret"
    for token in ({**flat, "recipients": [recipient]}, {**bare, "header": {}, "recipients": [recipient]}):
        refused(MalformedTokenError, jwe.decrypt_json, token, key("KKW"))
        refused(MalformedTokenError, jwe.decrypt_json, json.dumps(token), key("KKW"))


@pytest.mark.parametrize("name", ["payload", "protected", "signature", "extra"])
def test_duplicate_member_of_a_json_token_is_refused(name: str) -> None:
    token = {**flattened(_good()), "extra": 1}
    text = json.dumps(token)
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    for twin in (name, escaped):
        for value in (json.dumps(token[name]), f'"{b(FORGED)}"'):
            refused(MalformedTokenError, jws.verify_json, f'{text[:-1]},"{twin}":{value}}}', key("KES"))
            refused(MalformedTokenError, jws.verify_json, f'{{"{twin}":{value},{text[1:]}', key("KES"))


@pytest.mark.parametrize("payload", [None, 1, True, [], {}, CLAIMS, [b(CLAIMS)]], ids=repr)
def test_payload_of_another_type_is_refused(payload: object) -> None:
    refused(MalformedTokenError, jws.verify_json, {**flattened(_good()), "payload": payload}, key("KES"))
    raw = b({"alg": "ES256", "b64": False, "crit": ["b64"]})
    token = {"payload": payload, "protected": raw, "signature": b(forging.es(f"{raw}.".encode()))}
    refused(MalformedTokenError, jws.verify_json, token, key("KES"))


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0", b"\xff", b"null", *(bytes(size) for size in (31, 32, 48, 63, 64, 65, 132, 256, 512))],
    ids=lambda octets: f"{octets[:4]!r}x{len(octets)}",
)
@pytest.mark.parametrize("name", [*SIGN, "KML"])
def test_cve_2020_28042_empty_signature_is_refused(name: str, signature: bytes) -> None:
    header = {"alg": key(name).alg}
    for error in forging.refused_everywhere(InvalidSignatureError, tok(header, FORGED, signature), key(name)):
        assert not error.args[1:]
    receiver = verifier(key(name))
    if name in SIGN:
        receiver.verify(signed(name, header))
        refused(InvalidSignatureError, receiver.verify, tok(header, FORGED, signature))


@pytest.mark.parametrize("tag", [b"", b"\0", bytes(12), bytes(15), bytes(16), bytes(17), bytes(32)], ids=len)
def test_empty_or_short_tag_is_refused(tag: bytes) -> None:
    token = f"{_encrypted().rpartition('.')[0]}.{b(tag)}"
    refused(DecryptionError, jwe.decrypt, token, key("KDIR"))
    refused(DecryptionError, jwe.decrypt_json, {**flattened_jwe(_encrypted()), "tag": b(tag)}, key("KDIR"))
    for cut in (1, 4, 8, 12, 15):
        good = _encrypted()
        short = b(forging.urlsafe_decoded(good.rpartition(".")[2])[:cut])
        refused(DecryptionError, jwe.decrypt, f"{good.rpartition('.')[0]}.{short}", key("KDIR"))


@pytest.mark.parametrize(
    "tail", ["~", "~~", "~WyJhIl0~", "~WyJhIl0", ",{}", " {}", ";{}", "\n{}", "|{}", "#x", "?x=y", "&x", "/"]
)
def test_sd_jwt_tail_is_not_a_jwt(tail: str) -> None:
    _refused_jws(_good() + tail.format(_good()))
    _refused_jws(
        tail.format(_good()) + _good()
        if "{}" not in tail
        else tail.format(_good())[1:] + tail.format(_good())
    )
    _refused_jwe(_encrypted() + tail.format(_encrypted()))
