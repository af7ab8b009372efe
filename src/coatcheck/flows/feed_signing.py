"""Signing the events of the feed, each once, with the key that signs access tokens at that moment."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..jose import Key, jwt
from ..revocation.wire import AUDIENCE, TYPE, FeedEvent
from .feed_packing import Frame
from .signing_keys import SigningKeys

__all__ = ["EventSigner"]

_NO_DEFAULT: Final = object()
_DEFAULTS: Final = tuple(
    (field.name, _NO_DEFAULT if field.required else field.default)
    for field in msgspec.structs.fields(FeedEvent)
)


class EventSigner:
    """Turns events into frames.

    Attributes:
        keys_digest: The digest of the key set. Readers that see another one than before fetch the keys again.
        generation: Counts the keys that it has signed with.
    """

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys
        self._key: Key | None = None
        self._signer: jwt.Signer | None = None
        self.keys_digest: str = ""
        self.generation: int = 0

    async def prepare(self) -> None:
        """Look whether the keys have changed. Cheap if not.

        Raises:
            CoatcheckError: If they cannot be read.
        """
        key = await self._keys.signing_key()
        if key is not self._key:
            self._key = key
            self.generation += 1
        self._signer = await self._keys.signer(TYPE, AUDIENCE)
        self.keys_digest = await self._keys.digest()

    def frame(self, event: FeedEvent, *, leads_on: bool = False) -> Frame:
        """Return an event, signed, as one of a ``text/event-stream``.

        Args:
            event: The event.
            leads_on: Whether a reader that comes back after it may go on from its position.
        """
        assert self._signer is not None  # noqa: S101 - prepared before
        claims: dict[str, Any] = {}
        for name, default in _DEFAULTS:
            value = getattr(event, name)
            if value is not default and value != default:
                claims[name] = value
        token = self._signer.sign(claims, now=event.now)
        position = f"id: {event.position}\n" if leads_on else ""
        return Frame(f"event: {event.event}\n{position}data: {token}\n\n".encode("ascii"))
