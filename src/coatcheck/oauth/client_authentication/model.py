"""What a request says of its client, before and after it was taken apart."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Assertion", "Credentials", "Name", "Proof", "Secret"]


class Credentials(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came with a request. Nothing of it was looked at; what was empty is ``None``.

    Attributes:
        authorization: The value of the ``Authorization`` header.
        client_id: The parameter.
        client_secret: The parameter (RFC 6749 section 2.3.1).
        client_assertion: The parameter (RFC 7521 section 4.2).
        client_assertion_type: The parameter, likewise.
    """

    authorization: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    client_assertion: str | None = None
    client_assertion_type: str | None = None

    def __repr__(self) -> str:
        return "<Credentials>"

    @property
    def are_none(self) -> bool:
        """Whether the request says nothing of a client."""
        return (
            self.client_id is None
            and self.authorization is None
            and self.client_secret is None
            and self.client_assertion is None
            and self.client_assertion_type is None
        )


class Secret(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A secret that was presented.

    Attributes:
        client_id: Whose it is said to be.
        secret: It.
        method: In which place.
    """

    client_id: str
    secret: str
    method: Literal["client_secret_basic", "client_secret_post"]

    def __repr__(self) -> str:
        return f"<Secret by {self.method}>"


class Assertion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A JWT that was presented. What is said here is what it says of itself: no signature was verified.

    Attributes:
        client_id: Its ``sub``.
        algorithm: Its ``alg``.
        typ: Its ``typ``, if it states one.
        kid: Its ``kid``, if it names a key.
        token: It.
        method: The method that the algorithm belongs to.
    """

    client_id: str
    algorithm: str
    typ: str | None
    kid: str | None
    token: str
    method: Literal["client_secret_jwt", "private_key_jwt"]

    def __repr__(self) -> str:
        return f"<Assertion by {self.method}>"


class Name(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A ``client_id`` alone, as public clients send it.

    Attributes:
        client_id: It.
        method: ``none``.
    """

    client_id: str
    method: Literal["none"] = "none"


Proof = Secret | Assertion | Name
"""What a request presents: exactly one of these."""
