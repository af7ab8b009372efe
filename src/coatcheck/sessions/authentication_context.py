"""How strongly somebody proved who they are, as one word (``acr``)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

__all__ = ["ACR_VALUES", "acr_of"]

ACR_VALUES: Final = ("aal1", "aal2", "aal3")
"""The authentication assurance levels of NIST SP 800-63B-4, the weakest first."""

_SECOND_FACTORS = frozenset({"otp", "hwk", "swk", "mfa"})
_HARDWARE = frozenset({"hwk"})


def acr_of(methods: Collection[str]) -> str:
    """Return the level that methods of authentication (``amr``, RFC 8176) come to.

    A password is one factor. Together with something that one has it is two, and with a key in hardware that cannot be
    copied it is the highest level.
    """
    found = set(methods)
    if not found & _SECOND_FACTORS or not found & {"pwd", "pin", "mfa"}:
        return ACR_VALUES[0]
    return ACR_VALUES[2] if found & _HARDWARE else ACR_VALUES[1]
