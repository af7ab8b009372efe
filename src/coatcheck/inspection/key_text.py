"""Reading a key of any kind: what it is gets detected, what it is for is named by the caller or follows from its type.

A token's text never comes near here: it cannot choose how a key is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from .._core.secret_encoding import UTF8_MARK, SecretEncoding, decoded_secret
from ..jose import Key, KeySet, key_files, key_types
from ..jose.algorithms import KEY_ENCRYPTION, SIGNATURE, KeyEncryption, SignatureAlgorithm, get_algorithm
from ..jose.errors import (
    JOSEError,
    KeyImportError,
    KeyUseError,
    UnsupportedKeyError,
    WeakKeyError,
)
from ..jose.jwk import fitting_algorithms, parse_json_members
from .errors import UnclearKeyError, UnreadableKeyError

__all__ = ["KeyText", "Use", "read_key_text"]

Use = Literal["sig", "enc"]
Form = Literal["JWK", "JWK Set", "PEM", "DER", "secret"]
_TABLE: Mapping[str, SignatureAlgorithm | KeyEncryption] = {**SIGNATURE, **KEY_ENCRYPTION}
_DER_SEQUENCE = b"\x30"
_COMPACT_TOKEN = re.compile(rb"ey[\w-]+(?:\.[\w-]*){2}(?:(?:\.[\w-]*){2})?")
_TOKEN_MEMBERS = frozenset({"payload", "signature", "signatures", "ciphertext"})


class KeyText(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it was found, before it is pinned to an algorithm.

    Attributes:
        form: What it is written in.
        octets: The file's content.
        members: Those of a JWK or JWK Set.
        password: What a PEM or DER is encrypted with.
        stated: The algorithm that a JWK names.
        fitting: The algorithms that take a key of this type, the deprecated ones last.
    """

    form: Form
    octets: bytes
    members: Mapping[str, Any] = {}
    password: bytes | None = None
    stated: str | None = None
    fitting: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<KeyText {self.form}>"

    @property
    def likely_use(self) -> Use:
        """What such keys are mostly for, which is signatures if they can be."""
        return "sig" if any(_TABLE[name].use == "sig" for name in self.fitting) else "enc"

    def pinned(self, alg: str, *, kid: str | None = None) -> Key:
        """Make the key for one algorithm. Raises ``JOSEError``."""
        if self.form == "JWK":
            key = Key.from_jwk(self.members, alg=alg)
            return key if kid is None else key.with_kid(kid)
        if self.form == "PEM":
            return Key.from_pem(self.octets, alg, kid=kid, password=self.password)
        if self.form == "DER":
            return Key.from_der(self.octets, alg, kid=kid, password=self.password)
        return Key.from_secret(self.octets, alg, kid=kid)

    def key(self, alg: str | None, *, use: Use | None, kid: str | None = None) -> Key:
        """Make the key for the algorithm named, stated, or the only one that it can be for.

        Args:
            alg: The algorithm that the person names.
            use: What the key is wanted for; ``None`` if the algorithm does not matter, so that any that fits will do.
            kid: Another identifier than its own.

        Raises:
            UnclearKeyError: If the algorithm matters and is not clear.
            JOSEError: If the key must not be used, or not for this.
        """
        if self.form == "JWK Set":
            raise UnclearKeyError("This is a set of keys; one key is needed.")
        if alg is not None:
            return self.pinned(alg, kid=kid)
        if self.stated is not None:
            # Pinned by the JWK itself, which therefore may not name a deprecated algorithm.
            key = Key.from_jwk(self.members)
            return key if kid is None else key.with_kid(kid)
        if use is None:
            return self._first_fitting(kid)
        choices = [name for name in self.fitting if _TABLE[name].use == use and not _TABLE[name].deprecated]
        if len(choices) == 1:
            return self.pinned(choices[0], kid=kid)
        raise UnclearKeyError(_unclear(choices, use), choices=tuple(choices))

    def key_set(self, alg: str | None, *, use: Use) -> KeySet:
        """Make the set, or a set of this one key. Keys of a set that are for something else are left out.

        Args:
            alg: The algorithm that the person names.
            use: What the keys are wanted for.

        Raises:
            UnclearKeyError: If it is not clear which algorithm a key is for.
            JOSEError: If a key must not be used, or the keys contradict each other.
        """
        if self.form != "JWK Set":
            return KeySet([self.key(alg, use=use)])
        entries = self.members.get("keys")
        if alg is not None or not isinstance(entries, list):
            return KeySet.from_jwks(self.members, algorithms=None if alg is None else [alg])
        wanted = [_completed(entry, use) for entry in entries if _is_for(entry, use)]
        return KeySet.from_jwks({"keys": wanted})

    def _first_fitting(self, kid: str | None) -> Key:
        refused: JOSEError = UnsupportedKeyError("No algorithm takes this key.")
        for name in self.fitting:
            try:
                return self.pinned(name, kid=kid)
            except (KeyUseError, WeakKeyError) as error:
                refused = error
        raise refused


def _unclear(choices: list[str], use: Use) -> str:
    if not choices:
        return f"No algorithm for {'signatures' if use == 'sig' else 'encryption'} takes this key."
    return (
        f"The key does not say what it is for: name its algorithm with alg=..., one of {', '.join(choices)}."
    )


def read_key_text(
    octets: bytes,
    *,
    alg: str | None = None,
    encoding: SecretEncoding = SecretEncoding.RAW,
    password: bytes | None = None,
) -> KeyText:
    """Detect what a key is written in, and read as much as is known without its algorithm.

    Args:
        octets: The content of a file, a variable or a field.
        alg: The algorithm that the person names; octets of no known form are a secret if it is a symmetric one.
        encoding: How a secret is written. Another than raw says that it is one.
        password: The password of an encrypted private key.

    Raises:
        UnreadableKeyError: If it is no key.
        UnclearKeyError: If an encoding is named and no symmetric algorithm, or a password for what is not encrypted.
        KeyImportError: If it cannot be read as the key that it seems to be.
        KeyPasswordError: If it is encrypted and the password is missing or wrong.
    """
    is_secret = alg is not None and _is_symmetric(alg)
    if encoding is not SecretEncoding.RAW:
        if not is_secret:
            raise UnclearKeyError("An encoding is for a shared secret: name its algorithm, as alg='HS256'.")
        return _read_secret(octets, encoding, password)
    text = octets.removeprefix(UTF8_MARK).strip()
    if text.startswith(b"{") and not (is_secret and _is_binary(text)):
        members = parse_json_members(text, "JWK")
        if "kty" not in members and _TOKEN_MEMBERS & members.keys():
            raise _is_token()
        _refuse_password(password, "A JWK")
        return _read_set(text, members) if "keys" in members else _read_jwk(text, members)
    if b"-----BEGIN " in octets:
        return _read_file("PEM", octets, password)
    if is_secret:
        return _read_secret(octets, encoding, password)
    if octets.startswith(_DER_SEQUENCE):
        return _read_file("DER", octets, password)
    if _COMPACT_TOKEN.fullmatch(text):
        raise _is_token()
    raise UnreadableKeyError(
        "This is no JWK, JWK Set, PEM or DER. If it is a shared secret, name its algorithm: alg='HS256'.",
        may_be_secret=True,
    )


def _is_token() -> UnreadableKeyError:
    return UnreadableKeyError("This is a token, not a key: coatcheck token inspect shows what it says.")


def _is_binary(octets: bytes) -> bool:
    """Tell whether octets are no text: a random secret may begin with a brace."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _is_symmetric(alg: str) -> bool:
    return "oct" in get_algorithm(alg, named_by_caller=True).key_types


def _refuse_password(password: bytes | None, what: str) -> None:
    if password is not None:
        raise UnclearKeyError(f"{what} is not encrypted: leave the password out.")


def _read_secret(octets: bytes, encoding: SecretEncoding, password: bytes | None) -> KeyText:
    _refuse_password(password, "A secret")
    try:
        secret = decoded_secret(octets, encoding)
    except ValueError as error:
        raise UnreadableKeyError(str(error)) from None
    return KeyText(form="secret", octets=secret, fitting=fitting_algorithms("oct", None))


def _read_set(text: bytes, members: Mapping[str, Any]) -> KeyText:
    return KeyText(form="JWK Set", octets=text, members=members)


def _read_jwk(text: bytes, members: Mapping[str, Any]) -> KeyText:
    stated = members.get("alg")
    if stated is not None and not isinstance(stated, str):
        raise KeyImportError("The JWK's member 'alg' must be a string.")
    fitting = fitting_algorithms(members.get("kty"), members.get("crv"))
    return KeyText(form="JWK", octets=text, members=members, stated=stated, fitting=fitting)


def _read_file(form: Literal["PEM", "DER"], octets: bytes, password: bytes | None) -> KeyText:
    read = key_files.read_pem if form == "PEM" else key_files.read_der
    found = read(octets, password=password)
    material = key_types.adopt(found)
    fitting = fitting_algorithms(material.kty, material.crv)
    return KeyText(form=form, octets=octets, password=password, fitting=fitting)


def _completed(entry: Any, use: Use) -> Any:
    """Name the algorithm of a key in a set where only one is possible."""
    if not isinstance(entry, dict) or "alg" in entry:
        return entry
    fitting = fitting_algorithms(entry.get("kty"), entry.get("crv"))
    text = KeyText(form="JWK", octets=b"", members=entry, fitting=fitting)
    return {**entry, "alg": text.key(None, use=use).alg}


def _is_for(entry: Any, use: Use) -> bool:
    """Tell whether a set's entry can be for this use; what is malformed is left for the key set to refuse.

    Keys of a kind that is unknown here are passed over (RFC 7517 section 5).
    """
    if not isinstance(entry, dict):
        return True
    known = "alg" in entry or bool(fitting_algorithms(entry.get("kty"), entry.get("crv")))
    return known and entry.get("use", use) == use
