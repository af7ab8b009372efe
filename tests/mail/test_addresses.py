import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.flows.messages import ResetPassword
from coatcheck.mail.mime import Sender, make_envelope, parse_sender
from coatcheck.mail.outbox import Outbox
from coatcheck.mail.smtp_url import SMTPServer, parse_smtp_url


@pytest.mark.parametrize(
    "url, expected",
    [
        ("smtp://mail.example.com", SMTPServer(host="mail.example.com", port=587, implicit_tls=False)),
        ("smtps://mail.example.com/", SMTPServer(host="mail.example.com", port=465, implicit_tls=True)),
        ("smtp://127.0.0.1:2525", SMTPServer(host="127.0.0.1", port=2525, implicit_tls=False)),
        ("smtp://[::1]:25", SMTPServer(host="::1", port=25, implicit_tls=False)),
        (
            "smtp://ann%40example.com:p%3Aw%2F@mail.example.com:587",
            SMTPServer(
                host="mail.example.com", port=587, implicit_tls=False, user="ann@example.com", password="p:w/"
            ),
        ),
    ],
)
def test_a_server_is_read_from_its_url(url: str, expected: SMTPServer) -> None:
    assert parse_smtp_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://:25", "smtp://host:0"),
        *("smtp://host:99999", "smtp://host:x", "smtp://host/path", "smtp://host?x=1", "smtp://host#x"),
        *("smtp://hunter2@host", "smtp://:hunter2@host", "smtp://u:hunter2@ho st", "smtp://u:%ff@host"),
        "smtp://[::1",
    ],
)
def test_what_is_no_url_of_a_server_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="Write smtp:") as caught:
        parse_smtp_url(url)
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_server_or_a_value_error(text: str) -> None:
    try:
        server = parse_smtp_url(f"smtp://{text}")
    except ValueError:
        return
    assert 0 < server.port < 65_536
    assert repr(server) == f"<SMTPServer {server.host}:{server.port}>"


def test_a_servers_repr_does_not_show_the_password() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtp://u:hunter2@host"))


def test_this_machine_is_recognised() -> None:
    local = ["smtp://localhost", "smtp://LOCALHOST", "smtp://127.0.0.9", "smtp://[::1]"]
    assert all(parse_smtp_url(url).is_local for url in local)
    assert not parse_smtp_url("smtp://localhost.example.com").is_local


@pytest.mark.parametrize(
    "text, name, address",
    [
        ("no-reply@example.com", "", "no-reply@example.com"),
        ("Example Site <no-reply@example.com>", "Example Site", "no-reply@example.com"),
        ("Übersee <no-reply@bücher.example>", "Übersee", "no-reply@xn--bcher-kva.example"),
        ('"Site, the" <no-reply@example.com>', "Site, the", "no-reply@example.com"),
    ],
)
def test_a_sender_is_read(text: str, name: str, address: str) -> None:
    sender = parse_sender(text)
    assert (sender.name, sender.address) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a@b@c",
        "a@example.com, b@example.com",
        "jörg@example.com",
        "A\nB <a@example.com>",
        "<>",
        "a@localhost",
        "\ud800@example.com",
    ],
)
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it must be one|its address must"):
        parse_sender(text)


def test_an_envelopes_repr_does_not_show_the_letter(outbox: Outbox, sender: Sender) -> None:
    letter = outbox.write(ResetPassword(to="a@example.com", link="/reset?token=x", lifetime=60.0), now=0.0)
    assert repr(make_envelope(letter, sender)) == "<Envelope>"
