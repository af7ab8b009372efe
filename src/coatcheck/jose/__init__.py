"""JSON Object Signing and Encryption: keys, signatures, encryption and tokens (RFC 7515 to 7519 and their heirs).

::

    from coatcheck.jose import Key, jwt

    key = Key.generate("ES256")
    signer = jwt.Signer(key, issuer="https://id.example")
    token = signer.sign({"sub": "alice", "aud": "https://api.example"})

    verifier = jwt.Verifier(key.public(), issuer="https://id.example", audience="https://api.example")
    verifier.verify(token).claims.sub  # "alice"

It owns the token format. It knows nothing of sessions, users, storage or the web, and it opens no socket and no file.
Every error is a ``JOSEError``. What is dangerous is in ``coatcheck.jose.hazmat``.
"""

from __future__ import annotations

from . import jwe, jws, jwt
from .errors import JOSEError, TokenError
from .jwt import Claims
from .key import Key
from .key_set import KeySet
from .limits import Limits

__all__ = ["Claims", "JOSEError", "Key", "KeySet", "Limits", "TokenError", "jwe", "jws", "jwt"]
