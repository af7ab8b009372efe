import pytest

from coatcheck.web.pages import Brand, Pages

PAGES = Pages(Brand(), prefix="/auth", secure=True)
NAMES = {"coatcheck.css": "text/css", "coatcheck.js": "text/javascript", "icon.svg": "image/svg+xml"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_found_by_the_name_with_its_hash(name: str) -> None:
    url = PAGES.static_url(name)
    assert url.startswith("/auth/static/")
    found = PAGES.static_file(url.rpartition("/")[2])
    assert found is not None
    body, media_type = found
    assert body
    assert media_type.startswith(NAMES[name])


@pytest.mark.parametrize("name", ["coatcheck.css", "coatcheck.aaaa.css", "", "../views.py", "coatcheck..css"])
def test_any_other_name_finds_nothing(name: str) -> None:
    assert PAGES.static_file(name) is None
    assert PAGES.static_response(name) is None


def test_a_name_that_no_template_may_use_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        PAGES.static_url("other.css")


def test_another_brand_is_another_name() -> None:
    other = Pages(Brand(accent="#123456"), prefix="/auth", secure=True)
    assert other.static_url("coatcheck.css") != PAGES.static_url("coatcheck.css")
    assert other.static_url("icon.svg") != PAGES.static_url("icon.svg")
    assert other.static_url("coatcheck.js") == PAGES.static_url("coatcheck.js")


def test_a_file_may_be_kept_for_ever() -> None:
    response = PAGES.static_response(PAGES.static_url("coatcheck.js").rpartition("/")[2])
    assert response is not None
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" in response.headers


def test_the_icon_has_the_colours_of_the_brand() -> None:
    pages = Pages(Brand(accent="#FFDD00"), prefix="", secure=False)
    found = pages.static_file(pages.static_url("icon.svg").rpartition("/")[2])
    assert found is not None
    assert b'fill="#ffdd00"' in found[0]
    assert b'stroke="#000000"' in found[0]


def test_the_style_sheet_and_the_script_load_nothing() -> None:
    for name in ("coatcheck.css", "coatcheck.js", "form_post.js"):
        found = PAGES.static_file(PAGES.static_url(name).rpartition("/")[2])
        assert found is not None
        assert not any(
            word in found[0] for word in (b"http:", b"https:", b"url(", b"@import", b"innerHTML", b"eval(")
        )
        assert len(found[0]) < 26_000
