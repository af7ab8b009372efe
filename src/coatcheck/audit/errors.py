"""Why a file cannot be audited."""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = ["AuditError", "RecordingTooLargeError", "UnreadableRecordingError"]


class AuditError(CoatcheckError):
    """Base of what keeps an audit from being made."""

    code: ClassVar[str] = "audit_error"


class UnreadableRecordingError(AuditError):
    """The file is neither a recording, nor headers, nor a token."""

    code: ClassVar[str] = "unreadable_recording"


class RecordingTooLargeError(AuditError):
    """The file is larger than what is read, packed or unpacked."""

    code: ClassVar[str] = "recording_too_large"
