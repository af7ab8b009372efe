"""A verifier that believes what it is told, for what no real one can be brought to say at will."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Self

from coatcheck.verifier import (
    InsufficientScopeError,
    InvalidTokenError,
    MalformedCredentialError,
    NotAuthenticatedError,
    NotReadyError,
    Principal,
    StaleViewError,
    StepUpNeededError,
    VerificationError,
)


def principal_of(subject: str, *scopes: str) -> Principal:
    return Principal(
        subject=subject,
        scopes=frozenset(scopes),
        client_id="tests",
        session_id="s",
        authenticated_at=None,
        methods=("pwd",),
        acr="aal1",
        expires_at=2e9,
        issued_at=1e9,
        token_id="t",
        claims={},
        via="bearer",
    )


class StandIn:
    """Knows a token of the form ``subject:scope:scope``, and refuses as its ``error`` says."""

    def __init__(self, issuer: str, *, audience: str, **_: Any) -> None:
        self.issuer = issuer
        self.audience = (audience,)
        self.started = 0
        self.error: VerificationError | None = None
        self.methods: list[str] = []
        self.waited = 0
        self.followed = 0

    async def __aenter__(self) -> Self:
        self.followed += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.followed -= 1

    def start(self) -> None:
        self.started += 1

    async def ready(self, timeout: float) -> None:  # noqa: ASYNC109 - as in the real one
        assert 0 < timeout <= 5
        self.waited += 1
        if isinstance(self.error, NotReadyError):
            raise self.error

    def authenticate(self, headers: Any, *, method: str = "GET") -> Principal | None:
        self.methods.append(method)
        if self.error is not None:
            raise self.error
        pairs: Iterable[tuple[Any, Any]] = headers.items() if isinstance(headers, Mapping) else headers
        for name, value in pairs:
            if _text(name).lower() == "authorization":
                scheme, _, token = _text(value).partition(" ")
                if not token:
                    raise MalformedCredentialError("Not in its form.")
                if scheme != "Bearer" or token == "bad":
                    raise InvalidTokenError("The token is not good.", reason="signature")
                subject, *scopes = token.split(":")
                return principal_of(subject, *(scope.replace(".", ":") for scope in scopes))
        return None

    def require(
        self,
        headers: Any,
        *,
        method: str = "GET",
        scopes: Iterable[str] = (),
        acr: Iterable[str] = (),
        max_age: timedelta | None = None,
    ) -> Principal:
        found = self.authenticate(headers, method=method)
        if found is None:
            raise NotAuthenticatedError
        if not found.scopes.issuperset(scopes):
            raise InsufficientScopeError(scopes=tuple(scopes))
        if acr and found.acr not in acr:
            age = None if max_age is None else int(max_age.total_seconds())
            raise StepUpNeededError("Sign in again.", acr_values=tuple(acr), max_age=age)
        return found

    async def authenticate_async(self, headers: Any, **options: Any) -> Principal | None:
        return self.authenticate(headers, **options)

    async def require_async(self, headers: Any, **options: Any) -> Principal:
        return self.require(headers, **options)


STALE = StaleViewError(age=12.0)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
