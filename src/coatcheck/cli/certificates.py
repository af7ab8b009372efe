"""What an X.509 certificate says beside its key. Nothing of it is checked: it is only shown."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Certificate", "read_certificate"]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of a public key.

    Attributes:
        subject: Whose key it says it is.
        ends: When it expires.
    """

    subject: str
    ends: datetime


def read_certificate(octets: bytes, form: str) -> Certificate | None:
    """Read a certificate in PEM or DER; ``None`` if it is none."""
    from cryptography import x509

    if form not in {"PEM", "DER"} or b"PRIVATE KEY-----" in octets:
        return None
    load = x509.load_pem_x509_certificate if form == "PEM" else x509.load_der_x509_certificate
    try:
        found = load(octets)
        return Certificate(subject=found.subject.rfc4514_string(), ends=found.not_valid_after_utc)
    except (ValueError, x509.InvalidVersion):
        return None
