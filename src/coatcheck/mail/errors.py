"""Every error that ``coatcheck.mail`` raises.

::

    CoatcheckError
    └─ MailError
       ├─ MailRefusedError     this message will never be delivered: its address, or the server's final word
       └─ MailDelayedError     it may work later: the server is away, busy or wrongly set up

Neither holds the message's text or the server's password.
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = ["MailDelayedError", "MailError", "MailRefusedError"]


class MailError(CoatcheckError):
    """Base of what goes wrong with mail."""

    code = "mail_error"


class MailRefusedError(MailError):
    """The message will never be delivered."""

    code = "mail_refused"


class MailDelayedError(MailError):
    """The message was not delivered this time."""

    code = "mail_delayed"
