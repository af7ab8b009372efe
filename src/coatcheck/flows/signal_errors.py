"""What is refused about streams of security events.

::

    CoatcheckError
    └─ SignalError
       ├─ SecondStreamError              the service has a stream already (409)
       ├─ UnknownStreamError             the service has no such stream (404)
       ├─ InvalidStreamError             what is asked of a stream does not fit; ``field`` says where (400)
       ├─ UnknownSubjectError            no event is ever about such a subject (404)
       ├─ TooManySubjectsError           more subjects left out than a stream may have (403)
       └─ TooManyVerificationsError      asked again too soon; ``retry_after`` seconds (429)
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = [
    "InvalidStreamError",
    "SecondStreamError",
    "SignalError",
    "TooManySubjectsError",
    "TooManyVerificationsError",
    "UnknownStreamError",
    "UnknownSubjectError",
]


class SignalError(CoatcheckError):
    """Base of what is refused here."""

    code = "signal_error"


class SecondStreamError(SignalError):
    """A service has one stream, and this would be the second (SSF section 8.1.1.1)."""

    code = "stream_exists"

    def __init__(self) -> None:
        super().__init__("This service has a stream already. Read, change or delete that one.")


class UnknownStreamError(SignalError):
    """The service has no stream of that name. That another one may have is not told."""

    code = "unknown_stream"

    def __init__(self) -> None:
        super().__init__("This service has no such stream.")


class InvalidStreamError(SignalError):
    """What is asked of a stream does not fit.

    Attributes:
        field: The member that it is about.
    """

    code = "invalid_stream"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field: str = field


class UnknownSubjectError(SignalError):
    """No event of this server is ever about such a subject. Whether the user exists, it does not tell."""

    code = "unknown_subject"

    def __init__(self) -> None:
        super().__init__(
            "Events of this server are about users (iss_sub), sessions (opaque), and both (complex)."
        )


class TooManySubjectsError(SignalError):
    """A stream leaves out as many subjects as it may."""

    code = "too_many_subjects"

    def __init__(self) -> None:
        super().__init__("This stream leaves out as many subjects as it may.")


class TooManyVerificationsError(SignalError):
    """A verification was asked for too soon after the one before (SSF section 8.1.4.2).

    Attributes:
        retry_after: After how many seconds it may be asked for again.
    """

    code = "too_many_verifications"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("A verification was asked for a moment ago. Please wait.")
        self.retry_after: float = retry_after
