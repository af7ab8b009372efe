"""JSON Web Signature (RFC 7515, 7797): signed octets, in compact and JSON serialisation.

It owns the framing of signatures. It knows nothing of claims: for tokens about somebody, use ``jwt``.
"""

from __future__ import annotations

from .compact import sign, verify
from .json import SignerInfo, sign_json, verify_json
from .model import VerifiedJWS, VerifiedSignature

__all__ = ["SignerInfo", "VerifiedJWS", "VerifiedSignature", "sign", "sign_json", "verify", "verify_json"]
