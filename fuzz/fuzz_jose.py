"""Throw changed inputs at everything in ``coatcheck.jose`` that reads what others write.

::

    python fuzz/fuzz_jose.py --seconds 60 [--seed N]

Good tokens, keys and claims are changed in their structure, then in their text. What must hold:

- whatever is refused is refused with a ``JOSEError`` whose message is short and printable;
- no changed token is accepted, unless it still means the same: the same octets under the same key;
- claims that are accepted also satisfy a second, naive reading of them;
- a key that is read can be written, read again and used.

A finding prints what is needed to see it again, and ends the program with status 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from coatcheck.jose import Claims, JOSEError, Key, KeySet, Limits, hazmat, jwe, jws, jwt


def words(text: str) -> tuple[str, ...]:
    """Return the words of a table."""
    return tuple(text.split())


NOW = 1_800_000_000
ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice",
    "iat": NOW,
    "exp": NOW + 300,
    "nbf": NOW,
}
PAYLOAD, ADDED = b"a payload that nobody may change", b"seen by all"
LIMITS = Limits(iterations=3_000)
LONGEST_CPU = 10.0  # seconds for one input: far beyond anything honest
LONGEST_MESSAGE = 1_000

SIGNATURES = words("HS256 RS256 PS256 ES256 ES512 ES256K Ed25519 Ed448 ML-DSA-44")
ENCRYPTIONS = words(
    "A256GCM A128CBC-HS256 A128KW A256GCMKW RSA-OAEP-256 ECDH-ES ECDH-ES+A256KW PBES2-HS256+A128KW"
)


class FindingError(Exception):
    """Something was accepted that must not be, or read in two ways."""


@dataclass(frozen=True)
class Target:
    """One entrance.

    Attributes:
        name: For the report.
        inputs: Good inputs, to be changed: text, octets or JSON values.
        run: Takes a changed input and returns, raises a ``JOSEError``, or raises ``FindingError``.
        keys: The keys involved, for the reproducer.
        one_spelling: Whether nothing but the good inputs themselves may be accepted, octet for octet.
    """

    name: str
    inputs: Sequence[Any]
    run: Callable[[Any], None]
    keys: Sequence[Key] = field(default=())
    one_spelling: bool = False


def encoded(octets: bytes) -> str:
    """Write base64url."""
    return urlsafe_b64encode(octets).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Read base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def same(found: object, expected: object, what: str) -> None:
    """Raise ``FindingError`` unless both are equal."""
    if found != expected:
        raise FindingError(f"{what}: {found!r} instead of {expected!r}")


# --- changing --------------------------------------------------------------------------------------------

TEXTS = (
    *(
        "",
        "=",
        "====",
        "\u212a",
        "\ud800",
        "\0",
        "\u2028",
        "é",
        "a" * 300,
        "A" * 43,
        "_" * 43,
        ISSUER,
        AUDIENCE,
    ),
    *words(
        "none None HS256 ES256 RS256 EdDSA dir RSA1_5 A256KW A128GCM DEF JWT at+jwt b64 crit exp alg P-256 P-521"
    ),
    *words(
        "X25519 Ed25519 RSA EC oct OKP AKP sig enc AA AQAB AQ ../../dev/null application/jwt sign verify deriveKey"
    ),
)
NUMBERS = (
    *(0, 1, -1, 999, 1000, 1_200_001, NOW, NOW + 9, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30)),
    *(0.5, 1e308, 1e-400),
)
RAW = (
    *(b"NaN", b"1e400", b"-Infinity", b"9" * 5000, b"[" * 60, b"tru", b"", b"{}{}", b"\xef\xbb\xbf"),
    *(b'"\xff"', b'"\\ud800"'),
)
NAMES = words("""
    alg kid typ cty crit b64 enc zip epk apu apv iv tag p2s p2c jwk jku x5c x5u x5t#S256
    kty crv x y d n e k p q dp dq qi oth pub priv use key_ops keys
    iss sub aud exp nbf iat jti scope
    payload protected header signature signatures unprotected recipients encrypted_key ciphertext aad
""")


def any_value(random: Random) -> Any:
    """Choose a value that somebody's parser has stumbled over."""
    kind = random.randrange(9)
    if kind < 3:
        return random.choice(TEXTS)
    if kind < 5:
        return random.choice(NUMBERS)
    if kind == 5:
        return random.choice((None, True, False, [], {}, [[]], [None], {"": None}))
    if kind == 6:
        return encoded(random.randbytes(random.choice((0, 1, 8, 12, 16, 31, 32, 33, 48, 57, 64, 256))))
    if kind == 7:
        return [any_value(random) for _ in range(random.randrange(4))]
    return {random.choice(NAMES): any_value(random) for _ in range(random.randrange(4))}


def nested(random: Random) -> Any:
    """Choose a value that nests deep."""
    value: Any = any_value(random)
    for _ in range(random.choice((5, 33, 200))):
        value = [value] if random.random() < 0.5 else {random.choice(NAMES): value}
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every value inside, its own included."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from places(item, (*path, position))


def changed_value(random: Random, value: Any) -> Any:
    """Return a copy of a JSON value with one change somewhere."""
    whole = json.loads(json.dumps(value))
    path = random.choice([*places(whole)])
    if not path:
        if isinstance(whole, dict):
            name = random.choice(NAMES)
            whole[name] = nested(random) if random.random() < 0.1 else any_value(random)
            return whole
        return any_value(random)
    parent = whole
    for step in path[:-1]:
        parent = parent[step]
    if random.random() < 0.5:
        parent[path[-1]] = changed_leaf(random, parent[path[-1]])
    else:
        change_inside(random, parent, path[-1])
    return whole


def changed_leaf(random: Random, value: Any) -> Any:
    """Change one value by what it is."""
    if isinstance(value, str):
        return changed_part(random, value)
    if isinstance(value, int):
        return value + random.choice((1, -1, 0.5, 2**63))
    return any_value(random)


def change_inside(random: Random, parent: Any, last: Any) -> None:
    """Change an object or an array at one place."""
    kind = random.randrange(5)
    if kind == 0:
        del parent[last]
    elif kind == 1:
        parent[last] = any_value(random)
    elif kind == 2:
        parent[last] = [parent[last]]
    elif isinstance(parent, list):
        parent.extend([parent[last]] * random.choice((1, 2, 20)))
    elif kind == 3:
        parent[random.choice(NAMES)] = parent.pop(last)
    else:
        other = random.choice([*parent])
        parent[last], parent[other] = parent[other], parent[last]


def changed_part(random: Random, text: str) -> str:
    """Change a string of a JSON value: as base64url of JSON, of octets, or as text."""
    try:
        octets = decoded(text)
    except ValueError:
        return changed_text(random, text)
    if random.random() < 0.5:
        return changed_text(random, text)
    try:
        value = json.loads(octets)
    except ValueError:
        return encoded(changed_octets(random, octets))
    return encoded(written(random, changed_value(random, value)))


def written(random: Random, value: Any) -> bytes:
    """Write JSON as one may, and sometimes as one must not."""
    text = json.dumps(
        value,
        indent=random.choice((None, None, None, 1)),
        ensure_ascii=random.random() < 0.7,
        sort_keys=False,
    ).encode("utf-8", "surrogatepass")
    kind = random.randrange(20)
    if kind == 0 and text.startswith(b"{") and len(text) > 2:
        name = json.dumps(random.choice([*value])).encode()
        return b"{" + name + b":" + json.dumps(any_value(random)).encode() + b"," + text[1:]
    if kind == 1 and text.startswith(b"{") and len(text) > 2:
        return b'{"x":' + random.choice(RAW) + b"," + text[1:]
    if kind == 2 and text.count(b": "):
        head, _, tail = text.partition(b": ")
        return head + b":" + random.choice(RAW) + tail[tail.find(b",") :]
    if kind == 3:
        return value_in(random, text)
    if kind == 4:
        return changed_octets(random, text)
    return text


def value_in(random: Random, text: bytes) -> bytes:
    """Write the same JSON in another encoding."""
    codec = random.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"))
    return text.decode("utf-8", "replace").encode(codec)


def changed_octets(random: Random, octets: bytes) -> bytes:
    """Change octets in one to three places."""
    result = bytearray(octets)
    for _ in range(random.choice((1, 1, 2, 3))):
        place = random.randrange(len(result) + 1)
        kind = random.randrange(7)
        if kind == 0 and place < len(result):
            result[place] ^= 1 << random.randrange(8)
        elif kind == 1 and place < len(result):
            result[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            result[place : place + random.choice((1, 1, 2, 16))] = b""
        elif kind == 3:
            result[place:place] = random.randbytes(random.choice((1, 1, 2, 16)))
        elif kind == 4:
            other = random.randrange(len(result) + 1)
            result[place:place] = result[other : other + random.choice((1, 4, 40))]
        elif kind == 5:
            del result[place:]
        else:
            result.extend(random.choice((b"\0", b"=", b"\n", b".", b" ", b"A", b"==")))
    return bytes(result)


def changed_text(random: Random, text: str) -> str:
    """Change a text in one to three places."""
    for _ in range(random.choice((1, 1, 2, 3))):
        place, kind = random.randrange(len(text) + 1), random.randrange(8)
        letter = random.choice('AQgw-_.=+/ \n\0"{}é~0zZ\ud800')
        if kind < 2:
            text = text[:place] + letter + text[place + 1 :]
        elif kind == 2:
            text = text[:place] + text[place + random.choice((1, 1, 2, 20)) :]
        elif kind == 3:
            text = text[:place] + letter + text[place:]
        elif kind == 4:
            other = random.randrange(len(text) + 1)
            text = text[:place] + text[other : other + random.choice((1, 4, 40))] + text[place:]
        elif kind == 5:
            text = text[:place]
        elif kind == 6:
            text = text[:-1] + letter
        else:
            text = text.swapcase() if random.random() < 0.2 else text + letter
    return text


def changed_token(random: Random, token: str, others: Sequence[Any]) -> str | bytes:
    """Change a compact token in its parts, then perhaps in its text."""
    parts = token.split(".")
    kind, place = random.randrange(9), random.randrange(len(parts))
    if kind == 0:
        donor = str(random.choice(others)).split(".")
        parts[place] = random.choice(donor)
    elif kind == 1:
        parts[place] = random.choice(("", "AA", "A", "e30", encoded(random.randbytes(random.randrange(80)))))
    elif kind == 2:
        other = random.randrange(len(parts))
        parts[place], parts[other] = parts[other], parts[place]
    elif kind == 3:
        parts.insert(place, parts[place])
    elif kind == 4 and len(parts) > 1:
        del parts[place]
    elif kind < 8:
        parts[0 if random.random() < 0.6 else place] = changed_part(random, parts[0 if kind == 5 else place])
    text = ".".join(parts)
    if kind == 8 or random.random() < 0.2:
        text = changed_text(random, text)
    return text.encode("utf-8", "surrogatepass") if random.random() < 0.2 else text


def changed(random: Random, target: Target) -> Any:
    """Take one of the target's good inputs and change it."""
    good = random.choice(target.inputs)
    if isinstance(good, bytes):
        return changed_octets(random, good)
    if isinstance(good, str):
        if good.startswith("-----"):
            return changed_text(random, good)
        return changed_token(random, good, target.inputs)
    value = good
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        value = changed_value(random, value)
    kind = random.randrange(4)
    if kind == 0:
        return value
    octets = written(random, value)
    return octets if kind == 1 else octets.decode("utf-8", "surrogateescape")


# --- keys and good inputs --------------------------------------------------------------------------------


def make_keys() -> dict[str, Key]:
    """One key for each algorithm; those of RSA share their numbers, since making them is slow."""
    rsa = Key.generate("RS256", bits=2048)
    pem = rsa.to_private_pem()
    keys = {alg: Key.from_pem(pem, alg, kid=alg) for alg in ("RS256", "PS256", "RSA-OAEP-256")}
    for alg in (*SIGNATURES, *ENCRYPTIONS):
        if alg.startswith("PBES2"):
            keys[alg] = Key.from_password("correct horse battery staple", alg, kid=alg)
        elif alg not in keys:
            keys[alg] = Key.generate(alg, kid=alg)
    return keys


def other_side(key: Key) -> Key:
    """Return the key that the other side has."""
    return key if key.is_symmetric else key.public()


def jws_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """Signed tokens."""
    signers = [keys[alg] for alg in SIGNATURES]
    asymmetric = KeySet([other_side(key) for key in signers if not key.is_symmetric])

    def checked(verify: Callable[..., jws.VerifiedJWS], **options: Any) -> Callable[[Any], None]:
        def run(token: Any) -> None:
            verified = verify(token, limits=LIMITS, **options)
            same(verified.payload, PAYLOAD, "payload")
            same(verified.header["alg"], verified.key.alg, "algorithm")
            if not verified.signatures:
                raise FindingError("verified without a signature")

        return run

    for key in signers:
        ours = other_side(key)
        tokens = [jws.sign(PAYLOAD, key), jws.sign(PAYLOAD, key, typ="JWT", header={"x": [1, {"y": "z"}]})]
        yield Target(
            f"jws.verify {key.alg}",
            tokens,
            checked(partial(jws.verify, keys=ours)),
            [key],
            one_spelling=True,
        )
    compact = [jws.sign(PAYLOAD, key) for key in signers if not key.is_symmetric]
    yield Target(
        "jws.verify set", compact, checked(partial(jws.verify, keys=asymmetric)), signers, one_spelling=True
    )
    for key in (keys["HS256"], keys["Ed25519"]):
        ours = other_side(key)
        detached = [jws.sign(PAYLOAD, key, detached=True, b64=b64) for b64 in (True, False)]
        yield Target(
            f"jws.verify detached {key.alg}",
            detached,
            checked(partial(jws.verify, keys=ours, payload=PAYLOAD)),
            [key],
            one_spelling=True,
        )
        plain = [jws.sign(PAYLOAD, key, b64=False)]
        yield Target(
            f"jws.verify b64 {key.alg}",
            plain,
            checked(partial(jws.verify, keys=ours)),
            [key],
            one_spelling=True,
        )
    several: list[Key | jws.SignerInfo] = [
        keys["ES256"],
        jws.SignerInfo(key=keys["Ed25519"], unprotected={"note": "x"}),
        keys["RS256"],
    ]
    objects = [
        jws.sign_json(PAYLOAD, keys["ES256"]),
        jws.sign_json(PAYLOAD, keys["Ed25519"], b64=False),
        jws.sign_json(PAYLOAD, several),
    ]
    yield Target("jws.verify_json", objects, checked(partial(jws.verify_json, keys=asymmetric)), signers)


def jwe_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """Encrypted tokens."""

    def checked(decrypt: Callable[..., jwe.DecryptedJWE]) -> Callable[[Any], None]:
        def run(token: Any) -> None:
            opened = decrypt(token, limits=LIMITS, max_decompressed=10_000)
            same(opened.plaintext, PAYLOAD, "plaintext")
            if opened.aad not in (None, ADDED):
                raise FindingError(f"additional data: {opened.aad!r}")

        return run

    for alg in ENCRYPTIONS:
        key = keys[alg]
        header = {"p2c": 1000} if alg.startswith("PBES2") else None
        tokens = [
            jwe.encrypt(PAYLOAD, key, header=header),
            jwe.encrypt(PAYLOAD, key, header=header, compress=True),
        ]
        if "GCM" not in alg and "CBC" not in alg:
            tokens.append(jwe.encrypt(PAYLOAD, key, header=header, enc="A128CBC-HS256"))
        yield Target(
            f"jwe.decrypt {alg}", tokens, checked(partial(jwe.decrypt, keys=key)), [key], one_spelling=True
        )
        objects = [
            jwe.encrypt_json(PAYLOAD, key, header=header),
            jwe.encrypt_json(PAYLOAD, [key], header=header, aad=ADDED),
        ]
        if not alg.startswith(("A256GCM", "A128CBC", "PBES2")) and alg != "ECDH-ES":
            objects.append(jwe.encrypt_json(PAYLOAD, [keys["A128KW"], key, keys["RSA-OAEP-256"]]))
        yield Target(
            f"jwe.decrypt_json {alg}",
            objects,
            checked(partial(jwe.decrypt_json, keys=key)),
            [key],
        )


class Access(Claims):
    """Claims with types of their own."""

    scope: str = ""
    roles: tuple[str, ...] = ()


def verifier_for(key: Key, **demands: Any) -> jwt.Verifier[Any]:
    """Make a verifier whose demands ``CLAIMS`` meet."""
    verifier: jwt.Verifier[Any] = jwt.Verifier(
        other_side(key), issuer=ISSUER, audience=AUDIENCE, clock=lambda: float(NOW), limits=LIMITS, **demands
    )
    return verifier


def naive(payload: bytes) -> None:
    """Read accepted claims with the standard library, and check them again in the simplest words."""
    # A number that nobody reads may be longer than Python converts.
    claims = json.loads(payload.decode("utf-8"), parse_int=lambda digits: int(digits[:4000]))
    same(claims["iss"], ISSUER, "issuer")
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if AUDIENCE not in audience or not all(isinstance(name, str) for name in audience):
        raise FindingError(f"audience: {audience!r}")
    for name, earliest, latest in (("exp", NOW - 10, None), ("nbf", None, NOW + 10), ("iat", None, NOW + 10)):
        value = claims.get(name, NOW)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise FindingError(f"{name} is {value!r}")
        if (earliest is not None and not value > earliest) or (latest is not None and not value <= latest):
            raise FindingError(f"{name} is {value!r}")
    for name in ("sub", "jti"):
        if not isinstance(claims.get(name, ""), str):
            raise FindingError(f"{name} is {claims[name]!r}")
    if "exp" not in claims:
        raise FindingError("no expiry")


def jwt_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """Tokens and their claims."""
    for alg in ("HS256", "ES256", "Ed25519"):
        key = keys[alg]
        tokens = [jws.sign(json.dumps(CLAIMS).encode(), key, typ=typ) for typ in ("JWT", None)]
        verifier = verifier_for(key)

        def run(token: Any, verifier: jwt.Verifier[Any] = verifier) -> None:
            same(json.loads(verifier.verify(token).payload), CLAIMS, "claims")

        yield Target(f"Verifier {alg}", tokens, run, [key], one_spelling=True)

    key, secret = keys["Ed25519"], keys["A128KW"]
    nested_verifier = verifier_for(key, decrypt_with=secret)
    inner = jws.sign(json.dumps(CLAIMS).encode(), key)

    def run_nested(token: Any) -> None:
        same(json.loads(nested_verifier.verify(token).payload), CLAIMS, "claims")

    def run_inner(content: Any) -> None:
        octets = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        run_nested(jwe.encrypt(octets, secret, cty="JWT"))

    yield Target(
        "Verifier nested",
        [jwe.encrypt(inner.encode(), secret, cty="JWT")],
        run_nested,
        [key, secret],
        one_spelling=True,
    )
    yield Target("Verifier inner", [inner], run_inner, [key, secret], one_spelling=True)

    strict, loose = (
        verifier_for(key, claims=Access, require=("exp", "scope")),
        verifier_for(key, claims=dict, require=("exp", "sub", "scope")),
    )

    def run_claims(claims: Any) -> None:
        token = jws.sign(as_octets(claims), key)
        problems = []
        for verifier in (strict, loose):
            try:
                verified = verifier.verify(token)
            except JOSEError as error:
                problems.append(error)
                continue
            naive(verified.payload)
            verified.as_type(dict)
        if problems:
            raise problems[0]

    yield Target(
        "signed claims",
        [{**CLAIMS, "scope": "a"}, {**CLAIMS, "scope": "a b", "roles": ["x"]}],
        run_claims,
        [key],
    )


def as_octets(value: Any) -> bytes:
    """Write what was changed as it would travel."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return json.dumps(value).encode("utf-8", "surrogatepass")


def header_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """Headers, validly signed."""
    key = keys["HS256"]
    verifier = verifier_for(key)

    content = json.dumps(CLAIMS).encode()

    def run_signed(header: Any) -> None:
        message = f"{encoded(as_octets(header))}.{encoded(content)}"
        token = f"{message}.{encoded(key.sign(message.encode()))}"
        verified = jws.verify(token, key)
        unencoded = verified.header.get("b64") is False
        same(verified.payload, encoded(content).encode() if unencoded else content, "payload")
        same(verified.header.alg, "HS256", "algorithm")
        if "crit" in verified.header and set(verified.header["crit"]) != {"b64"}:
            raise FindingError("a critical extension was not understood and accepted")
        same(verifier.verify(token).header.alg, "HS256", "algorithm")

    good = [{"alg": "HS256", "kid": "HS256", "typ": "JWT"}, {"alg": "HS256", "crit": ["b64"], "b64": True}]
    yield Target("signed header", good, run_signed, [key])


def writing_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """What callers give to be written, and what is only read."""
    key, secret = keys["HS256"], keys["A128KW"]
    verifier = verifier_for(key)

    def run_sign(header: Any) -> None:
        if not isinstance(header, dict):
            return
        same(
            jws.verify(jws.sign(PAYLOAD, key, header=header), key, understood=header).payload,
            PAYLOAD,
            "payload",
        )

    yield Target("jws.sign", [{"x": 1, "typ": "JWT"}, {"crit": ["x"], "x": {"y": []}}], run_sign, [key])

    def run_encrypt(header: Any) -> None:
        if not isinstance(header, dict):
            return
        token = jwe.encrypt(PAYLOAD, secret, header=header)
        same(jwe.decrypt(token, secret, understood=header).plaintext, PAYLOAD, "plaintext")

    yield Target(
        "jwe.encrypt", [{"x": 1, "apu": "QQ"}, {"crit": ["x"], "x": {"y": []}}], run_encrypt, [secret]
    )

    signer = jwt.Signer(key, issuer=ISSUER, audience=AUDIENCE, clock=lambda: float(NOW))

    def run_signer(claims: Any) -> None:
        if isinstance(claims, dict):
            verified = verifier.verify(signer.sign(claims))
            naive(verified.payload)

    yield Target(
        "Signer.sign", [{}, {"sub": "alice"}, CLAIMS, {"sub": "x", "scope": ["a", {}]}], run_signer, [key]
    )

    def run_unverified(token: Any) -> None:
        read = hazmat.read_unverified(token)
        if not read.is_encrypted and not isinstance(read.claims, dict):
            raise FindingError("claims that are no object")

    tokens = [signer.sign({}), jwe.encrypt(PAYLOAD, secret), jws.sign(b"{}", keys["ES256"])]
    yield Target("read_unverified", tokens, run_unverified)


def use(key: Key) -> None:
    """Write a key, read it again, and work with it."""
    if key.is_symmetric or key.is_private:
        again = Key.from_jwk(key.to_private_jwk(), alg=key.alg)
    else:
        again = Key.from_jwk(key.to_jwk(), alg=key.alg)
    same(again.thumbprint(), key.thumbprint(), "thumbprint")
    if not key.is_private or key.alg.startswith(("PBES2", "RSA1_5")):
        return
    if key.use == "sig" and key.allows("sign") and key.allows("verify"):
        same(jws.verify(jws.sign(PAYLOAD, key), other_side(key)).payload, PAYLOAD, "payload")
    elif key.use == "enc" and key.allows("encrypt") and key.allows("decrypt"):
        same(jwe.decrypt(jwe.encrypt(PAYLOAD, key), key).plaintext, PAYLOAD, "plaintext")


def read_and_use(read: Callable[..., Key], given: Any, **options: Any) -> None:
    """Read a key and use it."""
    use(read(given, **options))


def key_targets(keys: Mapping[str, Key]) -> Iterator[Target]:
    """Keys, sets of keys and key files."""
    every = [*keys.values()]
    private = [key.to_private_jwk() for key in every]
    public = [key.to_jwk() for key in every if not key.is_symmetric]
    yield Target("from_jwk", [*private, *public], partial(read_and_use, Key.from_jwk))
    for alg in ("ES256", "PS256", "EdDSA", "ECDH-ES+A256KW", "HS256"):
        yield Target(f"from_jwk {alg}", [*private, *public], partial(read_and_use, Key.from_jwk, alg=alg))

    def run_set(jwks: Any, **options: Any) -> None:
        read = KeySet.from_jwks(jwks, **options)
        for key in read:
            use(key)
        if not all(reason.isprintable() for reason in read.ignored):
            raise FindingError("a reason that cannot be printed")

    sets = [
        {"keys": public},
        {"keys": public[:2]},
        {"keys": [key.to_private_jwk() for key in every if key.is_symmetric]},
    ]
    yield Target("from_jwks", sets, run_set)
    named = {"ES256", "RS256", "Ed25519", "HS256", "RSA1_5"}
    yield Target("from_jwks named", sets, partial(run_set, algorithms=named))

    asymmetric = [key for key in every if not key.is_symmetric]
    pem = [key.to_pem().decode() for key in asymmetric] + [
        key.to_private_pem().decode() for key in asymmetric
    ]
    der = [key.to_der() for key in asymmetric] + [key.to_private_der() for key in asymmetric]
    locked = keys["ES256"].to_private_pem(password="hunter2")
    for alg in ("RS256", "ES256", "Ed25519", "ML-DSA-44", "ECDH-ES"):
        yield Target(f"from_pem {alg}", [*pem, locked], partial(read_and_use, Key.from_pem, alg=alg))
        yield Target(f"from_der {alg}", der, partial(read_and_use, Key.from_der, alg=alg))
    yield Target(
        "from_pem locked", [locked], partial(read_and_use, Key.from_pem, alg="ES256", password="hunter2")
    )
    texts: list[Any] = [*(text.encode() for text in pem), *der, *(json.dumps(jwk).encode() for jwk in public)]
    yield Target("from_secret", texts, partial(read_and_use, Key.from_secret, alg="HS256"))
    yield Target("from_password", ["correct horse battery staple"], partial(read_and_use, Key.from_password))


# --- running ---------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What happened so far."""

    executions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def accept_unchanged_only(target: Target, given: Any) -> None:
    """Refuse that a compact token was accepted in another spelling, even where it means the same."""
    if target.one_spelling and as_octets(given) not in {as_octets(good) for good in target.inputs}:
        raise FindingError("a changed token was accepted")


def execute(target: Target, given: Any, report: Report) -> None:
    """Run one input. Raises whatever is a finding."""
    started = time.process_time()
    try:
        target.run(given)
    except JOSEError as error:
        outcome, message = error.code, str(error)
        if not message.isprintable() or len(message) > LONGEST_MESSAGE:
            raise FindingError(f"a message that is long or not printable: {message[:200]!r}") from error
    else:
        outcome = "(accepted)"
        accept_unchanged_only(target, given)
    if time.process_time() - started > LONGEST_CPU:
        raise FindingError(f"took more than {LONGEST_CPU} seconds")
    report.executions += 1
    report.outcomes[outcome] += 1


def show_finding(target: Target, given: Any, seed: int, report: Report) -> None:
    """Print what is needed to see it again."""
    print(f"\nFINDING in {target.name}, seed {seed}, execution {report.executions + 1}\n")
    traceback.print_exc(file=sys.stdout)
    print(f"\nInput:\n{given!r}\n\nKeys:")
    for key in target.keys:
        print(json.dumps(key.to_private_jwk()))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Fuzz coatcheck.jose.")
    parser.add_argument("--seconds", type=float, default=60, help="how long to run (default: 60)")
    parser.add_argument("--seed", type=int, help="the seed of the changes (default: another each time)")
    return parser.parse_args()


def main() -> int:
    """Run until the time is up or something is found. Returns the status of the program."""
    options = arguments()
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    random, report = Random(seed), Report()
    warnings.simplefilter("ignore")  # of `cryptography`, about odd certificates
    keys = make_keys()
    makers = (jws_targets, jwe_targets, jwt_targets, header_targets, writing_targets, key_targets)
    targets = [target for make in makers for target in make(keys)]
    for target in targets:
        for good in target.inputs:
            try:
                target.run(good)
            except JOSEError:
                if not target.name.startswith("from_"):  # a key file is for one of the algorithms
                    raise
    print(f"seed {seed}: {len(targets)} targets, {options.seconds:g} s", flush=True)
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < options.seconds:
        target = random.choice(targets)
        given = changed(random, target)
        try:
            execute(target, given, report)
        except KeyboardInterrupt:
            break
        except BaseException:  # noqa: BLE001 - a panic of the Rust underneath is none of the usual exceptions
            show_finding(target, given, seed, report)
            return 1
    print(f"{report.executions} executions, {report.executions / max(elapsed, 1e-9):.0f} per second")
    for outcome, count in report.outcomes.most_common():
        print(f"{count:>9}  {outcome}")
    print("no findings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
