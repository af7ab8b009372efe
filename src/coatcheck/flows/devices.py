"""Devices that are known again: a cookie that proves that its holder once signed in to an account from here.

It gives no access. It takes a victim's own browser out of reach of those who try to lock the account by guessing, and
tells a sign-in from a new place. After the "device cookies" of OWASP, without a list on the server.
"""

from __future__ import annotations

import re

from .._core import base64url
from .._core.secrets import Sealer, equal, new_identifier

__all__ = ["device_id_of", "is_known", "remember"]

_CONTEXT = "device"
_MAC_CHARACTERS = 22
_PART = re.compile(rf"[A-Za-z0-9_-]{{{_MAC_CHARACTERS}}}")
_MOST_ACCOUNTS = 4


def remember(sealer: Sealer, cookie: str | None, user_id: str) -> str:
    """Return the cookie's value after a sign-in: the device's identifier, and one proof for each account."""
    device, proofs = _parsed(cookie)
    device = device or new_identifier()
    own = _proof(sealer, device, user_id)
    others = [proof for proof in proofs if not equal(proof, own)]
    return ".".join([device, own, *others[: _MOST_ACCOUNTS - 1]])


def is_known(sealer: Sealer, cookie: str | None, user_id: str) -> bool:
    """Tell whether a device has signed in to an account before."""
    device, proofs = _parsed(cookie)
    own = _proof(sealer, device, user_id)
    return any([equal(proof, own) for proof in proofs])  # noqa: C419 - all of them, whichever fits


def device_id_of(cookie: str | None) -> str:
    """Return the device's identifier, ``""`` if it has none. Believe it only if ``is_known``."""
    return _parsed(cookie)[0]


def _parsed(cookie: str | None) -> tuple[str, list[str]]:
    """Return the identifier and the proofs. What is not in our form was never ours, and is not handed on."""
    device, *proofs = (cookie or "").split(".", _MOST_ACCOUNTS + 1)
    if not _PART.fullmatch(device):
        return "", []
    return device, [proof for proof in proofs[:_MOST_ACCOUNTS] if _PART.fullmatch(proof)]


def _proof(sealer: Sealer, device: str, user_id: str) -> str:
    message = f"{device}\n{user_id}".encode("utf-8", "surrogatepass")
    return base64url.encode(sealer.mac(message, context=_CONTEXT))[:_MAC_CHARACTERS]
