"""E-mail addresses: what is one, how it is written, and when two are the same mailbox."""

from __future__ import annotations

import unicodedata

import msgspec
from email_validator import EmailNotValidError, validate_email

from .errors import InvalidEmailError

__all__ = ["EmailAddress", "parse_email"]

_MOST_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, erratum 1690


class EmailAddress(msgspec.Struct, frozen=True):
    """An address that mail can be sent to.

    Attributes:
        email: As it was written, in NFC; the domain in lower case.
        key: As it is compared: addresses with the same key reach the same mailbox. The domain is in ASCII.
    """

    email: str
    key: str


def parse_email(text: str) -> EmailAddress:
    """Return the address that a text is. Spaces around it are left out: telephones add them.

    Nothing is looked up: whether it exists shows when mail is sent. No control character passes, so that it may
    stand in the header of a mail. Names, comments, quotes and domain literals are not accepted.

    Raises:
        InvalidEmailError: If it is no address, or longer than 254 octets.
    """
    text = text.strip(" ")
    # The library's time grows with the text; nothing that is refused here could be an address.
    if len(text) > _MOST_OCTETS or not text.isprintable():
        raise _refusal()
    try:
        valid = validate_email(text, check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError):
        raise _refusal() from None
    domain = (valid.ascii_domain or valid.domain).lower()
    return EmailAddress(f"{valid.local_part}@{valid.domain}", f"{_fold(valid.local_part)}@{domain}")


def _fold(local_part: str) -> str:
    """Return the part before the ``@`` without its case.

    Not ``casefold``: that takes ``straße`` and ``strasse`` for one, and these may belong to two people. The two forms
    of the small sigma are told apart by their place in a word only.
    """
    lowered = unicodedata.normalize("NFC", local_part).lower().replace("\u03c2", "\u03c3")
    return unicodedata.normalize("NFC", lowered)


def _refusal() -> InvalidEmailError:
    return InvalidEmailError("This is not an e-mail address. It should look like name@example.com.")
