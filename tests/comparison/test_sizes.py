"""Sizes are what is really sent, and months are reckoned rightly: both done again here, in another way."""

import base64

import pytest

from coatcheck.comparison.claims import default_claims
from coatcheck.comparison.credentials import make_issuance
from coatcheck.comparison.designs import OPAQUE, SIGNED
from coatcheck.comparison.model import Limit
from coatcheck.comparison.sizes import limits_of, load_of, sizes_of

SIGNATURES = {"HS256": 32, "RS256": 256, "ES256": 64, "Ed25519": 64, "ML-DSA-44": 2420, "ML-DSA-65": 3309}


def encoded_length(octets: int) -> int:
    return -(-octets * 4 // 3)


@pytest.mark.parametrize("design, alg", SIGNED.items(), ids=SIGNED)
def test_a_token_is_as_long_as_its_parts_in_base64url(design: str, alg: str) -> None:
    token = make_issuance(default_claims()).token(design)
    header, payload, signature = token.split(".")
    parts = [base64.urlsafe_b64decode(f"{part}===") for part in (header, payload, signature)]
    assert len(parts[2]) == SIGNATURES[alg]
    assert len(token) == sum(encoded_length(len(part)) for part in parts) + 2
    (size,) = [
        each for each in sizes_of({OPAQUE: "x" * 43, design: token}, load_of(1)) if each.design == design
    ]
    assert size.credential_octets == len(token)
    assert size.line_octets == len(b"authorization: Bearer " + token.encode() + b"\r\n")
    assert size.times_opaque == size.line_octets / 70


def test_an_opaque_identifier_travels_in_a_cookie() -> None:
    (size,) = sizes_of({OPAQUE: "x" * 43}, load_of(1))
    assert size.carrier == "cookie"
    assert size.line_octets == len(b"cookie: __Host-coatcheck=" + b"x" * 43 + b"\r\n") == 70
    assert size.cookie_octets == len("__Host-coatcheck") + 43
    assert size.cookie_share == size.cookie_octets / 4096
    assert size.headers_share == 70 / 8192


@pytest.mark.parametrize(
    "rate, requests", [(1, 2_592_000), (100, 259_200_000), (0.5, 1_296_000), (1e9, 2_592 * 10**12)]
)
def test_a_month_has_thirty_days(rate: float, requests: int) -> None:
    load = load_of(rate)
    assert load.requests_per_month == requests
    (size,) = sizes_of({OPAQUE: "x" * 43}, load)
    assert size.month_octets == 70 * requests


def limit_of(length: int, name: str, design: str = "jwt-hs256") -> Limit:
    sizes = sizes_of({OPAQUE: "x" * 43, design: "x" * length}, load_of(1))
    return next(each for each in limits_of(sizes) if each.id == name)


@pytest.mark.parametrize(
    "length, verdict",
    [(4096 - 16, "exactly"), (4096 - 15, "exceeds"), (3072 - 16, "near"), (3072 - 17, "fits")],
)
def test_the_limit_of_a_cookie_counts_its_name_and_value(length: int, verdict: str) -> None:
    limit = limit_of(length, "browser-cookie")
    use = limit.uses[-1]
    assert use.octets == length + len("__Host-coatcheck")
    assert use.verdict == ("near" if verdict == "exactly" else verdict)


@pytest.mark.parametrize(
    "name, octets", [("nginx-line", 8192), ("apache-line", 8190), ("node-headers", 16384)]
)
def test_the_limit_of_a_line_counts_the_line(name: str, octets: int) -> None:
    fixed = len("authorization: Bearer \r\n")
    assert limit_of(octets - fixed, name).uses[-1].verdict == "near"
    assert limit_of(octets - fixed + 1, name).uses[-1].verdict == "exceeds"
