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
    KeyImportError,
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
    def _of_one(cls, key: Key) -> KeySet:
        """Make the set of a single key, which can contradict nothing."""
        single = cls.__new__(cls)
        single._keys, single._ignored = (key,), ()  # noqa: SLF001 - its own
        return single

    @classmethod
    def from_jwks(
        cls,
        jwks: Mapping[str, Any] | str | bytes,
        *,
        algorithms: Collection[str] | None = None,
        ignore_invalid: bool = False,
    ) -> KeySet:
        """Read a JWK Set.

        Keys of a type, curve or algorithm that is not in the table, or not among ``algorithms``, are left out, as
        RFC 7517 section 5 asks; ``ignored`` says which and why. Malformed and weak keys are errors that name the key.

        Args:
            jwks: The set as a mapping or as JSON.
            algorithms: The only algorithms to take keys for. Where a key names none, it is pinned to the one of these
                that fits it. Deprecated algorithms are taken only if they are named here.
            ignore_invalid: Whether to leave out malformed and weak keys as well, and go on with the others. Good for
                sets that somebody else publishes.

        Raises:
            KeySetError: If it is not a set, or its keys contradict each other.
            KeyImportError: If a key is malformed or weak, or names no algorithm and ``algorithms`` is not given.
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
                ignored.append(f"{_place(position, entry)}: {error.message}")
            except (KeyImportError, KeyUseError, KeySetError) as error:
                message = f"{_place(position, entry)}: {error.message}"
                if not ignore_invalid:
                    raise type(error)(message) from None
                ignored.append(message)
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
            known = ", ".join(ascii(key.kid) for key in self._keys)
            raise NoMatchingKeyError(
                "No key has the identifier that the token's header names.",
                kid=kid,
                detail=f"kid is {ascii(kid)[:80]}, known are {known[:200]}",
            )
        fitting = tuple(key for key in named if key.algorithm.header_name == alg)
        if not fitting:
            raise _wrong_algorithm(alg, named)
        return fitting

    def _named(self, kid: str | None) -> tuple[Key, ...]:
        if kid is None:
            return self._keys
        exact = tuple(key for key in self._keys if key.kid == kid)
        return exact or tuple(key for key in self._keys if key.kid is None)


def as_key_set(keys: Key | KeySet) -> KeySet:
    """Take one key or a set. Raises ``ConfigurationError`` for anything else, such as bytes or an empty set."""
    if isinstance(keys, Key):
        return KeySet._of_one(keys)  # noqa: SLF001 - nothing to check
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


def _place(position: int, entry: object) -> str:
    kid = entry.get("kid") if isinstance(entry, Mapping) else None
    return f"Key {position}" if not isinstance(kid, str) else f"Key {position} ({kid[:64]!a})"


def _read(entry: object, allowed: frozenset[str] | None) -> Key:
    """Read one entry. Raises ``Unsupported…Error`` for what is to be ignored."""
    if not isinstance(entry, Mapping):
        raise KeySetError("The 'keys' of a JWK Set must be objects.")
    stated = entry.get("alg")
    if stated is None:
        return Key.from_jwk(entry, alg=_only_fitting(entry, allowed))
    if allowed is None:
        return Key.from_jwk(entry)
    if isinstance(stated, str) and stated not in allowed:
        raise UnsupportedAlgorithmError("Its algorithm is not among those asked for.", alg=stated)
    return Key.from_jwk(entry, alg=stated)


def _only_fitting(entry: Mapping[str, Any], allowed: frozenset[str] | None) -> str | None:
    """Return the algorithm that is meant by a key that names none; ``None`` if reading it will tell what is wrong."""
    possible = fitting_algorithms(entry.get("kty"), entry.get("crv"))
    if allowed is None:
        if not possible:
            return None
        raise KeyImportError(
            f"It names no algorithm. Say which you expect, with algorithms=[...]; it fits {', '.join(possible)}."
        )
    candidates = allowed.intersection(possible)
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
    named: dict[str, Key] = {}
    for key in keys:
        if key.kid is None:
            continue
        other = named.setdefault(key.kid, key)
        if other is not key and not _are_one(key, other):
            raise KeySetError("Two keys have the same 'kid': give each key an identifier of its own.")


def _are_one(key: Key, other: Key) -> bool:
    """Tell whether it is one key under two names of one algorithm (``EdDSA`` and ``Ed25519``)."""
    return key.alg in other.algorithm.aliases and key.thumbprint() == other.thumbprint()


def _refuse_mixture(keys: tuple[Key, ...]) -> None:
    if len({key.is_symmetric for key in keys}) > 1:
        raise KeySetError("Secrets and asymmetric keys must not be in one set: make two sets.")


def _wrong_algorithm(alg: str, keys: tuple[Key, ...]) -> AlgorithmMismatchError:
    expected = tuple(sorted({key.algorithm.header_name for key in keys}))
    message = f"The token's algorithm is not the one of the key ({' or '.join(expected)})."
    old_name = next((key for key in keys if alg in key.algorithm.aliases), None)
    if old_name is not None:
        message += f" It is another name for it: to accept that, read the key with alg={alg!r}."
    return AlgorithmMismatchError(
        message,
        alg=alg,
        expected=expected,
        detail=f"alg is {ascii(alg)[:80]}, expected {', '.join(expected)}",
    )
