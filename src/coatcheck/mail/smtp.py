"""Mail through a server (RFC 5321), with TLS unless it is this machine."""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl

from .errors import MailDelayedError, MailRefusedError
from .mime import Envelope, Sender, make_envelope
from .model import Letter
from .smtp_url import SMTPServer

__all__ = ["SMTPTransport"]

_TIMEOUT = 10.0
_PERMANENT = 500
_ENHANCED = re.compile(rb"\A([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 3463


class SMTPTransport:
    """Hands letters in at a mail server, one connection for each, in a thread.

    TLS is never optional: STARTTLS must succeed, with a certificate that the system trusts and that names the host.
    Only a server on this machine is spoken to without.
    """

    def __init__(
        self,
        server: SMTPServer,
        sender: Sender,
        *,
        timeout: float = _TIMEOUT,
        tls: ssl.SSLContext | None = None,
        requires_tls: bool | None = None,
    ) -> None:
        """Take where to hand in, and whom letters come from.

        Args:
            server: The server and who to sign in as.
            sender: The sender of every letter.
            timeout: How long each answer may take, in seconds.
            tls: Instead of the system's certificates.
            requires_tls: Instead of "unless it is this machine".
        """
        self._server = server
        self._sender = sender
        self._timeout = timeout
        self._tls = tls
        self._requires_tls = not server.is_local if requires_tls is None else requires_tls

    async def send(self, letter: Letter) -> None:
        """Hand in a letter.

        Raises:
            MailRefusedError: If its address is impossible, or the server refuses it for good.
            MailDelayedError: If the server is away, busy, untrusted, or refuses the sign-in.
        """
        envelope = make_envelope(letter, self._sender)
        await asyncio.to_thread(self._hand_in, envelope)

    def _hand_in(self, envelope: Envelope) -> None:
        try:
            with self._connect() as connection:
                self._prepare(connection)
                self._submit(connection, envelope)
        except smtplib.SMTPException as error:
            raise MailDelayedError(f"the server failed: {type(error).__name__}{_code_of(error)}.") from None
        except ssl.SSLCertVerificationError as error:
            raise MailDelayedError(
                f"the server's certificate is not trusted: {error.verify_message}."
            ) from None
        except (OSError, UnicodeError) as error:
            raise MailDelayedError(f"the server is not reached: {_reason(error)}.") from None

    def _connect(self) -> smtplib.SMTP:
        # Without a name for itself, smtplib asks the DNS, which may take long.
        host, port, name = self._server.host, self._server.port, self._sender.domain
        if self._server.implicit_tls:
            return smtplib.SMTP_SSL(
                host, port, local_hostname=name, timeout=self._timeout, context=self._context()
            )
        return smtplib.SMTP(host, port, local_hostname=name, timeout=self._timeout)

    def _context(self) -> ssl.SSLContext:
        return self._tls or ssl.create_default_context()

    def _prepare(self, connection: smtplib.SMTP) -> None:
        if self._requires_tls and not self._server.implicit_tls:
            try:
                connection.starttls(context=self._context())
            except smtplib.SMTPNotSupportedError:
                raise MailDelayedError(
                    "the server offers no STARTTLS, and nothing is sent without."
                ) from None
        if self._server.user is not None:
            try:
                connection.login(self._server.user, self._server.password or "")
            except smtplib.SMTPAuthenticationError as error:
                # Not the letter's fault: it is sent as soon as the password is put right.
                raise MailDelayedError(f"the server refuses the sign-in{_code_of(error)}.") from None

    def _submit(self, connection: smtplib.SMTP, envelope: Envelope) -> None:
        connection.ehlo_or_helo_if_needed()
        if envelope.needs_utf8 and not connection.has_extn("smtputf8"):
            raise MailRefusedError("its address is not ASCII, and the server knows no SMTPUTF8 (RFC 6531).")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if envelope.needs_utf8 else []
        try:
            connection.sendmail(envelope.sender, [envelope.recipient], envelope.octets, mail_options=options)
        except smtplib.SMTPRecipientsRefused as error:
            ((code, answer),) = error.recipients.values()
            raise _refusal(code, answer) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from None


def _refusal(code: int, answer: bytes | str) -> MailRefusedError | MailDelayedError:
    kind = MailRefusedError if code >= _PERMANENT else MailDelayedError
    return kind(f"the server answered {code}{_enhanced(answer)}.")


def _code_of(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f" ({error.smtp_code}{_enhanced(error.smtp_error)})"
    return ""


def _enhanced(answer: bytes | str) -> str:
    """Return the answer's status code. The rest stays out of the log: it may quote the letter."""
    found = _ENHANCED.match(answer if isinstance(answer, bytes) else answer.encode())
    return f" {found[1].decode()}" if found else ""


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
