"""From a letter to the octets that a mail server takes (RFC 5322, MIME), and the addresses on the envelope."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import msgspec
from email_validator import EmailNotValidError, validate_email

from .errors import MailRefusedError
from .model import Letter

__all__ = ["Envelope", "Sender", "make_envelope", "parse_sender"]

_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Whom letters come from.

    Attributes:
        name: The name to show, or ``""``.
        local_part: What stands before the ``@``.
        domain: What stands behind it.
    """

    name: str
    local_part: str
    domain: str

    @property
    def address(self) -> str:
        """The address alone."""
        return f"{self.local_part}@{self.domain}"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A letter ready to hand in.

    Attributes:
        sender: The address that failures are reported to.
        recipient: The address it goes to, with the domain in ASCII (RFC 5890).
        octets: The message.
        needs_utf8: Whether the server must know SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    octets: bytes
    needs_utf8: bool

    def __repr__(self) -> str:
        return "<Envelope>"


def parse_sender(text: str) -> Sender:
    """Return the parts of ``local@domain`` or ``Name <local@domain>``.

    Raises:
        ValueError: If it is neither, as a sentence without subject.
    """
    named = _NAMED.fullmatch(text)
    name, address = (named[1].strip().strip('"'), named[2]) if named else ("", text)
    try:
        parsed = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        raise ValueError("it must be one mail address, such as Example <no-reply@example.com>.") from None
    if parsed.smtputf8 or not name.isprintable():
        raise ValueError("its address must be ASCII before the @, and its name printable.")
    return Sender(name=name, local_part=parsed.local_part, domain=parsed.ascii_domain or parsed.domain)


def make_envelope(letter: Letter, sender: Sender) -> Envelope:
    """Return a letter ready to hand in.

    Raises:
        MailRefusedError: If its address is none. Whatever it holds, it makes no header of its own.
    """
    try:
        to = validate_email(letter.to, check_deliverability=False, globally_deliverable=False)
        domain = to.ascii_domain or to.domain
        message = _message(letter, sender, to=Address(username=to.local_part, domain=domain))
        octets = message.as_bytes(policy=SMTPUTF8 if to.smtputf8 else SMTP)
    except (EmailNotValidError, ValueError):  # the words of both quote the address
        raise MailRefusedError("its address is not one that mail can be sent to.") from None
    return Envelope(
        sender=sender.address,
        recipient=f"{to.local_part}@{domain}",
        octets=octets,
        needs_utf8=to.smtputf8,
    )


def _message(letter: Letter, sender: Sender, *, to: Address) -> EmailMessage:
    message = EmailMessage(policy=SMTPUTF8)
    message["Subject"] = letter.subject
    message["From"] = Address(sender.name, sender.local_part, sender.domain)
    message["To"] = to
    message["Date"] = datetime.fromtimestamp(letter.at, UTC)
    message["Message-ID"] = f"<{letter.id}@{sender.domain}>"  # the same at every attempt
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine shall reply
    # Quoted-printable whatever the text: not every server takes eight bits, and none breaks such lines.
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message
