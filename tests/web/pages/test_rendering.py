"""What holds for each page in each state, and what single pages show."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from coatcheck.web.pages import Brand, Pages
from coatcheck.web.pages.advice_views import AdviceView
from coatcheck.web.pages.views import (
    AccountView,
    CheckInboxView,
    DevicesView,
    FormError,
    ProblemView,
    SignedOutOfView,
    SignInView,
    SignUpView,
    View,
)

from .html_reading import Element, every, read
from .samples import ADA, DEVICES, FORM_POST, NOW, SAMPLES, SampleDevice, account

PAGES = Pages(Brand(logo="/logo.svg"), prefix="/auth", secure=True)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"
each_sample = pytest.mark.parametrize("name", SAMPLES)


def elements_of(view: View, pages: Pages = PAGES) -> list[Element]:
    return read(pages.render(view).body)


def visible_inputs(elements: list[Element]) -> list[Element]:
    return [
        each
        for each in every(elements, "input")
        if each.get("type") != "hidden" and "hidden" not in each.attributes
    ]


def poisoned(value: Any) -> Any:
    """The same view with hostile text wherever there is text; paths and choices stay what they are."""
    if isinstance(value, msgspec.Struct):
        keep = {
            "form",
            "field",
            "kind",
            "action_url",
            "development_mail_url",
            "protected_url",
            "api_url",
            "home_url",
            *("client", "clients", "document", "section"),
        }
        changes = {
            name: poisoned(getattr(value, name)) for name in value.__struct_fields__ if name not in keep
        }
        return msgspec.structs.replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(map(poisoned, value))
    return HOSTILE if isinstance(value, str) and value else value


def test_apps_are_told_of_a_sign_out_in_frames_that_the_policy_names_and_that_can_open_nothing() -> None:
    frames = ("https://one.example/out?sid=1", "https://two.example:8443/out")
    view = SignedOutOfView(
        frames=frames,
        frame_sources=("https://one.example", "https://two.example:8443"),
        next="https://app.example/bye",
        place="app.example",
        goes_on=True,
    )
    response = PAGES.render(view)
    found = every(read(response.body), "iframe")
    assert [each.get("src") for each in found] == list(frames)
    assert {each.get("sandbox") for each in found} == {"allow-scripts allow-same-origin"}
    assert all("hidden" in each.attributes and each.get("title") for each in found)
    policy = response.headers["content-security-policy"]
    assert "frame-src https://one.example https://two.example:8443;" in policy
    assert "frame-src" not in PAGES.render(SAMPLES["signed-out-of"]).headers["content-security-policy"]


def test_every_view_has_a_sample() -> None:
    assert {type(view) for view in (*SAMPLES.values(), FORM_POST)} == set(View.__subclasses__())


@each_sample
def test_a_page_has_one_main_heading_a_title_a_language_and_a_main_part(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    assert len(every(elements, "h1")) == 1
    assert len(every(elements, "main")) == 1
    assert every(elements, "h1")[0].text.strip()
    assert [html.get("lang") for html in every(elements, "html")] == ["en"]
    [title] = every(elements, "title")
    assert title.text.endswith("· Coatcheck")


@each_sample
def test_a_page_begins_with_a_way_to_skip_to_its_content(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    assert every(elements, "a")[0].get("href") == "#main"


@each_sample
def test_headings_skip_no_level(name: str) -> None:
    levels = [int(each.tag[1]) for each in every(elements_of(SAMPLES[name]), "h1", "h2", "h3", "h4")]
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@each_sample
def test_no_id_is_there_twice_and_whatever_refers_to_one_finds_it(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    counted = Counter(element.get("id") for element in elements if element.get("id"))
    assert set(counted.values()) <= {1}
    references = [
        reference
        for element in elements
        for attribute in ("for", "aria-describedby", "aria-labelledby")
        for reference in (element.get(attribute) or "").split()
    ]
    links = [href[1:] for each in every(elements, "a") if (href := each.get("href") or "").startswith("#")]
    assert {*references, *links} <= counted.keys()


AUTOCOMPLETE = {
    *("username", "email", "current-password", "new-password", "off"),
    *("name", "given-name", "family-name", "tel"),
}


@each_sample
def test_every_field_has_a_label_and_tells_browsers_what_it_is(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    labels = {label.get("for") for label in every(elements, "label")}
    for field in visible_inputs(elements):
        assert field.get("id") in labels
        if field.get("type") in {"checkbox", "radio"}:
            continue
        assert field.get("autocomplete") in AUTOCOMPLETE
        assert field.get("autocapitalize") == "none"


@each_sample
def test_no_field_cuts_or_second_guesses_what_is_typed(name: str) -> None:
    for field in every(elements_of(SAMPLES[name]), "input"):
        assert not field.attributes.keys() & {"maxlength", "pattern", "onpaste"}


@each_sample
def test_nothing_inline_could_run_or_style(name: str) -> None:
    response = PAGES.render(SAMPLES[name])
    elements = read(response.body)
    assert not [a for element in elements for a in element.attributes if a == "style" or a.startswith("on")]
    assert not every(elements, "style", "base", "iframe", "object", "embed")
    assert all(script.get("src") and not script.text for script in every(elements, "script"))
    assert not [each for each in elements if (each.get("href") or "").lower().startswith("javascript:")]


@each_sample
def test_script_and_style_sheet_carry_the_nonce_of_the_policy(name: str) -> None:
    response = PAGES.render(SAMPLES[name])
    elements = read(response.body)
    sheets = [link for link in every(elements, "link") if link.get("rel") == "stylesheet"]
    [nonce] = {element.get("nonce") for element in [*every(elements, "script"), *sheets]}
    policy = response.headers["content-security-policy"]
    assert set(re.findall(r"'nonce-([^']*)'", policy)) == {nonce}


@each_sample
def test_everything_that_is_loaded_comes_from_here(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    loaded = [each.get("src") or each.get("href") for each in every(elements, "script", "link", "img")]
    assert all(path is not None and re.fullmatch(r"/(?!/).*", path) for path in loaded)
    for path in loaded:
        assert path == "/logo.svg" or PAGES.static_file(str(path).removeprefix("/auth/static/"))


@each_sample
def test_every_form_posts_to_this_site_and_has_a_button_with_words(name: str) -> None:
    elements = elements_of(SAMPLES[name])
    for form in every(elements, "form"):
        # What may be linked to is asked for, and changes nothing.
        assert form.get("method") == ("get" if isinstance(SAMPLES[name], AdviceView) else "post")
        assert str(form.get("action")).startswith(("/auth/", "/live/"))
    for button in every(elements, "button"):
        assert button.text.strip()
        assert button.get("type") == "submit"


@each_sample
def test_hostile_text_stays_text(name: str) -> None:
    view = poisoned(SAMPLES[name])
    if isinstance(view, DevicesView):
        view = msgspec.structs.replace(view, devices=tuple(map(poisoned, SAMPLES[name].devices)))  # type: ignore[attr-defined]
    elements = elements_of(view)
    assert all("alert(1)" not in script.text for script in every(elements, "script"))
    assert not [each for each in elements if each.get("src") == "x"]
    assert not [a for element in elements for a in element.attributes if a.startswith("on")]
    assert "49" not in every(elements, "h1")[0].text


@each_sample
def test_who_is_signed_in_is_told_so_and_can_sign_out(name: str) -> None:
    view = SAMPLES[name]
    elements = elements_of(view)
    ways_out = [form for form in every(elements, "form") if form.get("action") == "/auth/sign-out"]
    if view.signed_in_as:
        assert ways_out, "ASVS 7.4.4"
        assert every(elements, "header")[0].text.count(view.signed_in_as) == 1
    else:
        assert not every(elements, "header")


@each_sample
def test_a_page_with_errors_says_so_in_its_title_and_moves_the_focus_there(name: str) -> None:
    view = SAMPLES[name]
    elements = elements_of(view)
    focused = [element for element in elements if "autofocus" in element.attributes]
    assert len(focused) == bool(view.errors)
    assert every(elements, "title")[0].text.startswith("Error: ") == (
        bool(view.errors) or isinstance(view, ProblemView)
    )
    alerts = [element for element in elements if element.get("role") == "alert"]
    for error in view.errors:
        assert any(error.message in alert.text for alert in alerts)


@each_sample
def test_every_form_carries_the_csrf_token_if_there_is_one(name: str) -> None:
    view = SAMPLES[name]
    for token in ("", "t0ken"):
        elements = elements_of(msgspec.structs.replace(view, csrf_token=token))
        carried = [each for each in every(elements, "input") if each.get("name") == "csrf_token"]
        posting = [form for form in every(elements, "form") if form.get("method") == "post"]
        assert len(carried) == (len(posting) if token else 0)
        assert {each.get("value") for each in carried} <= {token}


def test_a_field_that_is_wrong_is_marked_described_and_focused() -> None:
    elements = elements_of(SAMPLES["sign-up-error"])
    email, password = visible_inputs(elements)
    assert email.get("aria-invalid") == password.get("aria-invalid") == "true"
    assert "autofocus" in email.attributes
    assert password.get("aria-describedby") == "password-error password-hint"
    described = {each.get("id"): each.text.strip() for each in elements if each.get("id")}
    assert described["email-error"] == "That is not an e-mail address."
    assert email.get("value") == "ada@"


def test_a_refused_sign_in_keeps_the_address_and_asks_for_the_password_again() -> None:
    email, password = visible_inputs(elements_of(SAMPLES["sign-in-error"]))
    assert email.get("value") == ADA
    assert password.get("value") == ""
    assert password.get("aria-describedby") == "errors"
    assert "autofocus" in password.attributes


def test_password_managers_are_told_whose_password_it_is() -> None:
    for name in ("reset", "re-authenticate", "confirm-sign-up-elsewhere", "account"):
        users = [
            each
            for each in every(elements_of(SAMPLES[name]), "input")
            if each.get("autocomplete") == "username"
        ]
        assert [each.get("value") for each in users] == [ADA]


def test_a_new_password_has_a_least_length_and_a_hint() -> None:
    pages = Pages(Brand(), prefix="/auth", secure=False, password_minimum=15)
    for view in (SignUpView(), SAMPLES["reset"], SAMPLES["account"]):
        elements = elements_of(view, pages)
        [field] = [each for each in every(elements, "input") if each.get("autocomplete") == "new-password"]
        assert field.get("minlength") == "15"
        [hint] = [
            each
            for each in elements
            if each.get("id")
            == field.get(
                "aria-describedby",
            )
        ]
        assert "At least 15 characters" in hint.text


def test_sign_up_is_not_offered_where_it_is_closed() -> None:
    pages = Pages(Brand(), prefix="/auth", secure=False, sign_up_open=False)
    for name in ("sign-in", "demo-home"):
        buttons = [each.get("href") for each in every(elements_of(SAMPLES[name], pages), "a")]
        assert "/auth/sign-up" not in buttons


def test_where_to_go_next_travels_along() -> None:
    target = "/inbox?folder=a b&page=2"
    elements = elements_of(SignInView(next=target))
    [field] = [each for each in every(elements, "input") if each.get("name") == "next"]
    assert field.get("value") == target
    assert "/auth/sign-up?next=%2Finbox%3Ffolder%3Da+b%26page%3D2" in [
        link.get("href") for link in every(elements, "a")
    ]


def test_an_account_form_with_errors_is_open_and_the_others_are_not() -> None:
    for form in ("email", "password", "deactivate", "delete"):
        elements = elements_of(account(FormError(form=form, message="No.")))
        opened = [each for each in every(elements, "details") if "open" in each.attributes]
        assert len(opened) == 1
        alert = next(each for each in elements if each.get("role") == "alert")
        action = next(each for each in elements[elements.index(alert) :] if each.tag == "form").get("action")
        assert action == f"/auth/account/{form}"
        assert "details" in alert.parents


def test_the_number_of_devices_is_told_in_words() -> None:
    def text(count: int | None) -> str:
        return every(elements_of(AccountView(signed_in_as=ADA, device_count=count)), "main")[0].text

    assert "Signed in here only" in text(1)
    assert "Signed in on 4 devices" in text(4)
    assert "Where you are signed in" in text(None)


def test_this_device_comes_first_and_then_the_latest_used() -> None:
    newest = SampleDevice(session_id="x", user_agent="curl/8", last_seen_at=NOW + 5)
    elements = elements_of(DevicesView(signed_in_as=ADA, devices=(*DEVICES[:2], newest)))
    headings = [each.text for each in every(elements, "h2")]
    assert headings == ["Firefox on Linux", "curl", "Safari on iPhone"]
    badges = [each.text for each in elements if each.get("class") == "badge"]
    assert badges == ["This device"]


def test_each_other_device_can_be_ended_and_its_button_says_which() -> None:
    elements = elements_of(SAMPLES["devices"])
    ended = [each.get("value") for each in every(elements, "input") if each.get("name") == "session_id"]
    assert sorted(str(each) for each in ended) == ["four", "one", "three"]
    assert any(
        "Safari on iPhone at 2001:db8:4f1:aa02::91c" in each.text for each in every(elements, "button")
    )


def test_times_are_readable_without_the_script() -> None:
    times = every(elements_of(SAMPLES["demo-protected"]), "time")
    assert [(each.text, each.get("datetime")) for each in times] == [
        ("21 September 2026, 14:13 UTC", "2026-09-21T14:13:20Z")
    ]


def test_a_problem_becomes_the_status_and_says_when_to_come_back() -> None:
    response = PAGES.render(ProblemView(status=429, retry_after=90.2))
    assert response.status_code == 429
    assert response.headers["retry-after"] == "91"
    assert "2 minutes" in bytes(response.body).decode()
    assert PAGES.render(ProblemView(status=503, retry_after=0)).headers["retry-after"] == "1"
    assert "retry-after" not in PAGES.render(ProblemView(status=404)).headers


def test_a_status_that_is_given_wins() -> None:
    assert PAGES.render(SignInView()).status_code == 200
    assert PAGES.render(SignInView(), status=401).status_code == 401
    assert PAGES.render(ProblemView(status=404), status=400).status_code == 400


def test_a_page_comes_with_its_headers_and_a_new_nonce_each_time() -> None:
    first, second = PAGES.render(SignInView()), PAGES.render(SignInView())
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert "strict-transport-security" in first.headers
    assert first.headers["content-security-policy"] != second.headers["content-security-policy"]


def test_development_pages_are_marked() -> None:
    for name in ("development-mail-list", "development-mail"):
        assert "Development" in every(elements_of(SAMPLES[name]), "aside")[0].text
    view = CheckInboxView(email=ADA, development_mail_url="/auth/dev/mail")
    assert "/auth/dev/mail" in [link.get("href") for link in every(elements_of(view), "a")]
    assert "Development" not in every(elements_of(CheckInboxView(email=ADA)), "main")[0].text


def test_a_site_at_the_root_has_addresses_without_a_prefix() -> None:
    pages = Pages(Brand(name="Nord & Süd"), prefix="", secure=False)
    elements = elements_of(SignInView(), pages)
    assert [form.get("action") for form in every(elements, "form")] == ["/sign-in"]
    assert every(elements, "title")[0].text == "Sign in · Nord & Süd"
    assert not every(elements, "img")
