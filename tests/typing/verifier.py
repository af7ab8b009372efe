"""What the type checkers must infer from ``coatcheck.verifier``. Checked, never run.

Each ignored error marks a misuse; both checkers complain when it is no longer an error.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, assert_type

from coatcheck.verifier import Metrics, Principal, Verifier, VerifierEvent


def hook(event: VerifierEvent) -> None:
    assert_type(event.entries, int)


verifier = Verifier(
    "https://id.example", audience="https://api.example", key="cck_key", cookies="session", on_event=hook
)
several = Verifier("https://id.example", audience=["a", "b"], max_staleness=timedelta(seconds=10))
verifier.start(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Verifier("https://id.example")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def verify(token: str) -> None:
    principal = verifier.verify(token)
    assert_type(principal, Principal)
    assert_type(principal.subject, str)
    assert_type(principal.scopes, frozenset[str])
    assert_type(principal.authenticated_at, float | None)
    assert_type(principal.claims, Mapping[str, Any])
    assert_type(principal.via, Literal["bearer", "cookie"])
    principal.subject = "eve"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    verifier.verify(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(verifier.metrics(), Metrics)


def require(headers: Mapping[str, str], raw: list[tuple[bytes, bytes]]) -> None:
    assert_type(verifier.authenticate(headers), Principal | None)
    assert_type(verifier.authenticate(raw, method="POST"), Principal | None)
    assert_type(verifier.require(raw, scopes=["read"], acr=("aal2",), max_age=60), Principal)


async def require_async(raw: list[tuple[bytes, bytes]]) -> None:
    async with several as entered:
        assert_type(entered, Verifier)
        await entered.ready()
        assert_type(await entered.require_async(raw, max_age=timedelta(minutes=5)), Principal)
        assert_type(await entered.authenticate_async(raw), Principal | None)
