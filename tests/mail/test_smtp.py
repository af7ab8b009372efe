import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coatcheck.flows.messages import ResetPassword
from coatcheck.mail.errors import MailDelayedError, MailRefusedError
from coatcheck.mail.mime import Sender
from coatcheck.mail.model import Letter
from coatcheck.mail.outbox import Outbox
from coatcheck.mail.smtp import SMTPTransport
from coatcheck.mail.smtp_url import SMTPServer
from tests.mail.conftest import NOW, Authenticator, Mailbox, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def letter(outbox: Outbox) -> Letter:
    message = ResetPassword(to="ann@example.com", link="/reset?token=very-secret", lifetime=600.0)
    return outbox.write(message, now=NOW)


@dataclass
class Reach:
    """Makes transports to a server of the test."""

    sender: Sender
    client_tls: ssl.SSLContext

    def __call__(self, mailbox: Mailbox, *, host: str = "127.0.0.1", **options: Any) -> SMTPTransport:
        names = ("user", "password", "implicit_tls")
        server = {"implicit_tls": False} | {key: options.pop(key) for key in names if key in options}
        options.setdefault("tls", self.client_tls)
        return SMTPTransport(SMTPServer(host=host, port=mailbox.port, **server), self.sender, **options)


@pytest.fixture
def reach(sender: Sender, client_tls: ssl.SSLContext) -> Reach:
    return Reach(sender, client_tls)


async def refused(transport: SMTPTransport, letter: Letter) -> str:
    with pytest.raises((MailRefusedError, MailDelayedError)) as caught:
        await transport.send(letter)
    assert "very-secret" not in str(caught.value)
    return f"{type(caught.value).__name__}: {caught.value.message}"


async def test_a_letter_arrives_with_text_and_html(mailbox: Mailbox, reach: Reach, letter: Letter) -> None:
    await reach(mailbox).send(letter)
    (message,), (envelope,) = mailbox.messages, mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@example.com", ["ann@example.com"])
    assert message["To"] == "ann@example.com"
    assert message["From"] == "Example <no-reply@example.com>"
    assert message["Subject"] == "Set a new password for Example"
    assert message["Message-ID"] == f"<{letter.id}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == letter.text
    assert html.get_content().replace("\r\n", "\n").rstrip() == letter.html.rstrip()


async def test_no_line_is_longer_than_mail_allows(mailbox: Mailbox, reach: Reach, letter: Letter) -> None:
    await reach(mailbox).send(replace(letter, text="ä" * 5000, html=f"<p>{'x' * 5000}</p>"))
    octets = mailbox.envelopes[0].content
    assert isinstance(octets, bytes)
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert octets.isascii()


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@example.com\nSubject: x",
        "ann@example.com, eve@example.com",
        "Ann <ann@example.com>",
        "ann@example.com\0",
        "ann@exa mple.com",
        '"a\r\nBcc: x"@example.com',
        "ann",
        "@example.com",
        "ann@",
        "",
        "ann@\ud800.com",
        "\ud800@example.com",
        f"{'a' * 400}@example.com",
    ],
)
async def test_a_hostile_address_is_refused_before_the_server_sees_it(
    to: str, mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    assert "its address is not one" in await refused(reach(mailbox), replace(letter, to=to))
    assert mailbox.envelopes == []


@pytest.mark.parametrize("subject", ["x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com", "x\rBcc: y"])
async def test_a_subject_makes_no_header(
    subject: str, mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    await refused(reach(mailbox), replace(letter, subject=subject))
    assert mailbox.envelopes == []


async def test_a_domain_of_another_script_is_written_in_ascii(
    mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    await reach(mailbox).send(replace(letter, to="ann@bücher.example"))
    assert mailbox.envelopes[0].rcpt_tos == ["ann@xn--bcher-kva.example"]


async def test_a_local_part_of_another_script_needs_a_server_that_knows_it(
    mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    foreign = replace(letter, to="jörg@example.com")
    with serving(enable_SMTPUTF8=False) as unable:
        assert "SMTPUTF8" in await refused(reach(unable), foreign)
    await reach(mailbox).send(foreign)
    assert mailbox.envelopes[0].rcpt_tos == ["jörg@example.com"]


@pytest.mark.parametrize(
    "answer, expected",
    [
        (
            "451 4.7.1 greylisted: http://example.com/auth/reset?token=very-secret",
            "MailDelayedError: the server answered 451 4.7.1.",
        ),
        ("452 out of storage", "MailDelayedError: the server answered 452."),
        ("550 5.1.1 no such user", "MailRefusedError: the server answered 550 5.1.1."),
        ("554 very-secret is spam", "MailRefusedError: the server answered 554."),
    ],
)
@pytest.mark.parametrize("stage", ["answers", "rcpt_answers"])
async def test_the_servers_word_counts_and_its_text_is_not_repeated(
    stage: str, answer: str, expected: str, *, mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    getattr(mailbox, stage).append(answer)
    assert await refused(reach(mailbox), letter) == expected


async def test_starttls_is_used_and_the_certificate_checked(
    server_tls: ssl.SSLContext, reach: Reach, letter: Letter
) -> None:
    with serving(tls_context=server_tls, require_starttls=True) as mailbox:
        await reach(mailbox, requires_tls=True).send(letter)
        assert len(mailbox.envelopes) == 1
        untrusted = reach(mailbox, requires_tls=True, tls=None)
        assert "certificate is not trusted" in await refused(untrusted, letter)


async def test_a_certificate_for_another_host_is_not_trusted(
    server_tls: ssl.SSLContext, reach: Reach, letter: Letter
) -> None:
    with serving(hostname="127.0.0.2", tls_context=server_tls) as mailbox:
        transport = reach(mailbox, host="127.0.0.2", requires_tls=True)
        assert "certificate is not trusted" in await refused(transport, letter)


async def test_nothing_is_sent_to_a_server_without_starttls(
    mailbox: Mailbox, reach: Reach, letter: Letter
) -> None:
    transport = reach(mailbox, requires_tls=True, user="user", password="p@ss word")
    assert "no STARTTLS" in await refused(transport, letter)
    assert mailbox.envelopes == []


async def test_tls_from_the_first_octet(certificate: Path, reach: Reach, letter: Letter) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with serving(ssl_context=context) as mailbox:
        await reach(mailbox, implicit_tls=True).send(letter)
    assert len(mailbox.envelopes) == 1


@pytest.mark.parametrize("password, taken", [("p@ss word", 1), ("wrong", 0)])
async def test_a_refused_sign_in_delays_and_does_not_lose_a_letter(
    password: str,
    taken: int,
    *,
    server_tls: ssl.SSLContext,
    authenticator: Authenticator,
    reach: Reach,
    letter: Letter,
) -> None:
    with serving(tls_context=server_tls, authenticator=authenticator, auth_required=True) as mailbox:
        transport = reach(mailbox, requires_tls=True, user="user", password=password)
        if taken:
            await transport.send(letter)
        else:
            assert (
                await refused(transport, letter)
                == "MailDelayedError: the server refuses the sign-in (535 5.7.8)."
            )
    assert len(mailbox.envelopes) == taken


async def test_a_server_that_is_away_delays(reach: Reach, letter: Letter) -> None:
    with serving() as mailbox:
        transport = reach(mailbox)
    assert (
        await refused(transport, letter) == "MailDelayedError: the server is not reached: Connection refused."
    )


async def test_a_server_that_says_nothing_delays(reach: Reach, letter: Letter, silent: Mailbox) -> None:
    assert (await refused(reach(silent, timeout=0.05), letter)).startswith("MailDelayedError: the server")


async def test_a_server_that_speaks_nonsense_delays(mailbox: Mailbox, reach: Reach, letter: Letter) -> None:
    assert (await refused(reach(mailbox, implicit_tls=True), letter)).startswith("MailDelayedError: ")


def test_this_machine_needs_no_tls_and_others_do(sender: Sender) -> None:
    def needs(host: str) -> bool:
        server = SMTPServer(host=host, port=25, implicit_tls=False)
        return SMTPTransport(server, sender)._requires_tls

    assert [needs(host) for host in ("localhost", "127.0.0.1", "::1")] == [False] * 3
    assert [needs(host) for host in ("10.0.0.1", "mail.example.com", "localhost.evil.example")] == [True] * 3
