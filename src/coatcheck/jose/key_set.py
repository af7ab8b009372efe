"""Several keys of one owner: a JWK Set (RFC 7517 section 5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, final

from . import permissions
from .algorithms import get_algorithm
from .arguments import names
from .errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    KeySetError,
    KeyUseError,
    NoMatchingKeyError,
    UnsupportedAlgorithmError,
    UnsupportedKeyError,
)
from .jwk import fitting_algorithms, parse_json_members
from .key import Key

__all__ = ["KeySet", "as_key_set"]

_MOST_KEYS = 100


@final
class KeySet:
    """An immutable set of keys, in which every key identifier stands for one key.

    A set holds either secrets or asymmetric keys, never both: a public key that could be mistaken for a secret is
    how algorithm confusion begins.
    """

    __slots__ = ("_ignored", "_keys")

    def __init__(self, keys: Iterable[Key], *, ignored: Iterable[str] = ()) -> None:
        """Take the keys.

        Args:
            keys: The keys; at most 100.
            ignored: What was left out when the set was read, and why.

        Raises:
            KeySetError: If two keys have the same ``kid``, or secrets are mixed with asymmetric keys.
        """
        try:
            members = tuple(keys)
        except TypeError:
            raise ConfigurationError("A key set is made of keys.") from None
        if not all(isinstance(key, Key) for key in members):
            raise ConfigurationError(
                "A key set is made of Key objects; Key.from_jwk and its siblings make them."
            )
        if len(members) > _MOST_KEYS:
            raise KeySetError(f"A key set holds at most {_MOST_KEYS} keys.")
        _refuse_duplicates(members)
        _refuse_mixture(members)
        self._keys = members
        self._ignored = tuple(ignored)

    @classmethod
    def from_jwks(
        cls, jwks: Mapping[str, Any] | str | bytes, *, algorithms: Collection[str] | None = None
    ) -> KeySet:
        """Read a JWK Set.

        Keys of a type, curve or algorithm that is not in the table, or not among ``algorithms``, are left out, as
        RFC 7517 section 5 asks; ``ignored`` says which and why. Malformed, weak and contradictory keys are errors.

        Args:
            jwks: The set as a mapping or as JSON.
            algorithms: The only algorithms to take keys for. Where a key names none, it is pinned to the one of these
                that fits it. Deprecated algorithms are taken only if they are named here.

        Raises:
            KeySetError: If it is not a set, or its keys contradict each other.
            KeyImportError: If a key is malformed or weak.
            KeyUseError: If a key's ``use`` or ``key_ops`` contradict its ``alg``.
        """
        members = parse_json_members(jwks, "JWK Set")
        entries = members.get("keys")
        if not isinstance(entries, (list, tuple)) or len(entries) > _MOST_KEYS:
            raise KeySetError(f"A JWK Set has a member 'keys' with an array of at most {_MOST_KEYS} keys.")
        allowed = _named(algorithms)
        keys: list[Key] = []
        ignored: list[str] = []
        for position, entry in enumerate(entries):
            try:
                keys.append(_read(entry, allowed))
            except (UnsupportedAlgorithmError, UnsupportedKeyError) as error:
                ignored.append(f"Key {position}: {error.message}")
        return cls(keys, ignored=ignored)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Why entries were left out when the set was read."""
        return self._ignored

    def get(self, kid: str) -> Key | None:
        """Return the key with this identifier, or ``None``."""
        return next((key for key in self._keys if key.kid == kid), None)

    def to_jwks(self) -> dict[str, Any]:
        """Return the public JWK Set, for publication. Raises ``KeyUseError`` if the set holds secrets."""
        return {"keys": [key.to_jwk() for key in self._keys]}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeySet {list(self._keys)!r}>"

    def select(self, *, alg: str, kid: str | None) -> tuple[Key, ...]:
        """Return the keys that a header may mean: those of its ``kid``, and of these the ones for its ``alg``.

        A key without an identifier may be meant by any. The header chooses among trusted keys, never an algorithm
        for a key.

        Raises:
            NoMatchingKeyError: If no key has the identifier.
            AlgorithmMismatchError: If the keys that could be meant are for other algorithms.
        """
        named = self._named(kid)
        if not named:
            raise NoMatchingKeyError("No key has the identifier that the token's header names.", kid=kid)
        fitting = tuple(key for key in named if key.algorithm.header_name == alg)
        if not fitting:
            expected = tuple(sorted({key.algorithm.header_name for key in named}))
            raise AlgorithmMismatchError(
                f"The token's algorithm is not the one of the key ({' or '.join(expected)}).",
                alg=alg,
                expected=expected,
            )
        return fitting

    def _named(self, kid: str | None) -> tuple[Key, ...]:
        if kid is None:
            return self._keys
        exact = tuple(key for key in self._keys if key.kid == kid)
        return exact or tuple(key for key in self._keys if key.kid is None)


def as_key_set(keys: Key | KeySet) -> KeySet:
    """Take one key or a set. Raises ``ConfigurationError`` for anything else, such as bytes or an empty set."""
    if isinstance(keys, Key):
        return KeySet((keys,))
    if not isinstance(keys, KeySet):
        raise ConfigurationError(
            "Keys are given as a Key or a KeySet; Key.from_jwk and its siblings make them."
        )
    if not len(keys):
        raise ConfigurationError("The key set is empty, so that nothing could ever be accepted.")
    return keys


def _named(algorithms: Collection[str] | None) -> frozenset[str] | None:
    if algorithms is None:
        return None
    return frozenset(
        get_algorithm(name, named_by_caller=True).name for name in names(algorithms, "algorithms")
    )


def _read(entry: object, allowed: frozenset[str] | None) -> Key:
    """Read one entry. Raises ``Unsupported…Error`` for what is to be ignored."""
    if not isinstance(entry, Mapping):
        raise KeySetError("The 'keys' of a JWK Set must be objects.")
    stated = entry.get("alg")
    if allowed is None:
        return Key.from_jwk(entry)
    if stated is None:
        return Key.from_jwk(entry, alg=_only_fitting(entry, allowed))
    if isinstance(stated, str) and stated not in allowed:
        raise UnsupportedAlgorithmError("Its algorithm is not among those asked for.", alg=stated)
    return Key.from_jwk(entry, alg=stated)


def _only_fitting(entry: Mapping[str, Any], allowed: frozenset[str]) -> str:
    candidates = allowed.intersection(fitting_algorithms(entry.get("kty"), entry.get("crv")))
    fitting = sorted(name for name in candidates if _permits(entry, name))
    if not fitting:
        raise UnsupportedAlgorithmError("None of the algorithms asked for fits it.", alg=None)
    if len(fitting) > 1:
        raise KeySetError(
            f"A key without 'alg' fits several of the algorithms asked for ({', '.join(fitting)}): name one of them."
        )
    return fitting[0]


def _permits(entry: Mapping[str, Any], name: str) -> bool:
    """Tell whether the key's ``use`` and ``key_ops`` allow the algorithm."""
    algorithm = get_algorithm(name, named_by_caller=True)
    try:
        permissions.read_use(entry, algorithm)
        permissions.read_operations(entry, algorithm)
    except KeyUseError:
        return False
    return True


def _refuse_duplicates(keys: tuple[Key, ...]) -> None:
    kids = [key.kid for key in keys if key.kid is not None]
    if len(set(kids)) != len(kids):
        raise KeySetError("Two keys have the same 'kid': give each key an identifier of its own.")


def _refuse_mixture(keys: tuple[Key, ...]) -> None:
    if len({key.is_symmetric for key in keys}) > 1:
        raise KeySetError("Secrets and asymmetric keys must not be in one set: make two sets.")
