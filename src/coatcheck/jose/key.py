"""A key, pinned for life to one algorithm (RFC 8725 section 3.1: each key with exactly one)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn, final

from .._core import base64url, json
from .._core.entropy import random_bytes
from . import key_types, permissions
from .algorithms import (
    KeyEncryption,
    Sign,
    SignatureAlgorithm,
    Verify,
    WrappedKey,
    get_algorithm,
)
from .errors import ConfigurationError, KeyUseError
from .generation import generate_material
from .jwk import fitting_algorithms, parse_jwk, pinned_algorithm
from .key_types import KeyMaterial
from .secret_strength import check_password, check_secret

__all__ = ["Key", "the_key"]

_RANDOM_KID_SIZE = 16
_THUMBPRINT_HASHES = ("sha256", "sha384", "sha512")

Algorithm = SignatureAlgorithm | KeyEncryption


@final
class Key:
    """A secret, a private key or a public key, for one algorithm. Immutable; its ``repr`` shows no secret.

    Make one with ``generate``, ``from_jwk``, ``from_pem``, ``from_der``, ``from_secret`` or ``from_password``.

    Attributes:
        sign: ``(octets) -> signature``: the bare operation of the algorithm, without any token around it.
        verify: ``(octets, signature) -> None``: raises ``InvalidSignatureError``.
        encrypt_key: Makes and wraps a content encryption key; what ``jwe.encrypt`` calls.
        decrypt_key: Unwraps a content encryption key; what ``jwe.decrypt`` calls.

    What the key is not for raises ``KeyUseError`` when called, and says why.
    """

    __slots__ = (
        "_algorithm",
        "_kid",
        "_material",
        "_operations",
        "decrypt_key",
        "encrypt_key",
        "sign",
        "verify",
    )

    sign: Sign
    verify: Verify
    encrypt_key: Callable[..., WrappedKey]
    decrypt_key: Callable[..., bytes]

    def __init__(
        self,
        algorithm: Algorithm,
        material: KeyMaterial,
        *,
        kid: str | None = None,
        operations: frozenset[str] | None = None,
    ) -> None:
        """Not for direct use: the class methods check what this takes for granted."""
        if kid is not None and not isinstance(kid, str):
            raise ConfigurationError("The key identifier 'kid' must be a string.")
        _check_fit(algorithm, material)
        self._algorithm = algorithm
        self._material = material
        self._kid = kid
        self._operations = operations
        self._bind()

    def _bind(self) -> None:
        """Bind each operation to the work or to a refusal, so that no use has to ask again."""
        algorithm, private = self._algorithm, self._material.private
        public = private if self.is_symmetric else self._material.public
        for_signatures = isinstance(algorithm, SignatureAlgorithm)
        kind, other = ("signatures", "encryption") if for_signatures else ("encryption", "signatures")
        wrong = permissions.refusal(f"This is a key for {kind} ({algorithm.name}), not for {other}.")
        no_private, no_public = self._why_not("private"), self._why_not("public")
        if isinstance(algorithm, SignatureAlgorithm):
            self.encrypt_key = self.decrypt_key = wrong
            self.sign = permissions.refusal(no_private) if no_private else algorithm.signer(private)
            self.verify = permissions.refusal(no_public) if no_public else algorithm.verifier(public)
        else:
            self.sign = self.verify = wrong
            decrypt, encrypt = _bound(algorithm.decrypt_key, private), _bound(algorithm.encrypt_key, public)
            self.decrypt_key = permissions.refusal(no_private) if no_private else decrypt
            self.encrypt_key = permissions.refusal(no_public) if no_public else encrypt

    def _why_not(self, side: Literal["private", "public"]) -> str | None:
        """Say why the key cannot do what its algorithm does on one side, or ``None`` if it can."""
        if side == "public":
            return permissions.why_not_public(self._algorithm, self._operations)
        return permissions.why_not_private(self._algorithm, self._operations, has_private=self.is_private)

    # Facts

    @property
    def alg(self) -> str:
        """The algorithm's registered name. A secret for direct encryption has the name of its ``enc``."""
        return self._algorithm.name

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm's row in the table."""
        return self._algorithm

    @property
    def kid(self) -> str | None:
        """The key identifier, or ``None``."""
        return self._kid

    @property
    def kty(self) -> str:
        """The key type, one of ``oct``, ``RSA``, ``EC``, ``OKP`` and ``AKP``."""
        return self._material.kty

    @property
    def crv(self) -> str | None:
        """The curve, or ``None`` where the key type has none."""
        return self._material.crv if self.kty in {"EC", "OKP"} else None

    @property
    def size(self) -> int:
        """The size in bits of the secret, the RSA modulus, the curve, or the ML-DSA public key."""
        return self._material.bits

    @property
    def use(self) -> Literal["sig", "enc"]:
        """What the key is for, ``sig`` or ``enc`` (RFC 7517 section 4.2)."""
        return self._algorithm.use

    @property
    def is_symmetric(self) -> bool:
        """Whether the key is a secret that both sides hold."""
        return self._material.public is None

    @property
    def is_private(self) -> bool:
        """Whether the key must be kept secret, as a private key or any symmetric one."""
        return self._material.private is not None

    def allows(self, operation: Literal["sign", "verify", "encrypt", "decrypt"]) -> bool:
        """Tell whether the key's algorithm, parts, ``use`` and ``key_ops`` allow the operation."""
        use = "sig" if operation in ("sign", "verify") else "enc"
        side: Literal["private", "public"] = "private" if operation in ("sign", "decrypt") else "public"
        return use == self.use and self._why_not(side) is None

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, name):
            raise AttributeError("A key cannot be changed.")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError("A key cannot be changed.")

    def __repr__(self) -> str:
        kind = "secret" if self.is_symmetric else "private" if self.is_private else "public"
        return f"<Key {self.alg} {kind} kid={self._kid!r}>"

    # Making and reading

    @classmethod
    def generate(
        cls, alg: str, *, kid: str | None = None, crv: str | None = None, bits: int | None = None
    ) -> Key:
        """Make a new key.

        Args:
            alg: The algorithm, for example ``"ES256"``, ``"Ed25519"``, ``"HS256"`` or ``"ECDH-ES+A256KW"``.
            kid: The identifier. Without one: the RFC 7638 thumbprint, or 128 random bits for a secret.
            crv: The curve, for the algorithms that allow several; P-256 unless given.
            bits: The size, for RSA only; 3072 unless given (128-bit security), at least 2048.

        Raises:
            UnsupportedAlgorithmError: If the algorithm is not in the table.
            ConfigurationError: If ``crv`` or ``bits`` do not go with the algorithm.
        """
        algorithm = get_algorithm(alg, named_by_caller=True)
        key = cls(algorithm, generate_material(algorithm, crv=crv, bits=bits), kid=kid)
        return key if kid is not None else key.with_kid(key._default_kid())

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any] | str | bytes, *, alg: str | None = None) -> Key:
        """Read a JWK (RFC 7517).

        Args:
            jwk: The key as a mapping or as JSON.
            alg: The algorithm to pin it to. Needed if the JWK has no ``alg``; if both are there, they must agree.
                A deprecated algorithm (``EdDSA``, ``RSA1_5``) must be named here.

        Raises:
            KeyImportError: If the JWK is malformed, its parts do not belong together, or (``WeakKeyError``,
                ``UnsupportedKeyError``) it must not or cannot be used.
            KeyUseError: If its ``alg``, ``use``, ``key_ops`` or type are for something else.
            UnsupportedAlgorithmError: If the algorithm is not in the table.
        """
        members = parse_jwk(jwk)
        algorithm = pinned_algorithm(members, alg)
        permissions.read_use(members, algorithm)
        operations = permissions.read_operations(members, algorithm)
        return cls(algorithm, key_types.load(members), kid=members.get("kid"), operations=operations)

    @classmethod
    def from_pem(
        cls, data: str | bytes, alg: str, *, kid: str | None = None, password: str | bytes | None = None
    ) -> Key:
        """Read a PEM text: PKCS#8 (encrypted or not), SEC 1, PKCS#1, SubjectPublicKeyInfo or an X.509 certificate.

        A certificate only serves as the envelope of its public key: neither its dates nor its signature are checked.

        Raises:
            KeyImportError: If it cannot be read, or must not be used (``WeakKeyError``).
            KeyUseError: If the key does not fit the algorithm.
            UnsupportedAlgorithmError: If the algorithm is not in the table.
        """
        algorithm = get_algorithm(alg, named_by_caller=True)
        return cls(algorithm, key_types.adopt(_key_files().read_pem(data, password=password)), kid=kid)

    @classmethod
    def from_der(
        cls, data: bytes, alg: str, *, kid: str | None = None, password: str | bytes | None = None
    ) -> Key:
        """Read a DER file of the same kinds as ``from_pem`` does, with the same errors."""
        algorithm = get_algorithm(alg, named_by_caller=True)
        return cls(algorithm, key_types.adopt(_key_files().read_der(data, password=password)), kid=kid)

    @classmethod
    def from_secret(cls, secret: bytes, alg: str, *, kid: str | None = None) -> Key:
        """Take random octets as a shared secret.

        Args:
            secret: The octets. At least as long as the hash for HMAC; exactly as long as the algorithm asks for AES.
            alg: ``HS256`` …, ``A256KW`` …, ``A256GCMKW`` …, or an ``enc`` such as ``A256GCM`` for direct encryption.
            kid: The identifier.

        Raises:
            WeakKeyError: If it is too short, or is in truth a public key, a PEM text or a JWK.
            KeyUseError: If the algorithm does not take a secret of this size.
            UnsupportedAlgorithmError: If the algorithm is not in the table.
        """
        algorithm = get_algorithm(alg, named_by_caller=True)
        check_secret(secret)
        return cls(algorithm, key_types.secret_material(secret), kid=kid)

    @classmethod
    def from_password(
        cls, password: str | bytes, alg: str = "PBES2-HS512+A256KW", *, kid: str | None = None
    ) -> Key:
        """Take a password for PBES2 encryption (RFC 7518 section 4.8). For HMAC a password is never strong enough.

        Raises:
            WeakKeyError: If it is shorter than 8 octets.
            KeyUseError: If the algorithm is not one of PBES2.
        """
        algorithm = get_algorithm(alg, named_by_caller=True)
        if not algorithm.takes_password:
            raise KeyUseError(
                f"{algorithm.name} takes random octets, not a password: Key.generate makes some."
            )
        return cls(algorithm, key_types.secret_material(check_password(password)), kid=kid)

    def public(self) -> Key:
        """Return the public half, for the other side. Raises ``KeyUseError`` for a secret, which has none."""
        if self.is_symmetric:
            raise KeyUseError("A symmetric key has no public half; whoever verifies with it can also sign.")
        material = KeyMaterial(
            kty=self.kty,
            crv=self._material.crv,
            bits=self._material.bits,
            private=None,
            public=self._material.public,
        )
        operations = permissions.public_operations(self._operations)
        return Key(self._algorithm, material, kid=self._kid, operations=operations)

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def __reduce__(self) -> NoReturn:
        raise KeyUseError("Keys are not pickled: write them with to_jwk() or to_private_jwk().")

    def with_kid(self, kid: str | None) -> Key:
        """Return the same key under another identifier, or under none."""
        return Key(self._algorithm, self._material, kid=kid, operations=self._operations)

    # Writing

    def to_jwk(self) -> dict[str, Any]:
        """Return the public JWK. Raises ``KeyUseError`` for a secret, which has none."""
        if self.is_symmetric:
            raise KeyUseError(
                "A symmetric key has no public form. to_private_jwk() writes the secret itself."
            )
        operations = permissions.public_operations(self._operations)
        return self._described(key_types.public_members(self._material), operations)

    def to_private_jwk(self) -> dict[str, Any]:
        """Return the JWK with the private parts. Raises ``KeyUseError`` if there are none."""
        self._need_private()
        return self._described(key_types.private_members(self._material), self._operations)

    def to_pem(self) -> bytes:
        """Return the public key as a PEM text. Raises ``KeyUseError`` for a secret."""
        octets: bytes = _key_files().write_public(self._need_asymmetric(), pem=True)
        return octets

    def to_der(self) -> bytes:
        """Return the public key in DER. Raises ``KeyUseError`` for a secret."""
        octets: bytes = _key_files().write_public(self._need_asymmetric(), pem=False)
        return octets

    def to_private_pem(self, *, password: str | bytes | None = None) -> bytes:
        """Return the private key as PKCS#8 in PEM, encrypted if a password is given."""
        self._need_asymmetric()
        octets: bytes = _key_files().write_private(self._need_private(), pem=True, password=password)
        return octets

    def to_private_der(self, *, password: str | bytes | None = None) -> bytes:
        """Return the private key as PKCS#8 in DER, encrypted if a password is given."""
        self._need_asymmetric()
        octets: bytes = _key_files().write_private(self._need_private(), pem=False, password=password)
        return octets

    def thumbprint(self, hash: Literal["sha256", "sha384", "sha512"] = "sha256") -> str:  # noqa: A002
        """Return the JWK thumbprint (RFC 7638) in base64url. Of a secret it must be kept as secret as the key."""
        if hash not in _THUMBPRINT_HASHES:
            raise ConfigurationError(f"A thumbprint is made with one of {', '.join(_THUMBPRINT_HASHES)}.")
        members = (
            key_types.private_members(self._material)
            if self.is_symmetric
            else key_types.public_members(self._material)
        )
        names = key_types.KEY_TYPES[self.kty].thumbprint_members
        digest = hashlib.new(hash, json.encode({name: members[name] for name in names}))
        return base64url.encode(digest.digest())

    def thumbprint_uri(self, hash: Literal["sha256", "sha384", "sha512"] = "sha256") -> str:  # noqa: A002
        """Return the thumbprint as a URI (RFC 9278)."""
        thumbprint = self.thumbprint(hash)
        return f"urn:ietf:params:oauth:jwk-thumbprint:sha-{hash[3:]}:{thumbprint}"

    def _described(self, members: dict[str, str], operations: frozenset[str] | None) -> dict[str, Any]:
        described: dict[str, Any] = {**members, "alg": self.alg}
        if operations is None:
            described["use"] = self.use
        else:
            described["key_ops"] = sorted(operations)
        if self._kid is not None:
            described["kid"] = self._kid
        return described

    def _default_kid(self) -> str:
        return base64url.encode(random_bytes(_RANDOM_KID_SIZE)) if self.is_symmetric else self.thumbprint()

    def _need_asymmetric(self) -> Any:
        if self.is_symmetric:
            raise KeyUseError(
                "A symmetric key has no PEM or DER form. to_private_jwk() writes the secret itself."
            )
        return self._material.public

    def _need_private(self) -> Any:
        if self._material.private is None:
            raise KeyUseError("This is a public key; it has no private part to write.")
        return self._material.private


def _key_files() -> Any:
    from . import key_files  # noqa: PLC0415 - see there

    return key_files


def _bound(operation: Callable[..., Any], key: Any) -> Callable[..., Any]:
    """Bind an operation to a key. Not with ``functools.partial``, whose ``repr`` would show a secret."""

    def bound(*arguments: Any, **options: Any) -> Any:
        return operation(key, *arguments, **options)

    return bound


def _check_fit(algorithm: Algorithm, material: KeyMaterial) -> None:
    """Refuse a key of the wrong type, curve or size for the algorithm (RFC 7518, RFC 8725 section 3.5)."""
    name = algorithm.name
    if material.kty not in algorithm.key_types:
        fitting = ", ".join(fitting_algorithms(material.kty, material.crv))
        raise KeyUseError(f"A key of type {material.kty} cannot be used for {name}. It fits: {fitting}.")
    if algorithm.curves and material.crv not in algorithm.curves:
        raise KeyUseError(f"{name} needs a key on {' or '.join(algorithm.curves)}, not on {material.crv}.")
    algorithm.check_size(material.bits)


def the_key(key: object) -> Key:
    """Return what must be one key. Raises ``ConfigurationError`` if it is anything else, such as bytes or a set."""
    if not isinstance(key, Key):
        raise ConfigurationError(
            "The key must be a Key; Key.generate, Key.from_jwk and their siblings make them."
        )
    return key
