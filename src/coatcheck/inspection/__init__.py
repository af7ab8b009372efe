"""Looking into a token: reading, explaining, weighing, warning; and a verification told step by step.

Every part is a function from values to values. :func:`inspect` and :func:`read` verify nothing. A token that no
verifier would accept can still be shown, which is the point: so they read leniently, say what was wrong, and what they
return is good for nothing but reading. :func:`verify_in_steps` leaves the judgement to a verifier of
:mod:`coatcheck.jose` and tells how it went.
"""

from __future__ import annotations

from .._core.secret_encoding import SecretEncoding
from .errors import InspectionError, UnclearKeyError, UnreadableKeyError
from .key_text import KeyText, read_key_text
from .meanings import claim_meanings
from .model import Entry, Finding, HeaderView, Part, Reading, Report, Severity, Weight
from .reading import read
from .report import inspect
from .verification import Outcome, Step, verify_in_steps
from .weighing import LARGEST_COOKIE, LARGEST_HEADERS, SESSION_ID, weigh

__all__ = [
    "LARGEST_COOKIE",
    "LARGEST_HEADERS",
    "SESSION_ID",
    "Entry",
    "Finding",
    "HeaderView",
    "InspectionError",
    "KeyText",
    "Outcome",
    "Part",
    "Reading",
    "Report",
    "SecretEncoding",
    "Severity",
    "Step",
    "UnclearKeyError",
    "UnreadableKeyError",
    "Weight",
    "claim_meanings",
    "inspect",
    "read",
    "read_key_text",
    "verify_in_steps",
    "weigh",
]
