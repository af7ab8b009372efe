"""The forms in which keys are written."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from .. import sinks
from ..errors import UsageError
from ..text import as_json

if TYPE_CHECKING:
    from ...jose import Key

__all__ = ["Format", "write_key", "written"]


class Format(StrEnum):
    """What a key file looks like."""

    JWK = "jwk"
    PEM = "pem"
    DER = "der"


def written(key: Key, form: Format, *, public: bool = False, password: bytes | None = None) -> bytes:
    """Return a key as the content of a file: its private half, or on demand the public one.

    Raises:
        UsageError: If a password is given for a form that cannot be encrypted.
        KeyUseError: If the key has no such half, or no such form.
    """
    if password is not None and (public or form is Format.JWK):
        raise UsageError("Only a private key in PEM or DER can be encrypted with a password.")
    if key.is_symmetric and (public or form is not Format.JWK):
        raise UsageError("A secret has no public half, and no other form than JWK.")
    if form is Format.JWK:
        members = key.to_jwk() if public else key.to_private_jwk()
        return f"{as_json(members, indent=2)}\n".encode("ascii")
    if form is Format.PEM:
        return key.to_pem() if public else key.to_private_pem(password=password)
    return key.to_der() if public else key.to_private_der(password=password)


def write_key(octets: bytes, form: Format, *, out: str | None, force: bool, private: bool) -> None:
    """Write a key to a file, or to standard output."""
    if out is not None:
        sinks.write_file(out, octets, private=private, force=force)
    elif form is Format.DER:
        sinks.write_octets(octets)
    elif private:
        sinks.write_secret(octets)
    else:
        sinks.write_text(octets.decode("ascii").rstrip("\n"))
