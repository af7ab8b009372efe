"""What the management of clients, APIs, roles and permissions refuses.

::

    FlowError
    ├─ InvalidAPIError          an audience, a scope, an algorithm or a lifetime that no API can have
    ├─ APITakenError            there is an API of that audience already
    ├─ UnknownAPIError          there is none
    ├─ InvalidRoleError         a name that no role can have
    ├─ RoleTakenError           there is a role of that name already
    ├─ UnknownRoleError         there is none
    ├─ InvalidPermissionError   a scope that the API does not have, or a holder who cannot have it
    ├─ InvalidInitialAccessTokenError   a name, a number of uses or a lifetime that no such token can have
    └─ UnknownInitialAccessTokenError   there is none
"""

from __future__ import annotations

from ..errors import FlowError

__all__ = [
    "APITakenError",
    "InvalidAPIError",
    "InvalidInitialAccessTokenError",
    "InvalidPermissionError",
    "InvalidProfileError",
    "InvalidRoleError",
    "RoleTakenError",
    "UnknownAPIError",
    "UnknownInitialAccessTokenError",
    "UnknownRoleError",
]


class InvalidAPIError(FlowError):
    """What an API is to be like is not possible.

    Attributes:
        field: What of it.
    """

    code = "invalid_api"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field: str = field


class APITakenError(FlowError):
    """There is an API of that audience already."""

    code = "api_taken"

    def __init__(self) -> None:
        super().__init__("There is an API with this audience already.")


class UnknownAPIError(FlowError):
    """There is no API of that audience."""

    code = "unknown_api"

    def __init__(self) -> None:
        super().__init__("There is no API with this audience.")


class InvalidRoleError(FlowError):
    """A name or a description that no role can have.

    Attributes:
        field: Which of them.
    """

    code = "invalid_role"

    def __init__(self, message: str, *, field: str = "name") -> None:
        super().__init__(message)
        self.field: str = field


class RoleTakenError(FlowError):
    """There is a role of that name already."""

    code = "role_taken"

    def __init__(self) -> None:
        super().__init__("There is a role of this name already.")


class UnknownRoleError(FlowError):
    """There is no role of that name."""

    code = "unknown_role"

    def __init__(self) -> None:
        super().__init__("There is no role of this name.")


class InvalidPermissionError(FlowError):
    """A permission that cannot be given.

    Attributes:
        field: What of it.
    """

    code = "invalid_permission"

    def __init__(self, message: str, *, field: str = "scope") -> None:
        super().__init__(message)
        self.field: str = field


class InvalidInitialAccessTokenError(FlowError):
    """What an initial access token is to be like is not possible.

    Attributes:
        field: What of it.
    """

    code = "invalid_initial_access_token"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field: str = field


class UnknownInitialAccessTokenError(FlowError):
    """There is no initial access token of that identifier."""

    code = "unknown_initial_access_token"

    def __init__(self) -> None:
        super().__init__("There is no initial access token of this identifier.")


class InvalidProfileError(FlowError):
    """Something that a user said of themselves cannot be so.

    Attributes:
        field: The claim.
    """

    code = "invalid_profile"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field: str = field
