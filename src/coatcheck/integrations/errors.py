"""Every error that ``coatcheck.integrations`` raises.

::

    CoatcheckError
    └─ IntegrationError
       ├─ NoAuthError        a dependency is used in an application that knows of no ``Auth``
       └─ SecondAuthError    an application is given another ``Auth`` besides its first

Both are mistakes in a program, not in a request: they are raised to whoever writes it, and answer 500 to a visitor.
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = ["IntegrationError", "NoAuthError", "SecondAuthError"]


class IntegrationError(CoatcheckError):
    """Base of what is wrong about how a framework's application and Coatcheck were put together."""

    code = "integration_error"


class NoAuthError(IntegrationError):
    """A dependency was called in an application that has no ``Auth``."""

    code = "no_auth"

    def __init__(self) -> None:
        super().__init__(
            "This application has no Auth. Make one with Auth(app); if the route belongs to an application that is "
            "mounted in another, say auth.protect(mounted)."
        )


class SecondAuthError(IntegrationError):
    """The application has an ``Auth`` already."""

    code = "second_auth"

    def __init__(self) -> None:
        super().__init__("This application has an Auth already. One application has one.")
