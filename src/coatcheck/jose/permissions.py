"""What a key may be used for: its ``use`` and ``key_ops`` (RFC 7517 sections 4.2 and 4.3).

Every operation of a key is bound once, when the key is made: either to the work, or to a refusal that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from .algorithms import Algorithm, KeyEncryption, SignatureAlgorithm
from .errors import KeyImportError, KeyUseError

__all__ = ["public_operations", "read_operations", "read_use", "refusal", "why_not_private", "why_not_public"]

_USES = {
    "sig": frozenset({"sign", "verify"}),
    "enc": frozenset({"encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"}),
}
_PUBLIC_COUNTERPART = {"sign": "verify", "decrypt": "encrypt", "unwrapKey": "wrapKey"}

Operations = frozenset[str] | None
"""The ``key_ops``, or ``None`` where the key does not restrict them."""


def read_use(members: Mapping[str, Any], algorithm: Algorithm) -> None:
    """Check that the member ``use``, if there is one, allows the algorithm."""
    if "use" not in members:
        return
    use = members["use"]
    if not isinstance(use, str):
        raise KeyImportError("The JWK's member 'use' must be a string.")
    wanted = _use_of(algorithm)
    if use != wanted:
        raise KeyUseError(f"The key is for {use[:32]!r}; {algorithm.name} needs a key for {wanted!r}.")


def read_operations(members: Mapping[str, Any], algorithm: Algorithm) -> Operations:
    """Read the member ``key_ops``: distinct strings, none of which contradicts ``use`` or the algorithm."""
    if "key_ops" not in members:
        return None
    operations = members["key_ops"]
    if not isinstance(operations, (list, tuple)) or not all(isinstance(name, str) for name in operations):
        raise KeyImportError("The JWK's member 'key_ops' must be an array of strings.")
    if len(set(operations)) != len(operations):
        raise KeyImportError("The JWK's member 'key_ops' repeats an operation.")
    wanted = _USES[_use_of(algorithm)]
    others = frozenset().union(*_USES.values()) - wanted
    if others.intersection(operations) or (operations and not wanted.intersection(operations)):
        allowed = ", ".join(sorted(operations))
        raise KeyUseError(
            f"The key's 'key_ops' allow only: {allowed[:80]!r}. That is not for {algorithm.name}."
        )
    return frozenset(operations)


def public_operations(operations: Operations) -> Operations:
    """Return what the public half of a key may do."""
    if operations is None:
        return None
    return frozenset(_PUBLIC_COUNTERPART.get(name, name) for name in operations)


def why_not_private(algorithm: Algorithm, operations: Operations, *, has_private: bool) -> str | None:
    """Say why the key cannot sign or decrypt, or ``None`` if it can."""
    act, needed = _private_side(algorithm)
    if not has_private:
        return f"This is a public key; to {act} takes the private key."
    if operations is not None and not needed & operations:
        return f"The key's 'key_ops' do not allow to {act}."
    return None


def why_not_public(algorithm: Algorithm, operations: Operations) -> str | None:
    """Say why the key cannot verify or encrypt, or ``None`` if it can."""
    act, needed = _public_side(algorithm)
    if isinstance(algorithm, KeyEncryption) and algorithm.decrypt_only:
        return f"{algorithm.name} is for decryption of old tokens only. Encrypt with RSA-OAEP-256."
    # RFC 7517 names no operation for the public half of a key agreement: an empty list allows it.
    if operations is None or needed & operations or (not operations and "deriveKey" in needed):
        return None
    return f"The key's 'key_ops' do not allow to {act}; if this is a private key, use key.public()."


def refusal(reason: str) -> Callable[..., NoReturn]:
    """Return a function that refuses any call for this reason."""

    def refuse(*arguments: object, **options: object) -> NoReturn:
        raise KeyUseError(reason)

    return refuse


def _use_of(algorithm: Algorithm) -> str:
    return "sig" if isinstance(algorithm, SignatureAlgorithm) else "enc"


def _private_side(algorithm: Algorithm) -> tuple[str, frozenset[str]]:
    if isinstance(algorithm, KeyEncryption):
        return "decrypt", algorithm.private_operations
    return "sign", frozenset({"sign"})


def _public_side(algorithm: Algorithm) -> tuple[str, frozenset[str]]:
    if isinstance(algorithm, KeyEncryption):
        return "encrypt", algorithm.public_operations
    return "verify", frozenset({"verify"})
