import pytest

from coatcheck.web.pages import Brand
from coatcheck.web.pages.brand import InvalidBrandError


@pytest.mark.parametrize(
    "colour",
    [
        "",
        "red",
        "#12",
        "#1234",
        "#12345g",
        "#1234567",
        "#123;}",
        "#fff\n",
        "#\uff11\uff12\uff13",
        "123456",
        "url(x)",
    ],
)
@pytest.mark.parametrize("field", ["accent", "accent_dark"])
def test_a_malformed_colour_is_refused(field: str, colour: str) -> None:
    with pytest.raises(InvalidBrandError, match=rf"^{field} is not a colour"):
        Brand(**{field: colour})


@pytest.mark.parametrize("colour", ["#abc", "#ABCDEF", "#012345"])
def test_a_colour_is_taken(colour: str) -> None:
    assert Brand(accent=colour).accent == colour


@pytest.mark.parametrize(
    "logo",
    [
        "",
        "logo.svg",
        "//elsewhere.example/x.png",
        "https://elsewhere.example/x.png",
        "/\\elsewhere",
        "/a b",
        '/"onload=',
        "/<",
        "data:image/png;base64,xx",
        "/x\n",
    ],
)
def test_a_logo_from_elsewhere_is_refused(logo: str) -> None:
    with pytest.raises(InvalidBrandError, match="logo"):
        Brand(logo=logo)


def test_a_logo_on_this_site_is_taken() -> None:
    assert Brand(logo="/assets/logo-2.svg?v=3").logo == "/assets/logo-2.svg?v=3"


@pytest.mark.parametrize("name", ["", " \t"])
def test_a_site_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidBrandError, match="name"):
        Brand(name=name)
