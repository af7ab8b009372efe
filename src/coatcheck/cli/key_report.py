"""What is to be said about a key. The private parts are carried apart, and shown only on demand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..jose import Key, KeySet
from ..jose.errors import UnsupportedAlgorithmError, UnsupportedKeyError
from ..jose.jwk import fitting_algorithms
from .inspection.model import Finding
from .key_text import KeyText

__all__ = ["KeyReport", "as_builtins", "describe"]

_READABLE_BY_OTHERS = 0o077
_GOOD_RSA_BITS = 3_072


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a key.

    Attributes:
        form: What it is written in.
        kind: ``private key``, ``public key``, ``secret``, or why a set's entry is left out.
        alg: The algorithm that it is pinned to, or ``None`` where nobody has named one.
        fitting: The algorithms that it could be for.
        kty: The key type.
        crv: The curve, where the type has one.
        size: In bits.
        kid: The key identifier.
        thumbprint: RFC 7638, SHA-256; of a secret there is none, because it helps to guess it.
        public: The public JWK; a secret has none.
        findings: What to know, and what to do.
        secret: The private JWK.
    """

    form: str
    kind: str
    alg: str | None = None
    fitting: tuple[str, ...] = ()
    kty: str | None = None
    crv: str | None = None
    size: int | None = None
    kid: str | None = None
    thumbprint: str | None = None
    public: dict[str, Any] | None = None
    findings: list[Finding] = []
    secret: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<KeyReport {self.kind} {self.alg} kid={self.kid!r}>"


def as_builtins(report: KeyReport, *, private: bool) -> dict[str, Any]:
    """Return a report as JSON has it, with the private JWK only on demand."""
    members: dict[str, Any] = msgspec.to_builtins(report)
    secret = members.pop("secret")
    return {**members, "private": secret} if private else members


def describe(text: KeyText, *, alg: str | None, mode: int | None = None) -> list[KeyReport]:
    """Describe a key, or each key of a set.

    Args:
        text: The key, or the set.
        alg: The algorithm that the person names.
        mode: The permissions of the file that it was read from.

    Raises:
        JOSEError: If a key is malformed, weak, or contradicts the others.
    """
    if text.form != "JWK Set":
        return [_describe(text, alg=alg, mode=mode)]
    entries = text.members.get("keys")
    reports: list[KeyReport] = []
    keys: list[Key] = []
    for entry in entries if isinstance(entries, list) else []:
        single = _entry(entry)
        try:
            keys.append(single.key(alg if single.stated is None else None, use=None))
        except (UnsupportedKeyError, UnsupportedAlgorithmError) as error:
            reports.append(KeyReport(form=text.form, kind=f"left out. {error.message}"))
        else:
            reports.append(_described(single, keys[-1], alg=alg, mode=mode))
    KeySet(keys)  # refuses keys that contradict each other
    return reports or [KeyReport(form=text.form, kind="empty set")]


def _entry(entry: Any) -> KeyText:
    members = entry if isinstance(entry, dict) else {}
    stated = members.get("alg")
    return KeyText(
        form="JWK",
        octets=b"",
        members=members,
        stated=stated if isinstance(stated, str) else None,
        fitting=fitting_algorithms(members.get("kty"), members.get("crv")),
    )


def _describe(text: KeyText, *, alg: str | None, mode: int | None) -> KeyReport:
    return _described(text, text.key(alg, use=None), alg=alg, mode=mode)


def _described(text: KeyText, key: Key, *, alg: str | None, mode: int | None) -> KeyReport:
    named = alg if text.stated is None else text.stated
    return KeyReport(
        form=text.form if text.password is None else f"{text.form}, encrypted",
        kind="secret" if key.is_symmetric else "private key" if key.is_private else "public key",
        alg=named,
        fitting=text.fitting if named is None else (),
        kty=key.kty,
        crv=key.crv,
        size=key.size,
        kid=key.kid,
        thumbprint=None if key.is_symmetric else key.thumbprint(),
        public=None if key.is_symmetric else _without_guess(key.to_jwk(), named),
        findings=[*_algorithm_findings(named, key), *_secrecy_findings(text, key, mode)],
        secret=_without_guess(key.to_private_jwk(), named) if key.is_private else None,
    )


def _without_guess(jwk: dict[str, Any], named: str | None) -> dict[str, Any]:
    """Leave out what was only assumed in order to read the key."""
    return jwk if named is not None else {name: jwk[name] for name in jwk if name not in {"alg", "use"}}


def _algorithm_findings(named: str | None, key: Key) -> Iterator[Finding]:
    if named is None:
        yield Finding(
            "note",
            "no_algorithm",
            "Nothing says which algorithm it is for.",
            "Convert it to a JWK that does: coatcheck key convert --to jwk --alg NAME.",
        )
    elif named in {"EdDSA", "RSA1_5"}:
        better = f"Use the name {key.crv}." if named == "EdDSA" else "Make a key for RSA-OAEP-256."
        yield Finding("warning", "deprecated_algorithm", f"{named} is deprecated.", better)
    elif named.startswith("RS") and key.use == "sig":
        yield Finding(
            "note",
            "rsa_pkcs1",
            f"{named} signs with PKCS#1 v1.5, which FAPI 2.0 and ASVS 5.0 appendix C disallow.",
            "Use PS256, ES256 or Ed25519 wherever both sides can.",
        )
    if key.kty == "RSA" and key.size < _GOOD_RSA_BITS:
        yield Finding(
            "note",
            "short_rsa",
            f"{key.size} bits of RSA are worth about 112 bits of security.",
            f"Make new keys with {_GOOD_RSA_BITS:,} bits, or for ES256 or Ed25519.",
        )


def _secrecy_findings(text: KeyText, key: Key, mode: int | None) -> Iterator[Finding]:
    if not key.is_private:
        return
    if mode is not None and mode & _READABLE_BY_OTHERS:
        yield Finding(
            "warning", "readable_file", "Others may read the file it is in.", "Run chmod 600 on it."
        )
    if text.form in {"PEM", "DER"} and text.password is None:
        yield Finding(
            "note",
            "unencrypted",
            "It is not encrypted: whoever has the file has the key.",
            "Encrypt it: coatcheck key convert --to pem --new-password-prompt.",
        )
    if key.is_symmetric and key.use == "sig":
        yield Finding(
            "note",
            "shared_secret",
            "Whoever can verify with a secret can sign with it too.",
            "Give each service a secret of its own, or use ES256.",
        )
