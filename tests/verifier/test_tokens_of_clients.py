"""Tokens of registered clients: of machines, for several recipients, of all algorithms, and by a secret."""

from __future__ import annotations

import time
from typing import Any

import pytest

from coatcheck.jose import Key, KeySet
from coatcheck.revocation.model import Draft, Kind
from coatcheck.verifier import InvalidTokenError, UnknownKeyError, Verifier, VerifierConfigurationError
from tests.verifier.issuer import API, ISSUER, KEY, Issuer, moment

SECRET = "a secret of 43 characters that nobody guesses"
BY_SECRET = Key.from_secret(SECRET.encode(), "HS256")
NO_SESSION: dict[str, Any] = {"sid": None, "auth_time": None, "amr": None, "acr": None, "sub": "app"}


def ready(*keys: Key, audience: str | tuple[str, ...] = API, **options: Any) -> Verifier:
    """Return a verifier that has read keys and an empty ledger, and follows nobody."""
    verifier = Verifier(ISSUER, audience=audience, **options)
    verifier._view.install(KeySet([key.public() for key in keys or (KEY,)]))
    now = moment()
    verifier._view.reset_clock(time.time(), sent=now, received=now)
    verifier._view.confirm(time.time(), now)
    return verifier


def end(verifier: Verifier, kind: Kind, value: str) -> None:
    entry = Draft(
        kind=kind, value=value, cutoff=None, until=time.time() + 3720, reason="", actor="", at=0.0, mark=""
    )
    verifier._view.registry.add([entry])


def reason(verifier: Verifier, token: str) -> str:
    with pytest.raises(InvalidTokenError) as refused:
        verifier.verify(token)
    return refused.value.reason


def test_a_machines_token_stands_for_a_client_and_no_session() -> None:
    principal = ready().verify(Issuer().token(client_id="app", **NO_SESSION))
    assert (principal.subject, principal.client_id) == ("app", "app")
    assert principal.session_id == ""
    assert principal.authenticated_at is None
    assert (principal.methods, principal.acr) == ((), "")


@pytest.mark.parametrize("kind, value", [("client", "app"), ("token", "t1")])
def test_a_machines_token_ends_with_its_client_and_by_itself(kind: Kind, value: str) -> None:
    verifier = ready()
    token = Issuer().token(client_id="app", jti="t1", **NO_SESSION)
    verifier.verify(token)
    end(verifier, "session", "")
    verifier.verify(token)
    end(verifier, kind, value)
    assert reason(verifier, token) == f"revoked-{kind}"


@pytest.mark.parametrize("algorithm", ["Ed25519", "ML-DSA-44", "PS256", "RS256"])
def test_tokens_are_good_by_whichever_of_the_published_keys(algorithm: str) -> None:
    key = Key.generate(algorithm) if "S2" not in algorithm else Key.generate(algorithm, bits=2048)
    assert ready(KEY, key).verify(Issuer().token(key=key)).subject == "ada"


# --- recipients --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [API, [API], [API, ISSUER], [API, "https://other.example"]])
def test_a_token_may_name_others_behind_this_service(audience: Any) -> None:
    assert ready().verify(Issuer().token(aud=audience)).subject == "ada"


@pytest.mark.parametrize("audience", [ISSUER, (ISSUER, "https://own.example")])
def test_audience_game_a_token_that_an_api_was_sent_opens_nothing_that_is_called_as_the_issuer(
    audience: Any,
) -> None:
    """Its ``aud`` names the issuer, so that userinfo takes it. The API could otherwise use it elsewhere."""
    verifier = ready(audience=audience)
    assert reason(verifier, Issuer().token(aud=[API, ISSUER])) == "audience"
    assert verifier.verify(Issuer().token(aud=ISSUER)).subject == "ada"
    assert verifier.verify(Issuer().token(aud=[ISSUER, API])).subject == "ada"


# --- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [SECRET, SECRET.encode()], ids=["text", "octets"])
def test_tokens_that_are_signed_with_the_secret_of_a_service_are_good_there(secret: Any) -> None:
    verifier = ready(secret=secret)
    assert verifier.verify(Issuer().token(key=BY_SECRET)).subject == "ada"
    end(verifier, "session", "session-1")
    assert reason(verifier, Issuer().token(key=BY_SECRET)) == "revoked-session"


def test_a_service_with_a_secret_takes_nothing_that_a_key_has_signed() -> None:
    verifier = ready(secret=SECRET)
    fetched: list[None] = []
    verifier._core._unknown_key = lambda: fetched.append(None)
    assert reason(verifier, Issuer().token()) == "algorithm"
    other = Key.from_secret(b"x" * 43, "HS256")
    assert reason(verifier, Issuer().token(key=other)) == "signature"
    assert not fetched  # the keys of the issuer would not help


def test_algorithm_confusion_a_service_without_a_secret_takes_nothing_that_a_secret_has_signed() -> None:
    public = Key.from_jwk(
        {"kty": "oct", "k": KEY.to_jwk()["x"], "kid": str(KEY.kid)}, alg="HS256"
    )  # signed with what is published, as with a secret
    for key in (BY_SECRET, public):
        with pytest.raises((InvalidTokenError, UnknownKeyError)):
            ready().verify(Issuer().token(key=key))


@pytest.mark.parametrize("secret", ["short", "", b"x" * 31, 7, "\ud800" * 40])
def test_what_is_no_secret_is_told_at_once(secret: Any) -> None:
    with pytest.raises(VerifierConfigurationError) as refused:
        Verifier(ISSUER, audience=API, secret=secret)
    assert "short" not in str(refused.value)
