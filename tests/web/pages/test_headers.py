import pytest

from coatcheck.web.headers import security_headers, static_headers


def headers(*, nonce: str | None = "n0nce", https: bool = True, document: bool = True) -> dict[str, str]:
    pairs = security_headers(nonce=nonce, https=https, document=document)
    named = {name.decode(): value.decode() for name, value in pairs}
    assert len(named) == len(pairs)
    assert all(name == name.lower() for name in named)
    return named


def policy(text: str) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in text.split(";"))


def test_a_document_may_use_only_what_carries_its_nonce() -> None:
    assert policy(headers()["content-security-policy"]) == {
        "default-src": "'none'",
        "style-src": "'nonce-n0nce'",
        "script-src": "'nonce-n0nce'",
        "img-src": "'self'",
        "font-src": "'none'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }


def test_a_document_without_a_nonce_runs_nothing() -> None:
    directives = policy(headers(nonce=None)["content-security-policy"])
    assert directives["script-src"] == directives["style-src"] == "'none'"


def test_a_document_is_kept_apart_and_never_kept() -> None:
    named = headers()
    assert named["cache-control"] == "no-store"
    assert named["cross-origin-opener-policy"] == "same-origin"
    assert named["cross-origin-resource-policy"] == "same-origin"
    assert named["x-frame-options"] == "DENY"
    assert named["referrer-policy"] == "strict-origin"
    assert "camera=()" in named["permissions-policy"]


def test_data_allows_nothing() -> None:
    named = headers(nonce=None, document=False)
    directives = policy(named["content-security-policy"])
    assert set(directives.values()) == {"'none'"}
    assert {"default-src", "frame-ancestors"} <= directives.keys()
    assert named["cache-control"] == "no-store"
    assert named["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("document", [True, False])
def test_nothing_is_sniffed_and_https_is_remembered_for_two_years(document: bool) -> None:  # noqa: FBT001
    named = headers(document=document)
    assert named["x-content-type-options"] == "nosniff"
    assert named["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert "strict-transport-security" not in headers(document=document, https=False)


def test_static_files_say_the_same_and_stay() -> None:
    for https in (True, False):
        named = {name.decode(): value.decode() for name, value in static_headers(https=https)}
        assert named["x-content-type-options"] == "nosniff"
        assert "immutable" in named["cache-control"]
        assert ("strict-transport-security" in named) is https
