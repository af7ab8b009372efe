"""Verifying a token that somebody pasted, with a key that they pasted, or with this server's own.

The token never has a say in how it is verified (RFC 8725 section 3.1): the key says by which algorithm, or the person.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .._core.secret_encoding import SecretEncoding
from .._core.text import spelled
from ..inspection import (
    InspectionError,
    Outcome,
    Reading,
    Step,
    UnclearKeyError,
    read_key_text,
    verify_in_steps,
)
from ..inspection.errors import UnreadableKeyError
from ..inspection.key_text import KeyText
from ..inspection.verification import Wish
from ..inspection.wording import in_commands
from ..jose import KeySet, jwt
from ..jose.errors import JOSEError, KeyImportError, KeyPasswordError, WeakKeyError
from ..jose.hazmat import ANY_AUDIENCE, ANY_ISSUER
from ..jose.header import is_media_type
from .pages.inspector_views import StepView, VerdictView
from .requests import Fields

__all__ = ["Asked", "OwnKeys", "Verified", "verify"]

_USUAL_FOR_SECRETS: Final = "HS256"
_EXPECTED: Final = {"type": "of what kind it is", "issuer": "who issued it", "audience": "for whom it is"}
_WISHES: dict[Wish, str] = {
    "type": "enter {} as the type",
    "issuer": "enter {} as the issuer",
    "audience": "enter {} as the audience",
    "past": "use coatcheck token verify --at",
    "leeway": "use coatcheck token verify --leeway",
}


class Asked(Fields, frozen=True, kw_only=True):
    """What is filled in: all of it untrusted, and none of it kept.

    Attributes:
        token: The token.
        key: A JWK, a JWK Set, PEM or a secret.
        alg: The algorithm that the key is for; ``""`` where the key says it.
        encoding: How a secret is written.
        issuer: Who must have issued it; ``""`` for whoever.
        audience: For whom it must be; ``""`` for whomever.
        typ: Of what kind it must be; ``""`` for any.
        example: Whether an example is wanted instead.
    """

    token: str = ""
    key: str = ""
    alg: str = ""
    encoding: str = SecretEncoding.RAW.value
    issuer: str = ""
    audience: str = ""
    typ: str = ""
    example: str = ""


class OwnKeys(msgspec.Struct, frozen=True):
    """What this server signs with: its name in tokens, and its public keys."""

    issuer: str
    keys: KeySet


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, and whether the key that was pasted is no secret, so that it may be shown again."""

    verdict: VerdictView
    key_is_public: bool = False


class _Means(msgspec.Struct, frozen=True, kw_only=True):
    """What to verify with: the keys, how they are called, what to add, and whom the issuer must be."""

    keys: KeySet
    by: str
    notes: tuple[str, ...] = ()
    issuer: str = ""


def verify(text: str, reading: Reading, asked: Asked, *, own: OwnKeys, now: float) -> Verified:
    """Verify a token as far as that can be done.

    Args:
        text: The token.
        reading: The same, taken apart.
        asked: What else was filled in.
        own: What verifies the tokens of this server.
        now: The time, in seconds since 1970.
    """
    impossible = _impossible(reading)
    if impossible is not None:
        return Verified(verdict=impossible)
    means = _pasted(asked, reading) if asked.key.strip() else _own(reading, own)
    if isinstance(means, VerdictView):
        return Verified(verdict=means)
    public = not any(key.is_symmetric or key.is_private for key in means.keys)
    return Verified(verdict=_judged(text, reading, asked, means=means, now=now), key_is_public=public)


def _impossible(reading: Reading) -> VerdictView | None:
    if reading.encrypted:
        return VerdictView(
            status="open",
            title="Encrypted",
            text="Only the holder of the key can read it, and know whether it is genuine. "
            "coatcheck token decrypt opens it; look at what is inside here.",
        )
    if str(reading.header.get("alg")).lower() == "none":
        return VerdictView(
            status="refused",
            title="Refused: it is not signed",
            text="There is nothing to verify. Anyone can have written every word of it.",
        )
    if reading.form != "compact":
        return VerdictView(
            status="open",
            title="Not verified",
            text="Verified here is the compact form, of three parts with dots between, which every JWT has.",
        )
    return None


def _own(reading: Reading, own: OwnKeys) -> _Means | VerdictView:
    if (reading.claims or {}).get("iss") == own.issuer:
        return _Means(keys=own.keys, by="one of this server's own keys", issuer=own.issuer)
    return VerdictView(
        status="open",
        title="Not verified",
        text="Below is what it says, not whether that is true. To find out, paste the issuer's key. "
        "Tokens of this server are verified with its own keys.",
    )


def _pasted(asked: Asked, reading: Reading) -> _Means | VerdictView:
    try:
        found, alg = _read(asked)
        keys = found.key_set(alg, use="sig")
    except UnclearKeyError as error:
        return _unclear(error, reading)
    except WeakKeyError as error:
        return _unusable("The key is too weak to verify anything", error.message)
    except KeyPasswordError:
        return _unusable(
            "The key is encrypted",
            "Paste the public key. Verifying needs no private one: coatcheck key convert.",
        )
    except (InspectionError, JOSEError) as error:
        return _unusable("The key cannot be used", error.message)
    if not any(key.allows("verify") for key in keys):
        return _unusable("The key cannot be used", "None of these keys is there to verify signatures.")
    notes = tuple(_notes(found, keys, assumed=alg is not None and not asked.alg))
    several = len(list(keys)) > 1
    return _Means(keys=keys, by="one of the keys given" if several else "the key given", notes=notes)


def _read(asked: Asked) -> tuple[KeyText, str | None]:
    """Return what was pasted, and the algorithm that the person named or that is usual for secrets."""
    octets = asked.key.strip().encode("utf-8", "replace")
    encoding = next((each for each in SecretEncoding if each == asked.encoding), SecretEncoding.RAW)
    if asked.alg:
        return read_key_text(octets, alg=asked.alg, encoding=encoding), asked.alg
    if encoding is not SecretEncoding.RAW:
        return read_key_text(octets, alg=_USUAL_FOR_SECRETS, encoding=encoding), _USUAL_FOR_SECRETS
    try:
        return read_key_text(octets), None
    except UnreadableKeyError as error:
        if not error.may_be_secret:
            raise
    except KeyImportError:
        # Binary keys cannot be pasted. What is taken for one is a secret that begins with a zero.
        if not octets.startswith(b"0"):
            raise
    return read_key_text(octets, alg=_USUAL_FOR_SECRETS), _USUAL_FOR_SECRETS


def _notes(found: KeyText, keys: KeySet, *, assumed: bool) -> list[str]:
    notes: list[str] = []
    if assumed:
        notes.append(
            f"The text is taken for a secret for {_USUAL_FOR_SECRETS}. Choose another algorithm if it is not."
        )
    if any(key.is_private and not key.is_symmetric for key in keys):
        notes.append(
            "This is a private key. Whoever has it can sign: for verifying, the public one is enough."
        )
    return notes


def _unclear(error: UnclearKeyError, reading: Reading) -> VerdictView:
    stated = reading.header.get("alg")
    says = (
        f" The token says {spelled(stated)[:40]}, which its issuer should confirm."
        if stated in error.choices
        else ""
    )
    text = f"It fits {', '.join(error.choices)}.{says}" if error.choices else error.message
    return VerdictView(
        status="open",
        title="Which algorithm is the key for?" if error.choices else "The key cannot be used",
        text=f"{text} A token never chooses how it is verified." if error.choices else text,
        choices=error.choices,
    )


def _unusable(title: str, message: str) -> VerdictView:
    return VerdictView(
        status="open", title=title, text=in_commands(message).replace("--alg ", "the algorithm ")
    )


def _judged(text: str, reading: Reading, asked: Asked, *, means: _Means, now: float) -> VerdictView:
    issuer = asked.issuer.strip() or means.issuer
    audience, typ = asked.audience.strip(), asked.typ.strip()
    stated = reading.header.get("typ")
    usable = isinstance(stated, str) and is_media_type(stated)
    verifier = jwt.Verifier(
        means.keys,
        issuer=issuer or ANY_ISSUER,
        audience=audience or ANY_AUDIENCE,
        typ=typ if typ and is_media_type(typ) else str(stated) if usable else "JWT",
        require=(),
    )
    outcome = verify_in_steps(text, verifier, keys=means.keys, now=now, hint=_hint)
    # Without an expectation, the verifier takes whatever the token says. That is no check.
    wanted = {"type": typ, "issuer": issuer, "audience": audience}
    steps = tuple(_step(step, is_checked=bool(wanted.get(step.check, "always"))) for step in outcome.steps)
    return _told(outcome, steps, means=means)


def _hint(wish: Wish, value: str) -> str:
    return _WISHES[wish].format(spelled(value)[:200])


def _step(step: Step, *, is_checked: bool) -> StepView:
    status = step.status if is_checked or step.status != "ok" else "not checked"
    return StepView(check=step.check, status=status, message=step.message)


def _told(outcome: Outcome, steps: tuple[StepView, ...], *, means: _Means) -> VerdictView:
    if not outcome.valid:
        failed = next(step for step in steps if step.status == "failed")
        return VerdictView(
            status="refused",
            title="Refused",
            text=f"{failed.message[:1].upper()}{failed.message[1:].removesuffix('.')}.",
            notes=means.notes,
            steps=steps,
        )
    expected = [step.check for step in steps if step.check in _EXPECTED and step.status == "ok"]
    checked = ["the signature", "the times", *(f"the {name}" for name in expected)]
    unchecked = [_EXPECTED[step.check] for step in steps if step.status == "not checked"]
    text = f"Checked: {_listed(checked)}, with {means.by}."
    if unchecked:
        text += f" Not checked: {_listed(unchecked)}. A service that takes it must check that too."
    text += " Whether it has been called back since is not asked here."
    return VerdictView(
        status="valid",
        title="The signature is genuine, and it is in force" if unchecked else "Valid",
        text=text,
        notes=means.notes,
        steps=steps,
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
