import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from coatcheck._core.secrets import Sealer
from coatcheck.flows import messages as flows
from coatcheck.identity import Client
from coatcheck.mail.browsers import browser_in_words
from coatcheck.mail.errors import MailRefusedError
from coatcheck.mail.layout import _readable_on
from coatcheck.mail.messages import _WRITERS
from coatcheck.mail.model import Letter, Letterhead
from coatcheck.mail.outbox import Outbox
from tests.mail.conftest import NOW

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
CLIENT = Client(address="203.0.113.7", user_agent=FIREFOX)
TO = "ann@example.com"
MESSAGES: list[flows.Message] = [
    flows.ConfirmSignUp(to=TO, link="/sign-up/confirm?token=t1", lifetime=86_400.0),
    flows.AlreadyRegistered(to=TO, sign_in_link="/sign-in", forgotten_link="/forgotten"),
    flows.ResetPassword(to=TO, link="/reset?token=t1", lifetime=600.0),
    flows.ConfirmEmailChange(to=TO, link="/account/email/confirm?token=t1", lifetime=3_600.0),
    flows.EmailChanged(to=TO, at=NOW, client=CLIENT),
    flows.PasswordChanged(to=TO, at=NOW, client=CLIENT, forgotten_link="/forgotten"),
    flows.NewDevice(to=TO, at=NOW, client=CLIENT, devices_link="/devices", forgotten_link="/forgotten"),
    flows.SessionStolen(to=TO, at=NOW, client=CLIENT, forgotten_link="/forgotten"),
]
every_message = pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)


class Reading(HTMLParser):
    """What a mail program sees: the text, and whatever it would load or follow."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_every_message_can_be_written_and_is_tested_here() -> None:
    assert set(_WRITERS) == set(flows.Message.__subclasses__()) == set(map(type, MESSAGES))


@every_message
def test_both_forms_say_the_same_and_name_the_site(message: flows.Message, outbox: Outbox) -> None:
    letter = outbox.write(message, now=NOW)
    shown = Reading(letter.html).text
    assert (letter.to, letter.at) == (TO, NOW)
    assert "Example" in letter.subject
    for line in filter(None, letter.text.split("\n")):
        if not re.match(r"--|https://|\w+( \w+)*:", line):
            assert line in shown


@every_message
def test_links_lead_to_the_settings_site_only_and_stand_on_lines_of_their_own(
    message: flows.Message, outbox: Outbox
) -> None:
    letter = outbox.write(message, now=NOW)
    assert all(link.startswith("https://example.com/auth/") for link in letter.links)
    assert set(letter.links) <= set(letter.text.split("\n"))
    assert set(Reading(letter.html).links) == set(letter.links)


@every_message
def test_nothing_is_loaded_when_a_letter_is_read(message: flows.Message, outbox: Outbox) -> None:
    letter = outbox.write(message, now=NOW)
    assert not {"img", "link", "script", "iframe", "object", "svg", "form"} & set(Reading(letter.html).tags)
    assert "url(" not in letter.html
    assert "@import" not in letter.html


@every_message
def test_every_letter_says_what_to_do_if_it_was_somebody_else(message: flows.Message, outbox: Outbox) -> None:
    text = outbox.write(message, now=NOW).text
    assert re.search(r"If it was not you|If you did not ask|is not one of yours", text)


@pytest.mark.parametrize("message", MESSAGES[4:], ids=lambda message: type(message).__name__)
def test_what_happened_is_told_with_time_and_place(message: flows.Message, outbox: Outbox) -> None:
    letter = outbox.write(message, now=NOW)
    for fact in ("15 January 2027, 08:00 UTC", "Firefox on Windows", "203.0.113.7"):
        assert fact in letter.text
        assert fact in Reading(letter.html).text


def test_without_an_address_none_is_told(outbox: Outbox) -> None:
    message = flows.EmailChanged(to=TO, at=NOW, client=Client())
    text = outbox.write(message, now=NOW).text
    assert "From:" not in text
    assert "With: an unknown browser or program" in text


@pytest.mark.parametrize(
    "lifetime, words",
    [
        (45.0, "45 seconds"),
        (60.0, "1 minute"),
        (600.0, "10 minutes"),
        (3600.0, "1 hour"),
        (5400.0, "90 minutes"),
    ],
)
def test_a_link_says_how_long_it_works(lifetime: float, words: str, outbox: Outbox) -> None:
    message = flows.ResetPassword(to=TO, link="/reset?token=t1", lifetime=lifetime)
    letter = outbox.write(message, now=NOW)
    assert f"The link works once, for {words}." in letter.text
    assert letter.useless_after == NOW + lifetime


def test_a_name_with_markup_stays_text(letterhead: Letterhead) -> None:
    hostile = replace(letterhead, name="<b>A&B</b>")
    letter = Outbox(Sealer(b"k" * 32), hostile).write(MESSAGES[0], now=NOW)
    assert "<b>" not in letter.html
    assert "<b>A&B</b>" in letter.text


def test_what_a_client_calls_itself_does_not_get_into_a_letter(outbox: Outbox) -> None:
    client = Client(address="203.0.113.7", user_agent="Visit https://evil.example now! Firefox/1 <b>")
    letter = outbox.write(flows.EmailChanged(to=TO, at=NOW, client=client), now=NOW)
    assert "evil" not in letter.text + letter.html
    assert "With: Firefox" in letter.text


@pytest.mark.parametrize(
    "user_agent, words",
    [
        ("", "an unknown browser or program"),
        ("curl/8.5", "curl"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "A browser on Linux"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on an iPhone",
        ),
    ],
)
def test_browsers_are_told_in_known_words(user_agent: str, words: str) -> None:
    assert browser_in_words(user_agent) == words


@pytest.mark.parametrize(
    "accent, text",
    [("#000000", "#ffffff"), ("#2f5bd7", "#ffffff"), ("#ffffff", "#000000"), ("#ffd400", "#000000")],
)
def test_the_button_can_be_read_on_any_accent(accent: str, text: str) -> None:
    assert _readable_on(accent) == text


def test_a_queued_letter_is_sealed_and_opens_again(outbox: Outbox) -> None:
    mail = outbox.compose(MESSAGES[2], now=NOW)
    assert b"reset?token=" not in mail.sealed
    assert (mail.created_at, mail.due_at, mail.attempts) == (NOW, NOW, 0)
    letter = outbox.open(mail)
    assert (letter.id, letter.links) == (mail.id, ("https://example.com/auth/reset?token=t1",))


def test_identifiers_are_in_the_order_of_time(outbox: Outbox) -> None:
    moments = [0.0, 1.0, NOW, NOW + 0.001, NOW + 1]
    names = [outbox.compose(MESSAGES[0], now=moment).id for moment in moments]
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def test_a_letter_under_another_secret_does_not_open(outbox: Outbox, letterhead: Letterhead) -> None:
    other = Outbox(Sealer(b"x" * 32), letterhead)
    with pytest.raises(MailRefusedError, match="another secret"):
        other.open(outbox.compose(MESSAGES[0], now=NOW))


def test_what_was_sealed_for_something_else_is_no_letter(outbox: Outbox) -> None:
    sealed = Sealer(b"k" * 32).seal(b'{"id": 1}', context="mail")
    with pytest.raises(MailRefusedError):
        outbox.open(replace(outbox.compose(MESSAGES[0], now=NOW), sealed=sealed))


def test_a_letters_repr_does_not_show_it(outbox: Outbox) -> None:
    letter: Letter = outbox.write(MESSAGES[0], now=NOW)
    assert repr(letter) == f"<Letter {letter.id}>"
