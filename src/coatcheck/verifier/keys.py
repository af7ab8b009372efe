"""The keys of the issuer, as the background fetches them (RFC 7517).

They are fetched at the start, when the ledger tells of other ones, when a token that looks good names one that is
not known (but not as often as anybody likes), and every few minutes in any case. While they cannot be fetched, those
that are known stay.
"""

from __future__ import annotations

import hashlib
from typing import Final

from .._core import base64url
from ..errors import CoatcheckError
from ..jose import JOSEError, KeySet
from .actions import Answer, Fetch, Steps, Wait
from .backoff import Backoff
from .discovery import check_answer
from .errors import UnexpectedAnswerError, UnusableKeysError
from .state import State

__all__ = ["follow_keys", "read_keys"]

_GONE: Final = frozenset({301, 302, 303, 307, 308, 404, 410})


def read_keys(body: bytes) -> KeySet:
    """Read a key set. What cannot be used is left out, and so are secrets: what is published is none.

    Raises:
        UnusableKeysError: If nothing is left.
    """
    try:
        published = KeySet.from_jwks(body, ignore_invalid=True)
        keys = KeySet(
            [key.public() for key in published if not key.is_symmetric and key.public().allows("verify")]
        )
    except JOSEError as error:
        raise UnusableKeysError("The keys of the server cannot be read.", detail=error.message) from None
    if not len(keys):
        raise UnusableKeysError(
            "The server publishes no key that can be used.", detail=str(published.ignored)[:500]
        )
    return keys


def follow_keys(state: State) -> Steps[None]:
    """Fetch the keys, for ever."""
    backoff = Backoff(state.policy)
    while True:
        state.wanted.clear()
        digest = state.digest
        try:
            fetched = yield from _refresh(state)
            # What was fetched after the ledger had told of it is at least that, also if it is written in other words.
            state.digests = frozenset(filter(None, (fetched, digest)))
            pause = state.policy.key_max_age
            backoff.reset()
        except CoatcheckError as error:
            if isinstance(error, UnexpectedAnswerError) and error.answer in _GONE:
                state.metadata = None  # it may have moved
            state.failed(error, connected=False)
            pause = backoff.next(error)
        state.fetched.ring()
        state.check_ready()
        yield Wait(pause, state.wanted)


def _refresh(state: State) -> Steps[str]:
    """Fetch the keys and use them. Returns the digest of their document. Raises kinds of ``CoatcheckError``."""
    metadata = yield from state.get_metadata()
    state.key_fetches += 1
    answer: Answer = yield Fetch(
        url=metadata.jwks_uri,
        # What a cache has kept is not what the ledger has just told of.
        headers={"accept": "application/jwk-set+json, application/json", "cache-control": "no-cache"},
        limit=state.policy.answer_limit,
        timeout=state.policy.request_timeout,
    )
    check_answer(answer)
    keys = read_keys(answer.body)
    view = state.view
    if view.keys is None or _names(view.keys) != _names(keys):
        view.install(keys)
        state.tell("keys")
    return base64url.encode(hashlib.sha256(answer.body).digest())


def _names(keys: KeySet) -> set[tuple[str | None, str, str]]:
    return {(key.kid, key.alg, key.thumbprint()) for key in keys}
