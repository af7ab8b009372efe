"""A position is written and read back as it was; any other text is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.revocation.model import START, Position

MARK = "abcDEF012-_"


@given(seq=st.integers(0, 10**18 - 1), mark=st.text(MARK, max_size=32))
def test_it_comes_back_as_it_was(seq: int, mark: str) -> None:
    position = Position(seq, mark)
    assert Position.parse(str(position)) == position


def test_the_start_has_a_text_too() -> None:
    assert str(START) == "0."
    assert Position.parse("0.") == START


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ".",
            "7",
            "x.m",
            ".m",
            "-7.m",
            "+7.m",
            " 7.m",
            "7 .m",
            "7.m ",
            "7_0.m",
            "7e1.m",
            "07.m",
            "00.",
            "0x7.m",
        ),
        *(
            "7.m.n",
            "7.m\n",
            "7.m\r\nevil: header",
            "7.\0",
            "7.é",
            "7.m,m",
            "\n7.m",
            "\uff17.m",
            "\u0667.m",
            "\xb2.m",
        ),
        *(
            "7." + "m" * 33,
            "9" * 19 + ".m",
            "9" * 100_000 + ".m",
            "7." + "m" * 1_000_000,
            "\ud800.m",
            "7.\ud800",
        ),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_what_is_none_is_told_without_a_fuss(text: str) -> None:
    assert Position.parse(text) is None


@given(st.text())
def test_whatever_is_read_is_written_the_same(text: str) -> None:
    position = Position.parse(text)
    assert position is None or str(position) == text
