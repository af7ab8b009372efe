"""What clients may call themselves: people decide by the name whom they let in."""

import pytest

from coatcheck.oauth.client_names import check_name
from coatcheck.oauth.errors import InvalidClientMetadataError


@pytest.mark.parametrize(
    "name",
    [
        "My App",
        "Zoë's Café 2",
        "Почта России",
        "Ελληνική Εταιρεία",
        "東京カメラ App",
        "한국 Mail",
        "微信 WeChat ㄅ",
        "שלום",
        "مرحبا",
        "हिन्दी",
        "app.example",
        "Ångström & Sons (€) ☂",
        "々ラーメン",
        "Рост",
        "3",
        "x" * 100,
    ],
    ids=range(16),
)
def test_a_name_of_any_script_is_kept(name: str) -> None:
    assert check_name(name) == name


def test_a_name_is_composed_and_has_no_spaces_around_it() -> None:
    assert check_name("  Zoe\u0308 ") == "Zoë"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101], ids=["empty", "spaces", "long"])
def test_a_name_has_1_to_100_letters(name: str) -> None:
    with pytest.raises(InvalidClientMetadataError) as refused:
        check_name(name)
    assert refused.value.field == "client_name"


@pytest.mark.parametrize(
    "name",
    [
        "Bank\u202egro.live",  # right-to-left override
        "Bank\u2066x\u2069",  # isolates
        "Bank\u200bApp",  # zero width space
        "Bank\u200dApp",
        "Bank\ufeff",
        "Bank\u00adApp",  # soft hyphen
        "Bank\nThis is safe",
        "Bank\x00",
        "Bank\x1b[2J",
        "Bank\u2028x",
        "Bank\u00a0App",
        "Bank\u3164",  # Hangul filler
        "\u2800",  # Braille blank
        "Bank\ue000",
        "Bank\ud800",
        "Ban\u0300\u0301\u0302\u0303k",
        "\u0301Bank",
        "Bank\U000e0041",  # tag letter
    ],
    ids=range(18),
)
def test_attack_a_name_with_letters_that_are_not_seen_or_turn_the_line_around_is_refused(name: str) -> None:
    with pytest.raises(InvalidClientMetadataError) as refused:
        check_name(name, field="name")
    assert refused.value.field == "name"
    assert name not in refused.value.message


@pytest.mark.parametrize(
    "name",
    [
        "p\u0430ypal",  # Cyrillic a
        "G\u043e\u043egle",
        "\u0391pple",  # Greek capital alpha
        "\u0440\u0430\u0443\u0440\u0430\u04cf",  # all Cyrillic, all like Latin
        "\u0410\u0415\u0420\u041e",
        "\u039d\u0399\u039a\u0395",  # NIKE in Greek
        "\u13aa\u13a1\u13a2 Bank",  # Cherokee
        "Microso\uff46t \u043e",  # full width, and one Cyrillic
        "\U0001d400\u0440ple",  # a mathematical A, and a Cyrillic er
        "\u0570\u0578\u0585\u0578",  # Armenian
    ],
    ids=range(10),
)
def test_attack_a_homograph_of_a_name_in_other_letters_is_refused(name: str) -> None:
    with pytest.raises(InvalidClientMetadataError):
        check_name(name)
