"""What is to be said about a key. The private parts are carried apart, and shown only on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from shlex import quote
from typing import Any

import msgspec

from ..inspection.key_text import KeyText
from ..inspection.model import Finding
from ..jose import Key, KeySet
from ..jose.algorithms import get_algorithm
from ..jose.errors import JOSEError, UnsupportedAlgorithmError, UnsupportedKeyError
from ..jose.jwk import fitting_algorithms
from .certificates import Certificate, read_certificate
from .times import in_words, iso

__all__ = ["KeyReport", "Origin", "as_builtins", "describe"]

_READABLE_BY_OTHERS = 0o077
_GOOD_RSA_BITS = 3_072
_ADVISED = ("ES256", "PS256", "ECDH-ES+A256KW")


class Origin(msgspec.Struct, frozen=True):
    """Where a key was read.

    Attributes:
        file: The name of a file, or ``-``.
        variable: The name of an environment variable.
        mode: The permissions of the file.
    """

    file: str | None = None
    variable: str | None = None
    mode: int | None = None

    @property
    def argument(self) -> str:
        """What names it in a command, fit for a shell."""
        if self.variable is not None:
            return f"--key-env {quote(self.variable)}"
        name = self.file or "-"
        return name if name == "-" else quote(f"./{name}" if name.startswith("-") else name)


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a key.

    Attributes:
        form: What it is written in.
        kind: ``private key``, ``public key``, ``certificate``, ``secret``, or why a set's entry is left out.
        alg: The algorithm that it is pinned to, or ``None`` where nobody has named one.
        fitting: The algorithms that it could be for.
        kty: The key type.
        crv: The curve, where the type has one.
        size: In bits.
        kid: The key identifier.
        subject: Whose key a certificate says it is.
        expires: When the certificate ends.
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
    subject: str | None = None
    expires: str | None = None
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


def describe(text: KeyText, *, alg: str | None, origin: Origin, now: float) -> list[KeyReport]:
    """Describe a key, or each key of a set.

    Args:
        text: The key, or the set.
        alg: The algorithm that the person names.
        origin: Where it was read.
        now: The time, in seconds since 1970.

    Raises:
        JOSEError: If a key is malformed, weak, or contradicts the others.
    """
    if text.form != "JWK Set":
        certificate = read_certificate(text.octets, text.form)
        report = _described(text, text.key(alg, use=None), alg=alg, origin=origin)
        return [report if certificate is None else _certified(report, certificate, now)]
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
            reports.append(_described(single, keys[-1], alg=alg, origin=origin, in_set=True))
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


def _certified(report: KeyReport, certificate: Certificate, now: float) -> KeyReport:
    ends = certificate.ends.timestamp()
    expired = Finding(
        "warning", "expired_certificate", f"It expired {in_words(now - ends)} ago.", "Get a new certificate."
    )
    findings = [*report.findings, *([expired] if ends < now else [])]
    subject = certificate.subject or "nobody"
    return msgspec.structs.replace(
        report, kind="certificate", subject=subject, expires=iso(ends), findings=findings
    )


def _described(
    text: KeyText, key: Key, *, alg: str | None, origin: Origin, in_set: bool = False
) -> KeyReport:
    named = alg if text.stated is None else text.stated
    form = "raw octets" if text.form == "secret" else text.form
    return KeyReport(
        form=form if text.password is None else f"{form}, encrypted",
        kind="secret" if key.is_symmetric else "private key" if key.is_private else "public key",
        alg=named,
        fitting=text.fitting if named is None else (),
        kty=key.kty,
        crv=key.crv,
        size=key.size,
        kid=key.kid,
        thumbprint=None if key.is_symmetric else key.thumbprint(),
        public=None if key.is_symmetric else _without_guess(key.to_jwk(), named),
        findings=[
            *(
                [_unnamed(text, key, origin, in_set=in_set)]
                if named is None
                else _algorithm_findings(named, key)
            ),
            *_size_findings(key),
            *_secrecy_findings(text, key, origin),
        ],
        secret=_without_guess(key.to_private_jwk(), named) if key.is_private else None,
    )


def _without_guess(jwk: dict[str, Any], named: str | None) -> dict[str, Any]:
    """Leave out what was only assumed in order to read the key."""
    return jwk if named is not None else {name: jwk[name] for name in jwk if name not in {"alg", "use"}}


def _unnamed(text: KeyText, key: Key, origin: Origin, *, in_set: bool) -> Finding:
    alg = _advised(text, key)
    unlock = "" if text.password is None else " --password-prompt"
    return Finding(
        "note",
        "no_algorithm",
        "Nothing says which algorithm it is for.",
        f'Add "alg": "{alg}" to it, or another that fits.'
        if in_set
        else f"Convert it to a JWK that does: coatcheck key convert {origin.argument} --to jwk --alg {alg}{unlock}",
    )


def _advised(text: KeyText, key: Key) -> str:
    """Return the best algorithm that the key can be for, and not only by its type."""
    for name in _ADVISED:
        if name in text.fitting and get_algorithm(name, named_by_caller=True).use == key.use:
            with suppress(JOSEError):
                return text.pinned(name).alg
    return key.alg


def _algorithm_findings(named: str, key: Key) -> Iterator[Finding]:
    if named in {"EdDSA", "RSA1_5"}:
        better = f"Use the name {key.crv}." if named == "EdDSA" else "Make a key for RSA-OAEP-256."
        yield Finding("warning", "deprecated_algorithm", f"{named} is deprecated.", better)
    elif named.startswith("RS") and key.use == "sig":
        yield Finding(
            "note",
            "rsa_pkcs1",
            f"{named} signs with PKCS#1 v1.5, which FAPI 2.0 and ASVS 5.0 appendix C disallow.",
            "Use PS256, ES256 or Ed25519 wherever both sides can.",
        )


def _size_findings(key: Key) -> Iterator[Finding]:
    if key.kty == "RSA" and key.size < _GOOD_RSA_BITS:
        yield Finding(
            "note",
            "short_rsa",
            f"{key.size} bits of RSA are worth about 112 bits of security.",
            f"Make new keys with {_GOOD_RSA_BITS:,} bits, or for ES256 or Ed25519.",
        )


def _secrecy_findings(text: KeyText, key: Key, origin: Origin) -> Iterator[Finding]:
    if not key.is_private:
        return
    if origin.mode is not None and origin.mode & _READABLE_BY_OTHERS:
        fix = f"Close it: chmod 600 {origin.argument}"
        yield Finding("warning", "readable_file", "Others may read the file it is in.", fix)
    if text.form in {"PEM", "DER"} and text.password is None:
        yield Finding(
            "note",
            "unencrypted",
            "It is not encrypted: whoever has the file has the key.",
            f"Encrypt it: coatcheck key convert {origin.argument} --to pem --new-password-prompt",
        )
    if key.is_symmetric and key.use == "sig":
        yield Finding(
            "note",
            "shared_secret",
            "Whoever can verify with a secret can sign with it too.",
            "Give each service a secret of its own, or use ES256.",
        )
