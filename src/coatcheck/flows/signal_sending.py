"""What pushing and polling share: an event becomes a signed token when it is sent, and is told of if refused."""

from __future__ import annotations

import logging
import re
from typing import Final

import msgspec

from ..revocation.security_events import TYPE
from .context import Context
from .model import Signal, Stream

__all__ = ["Refusal", "note_refusal", "signed"]

_log = logging.getLogger("coatcheck.signals")
_CODE = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
_UNREADABLE: Final = "an error code that is none"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver says of an event that it does not accept (RFC 8935 section 2.3, RFC 8936 section 2.4).

    Attributes:
        err: The code.
        description: The same for a reader.
    """

    err: str
    description: str = ""


async def signed(context: Context, stream: Stream, signal: Signal) -> str:
    """Return an event as a SET, signed by the key that signs at this moment. Not inside of a transaction.

    An event that waited longer than a key lives is signed by the one that receivers know now.
    """
    claims = msgspec.json.decode(signal.claims, type=dict)
    return await context.access_tokens.keys.sign(claims, typ=TYPE, audience=stream.audience)


def note_refusal(stream: Stream, jti: str, refusal: Refusal) -> None:
    """Log that a receiver does not accept an event. Its description may quote anything, and stays out of the log."""
    code = refusal.err if _CODE.fullmatch(refusal.err) else _UNREADABLE
    _log.error("stream %s: the receiver refused event %s and will not get it again: %s", stream.id, jti, code)
