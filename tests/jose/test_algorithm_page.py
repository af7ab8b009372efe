"""The page docs/algorithms.md lists exactly the table, with the sizes that keys and signatures really have."""

import re
from pathlib import Path

import msgspec
import pytest

from coatcheck.jose import Key
from coatcheck.jose.algorithms import CONTENT_ENCRYPTION, KEY_ENCRYPTION, SIGNATURE

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms.md").read_text(encoding="utf-8")
SIGNATURES, KEYS, CONTENTS = (part for part in PAGE.split("\n## ")[1:])
ROW = re.compile(r"^\| `(?P<alg>[\w-]+)` \|[^|]*\| (?P<signature>\d+)[^|]*\| (?P<jwk>\S+) \|", re.MULTILINE)
SIZES = {row["alg"]: (int(row["signature"]), row["jwk"]) for row in ROW.finditer(SIGNATURES)}


def test_the_page_lists_every_algorithm_and_no_other() -> None:
    assert set(SIZES) == set(SIGNATURE)
    listed = set(re.findall(r"`([\w+-]+)`", re.sub(r"^\| `alg`.*$", "", KEYS, flags=re.MULTILINE)))
    assert listed - {"dir"} == set(KEY_ENCRYPTION) - set(CONTENT_ENCRYPTION)
    assert set(re.findall(r"`([\w-]+)`", CONTENTS)) == set(CONTENT_ENCRYPTION)


@pytest.mark.parametrize("alg", SIGNATURE)
def test_the_sizes_on_the_page_are_those_of_real_keys(alg: str) -> None:
    key = Key.generate(alg, bits=2048 if alg[:2] in {"RS", "PS"} else None)
    signature_size, jwk_size = SIZES[alg]
    assert -(-len(key.sign(b"")) * 8 // 6) == signature_size
    if not key.is_symmetric:
        assert len(msgspec.json.encode(key.with_kid(None).to_jwk())) == int(jwk_size)
