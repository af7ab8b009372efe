"""Which message belongs to which field, and which of them gets the focus."""

from __future__ import annotations

import msgspec

from .views import View

__all__ = ["FormState", "ShownError", "form_state"]

SUMMARY = "errors"


class ShownError(msgspec.Struct, frozen=True):
    """A line of a form's summary of errors.

    Attributes:
        message: What it says.
        target: The ``id`` of the field to lead to, or ``""``.
    """

    message: str
    target: str


class FormState(msgspec.Struct, frozen=True, kw_only=True):
    """A form as its template needs it.

    Attributes:
        prefix: What the ``id`` of each of its fields begins with.
        errors: All that is wrong, in order.
        by_field: The first message of each field that is wrong.
        focus: The name of the field that gets the focus, ``"errors"`` for the summary, ``""`` for none.
        explained: The name of a field that the summary explains although it belongs to no field, or ``""``.
    """

    prefix: str
    errors: tuple[ShownError, ...]
    by_field: dict[str, str]
    focus: str
    explained: str

    def id_of(self, name: str) -> str:
        """Return the ``id`` of a field."""
        return self.prefix + name


def form_state(view: View, fields: list[str], *, form: str = "", general: str = "") -> FormState:
    """Sort the errors of a view into one of its forms.

    Args:
        view: The view.
        fields: The names of the fields that can be seen.
        form: Which form, on a page with several. A page with one form takes all errors.
        general: The field to fill again after an error that names none; ``""`` to focus the summary.
    """
    prefix = f"{form}-" if form else ""
    ours = [error for error in view.errors if not form or error.form == form]
    known = [error.field if error.field in fields else "" for error in ours]
    shown = tuple(
        ShownError(error.message, prefix + field if field else "")
        for error, field in zip(ours, known, strict=True)
    )
    by_field: dict[str, str] = {}
    for error, field in zip(ours, known, strict=True):
        if field:
            by_field.setdefault(field, error.message)
    first = bool(ours) and ours[0] is view.errors[0]
    return FormState(
        prefix=prefix,
        errors=shown,
        by_field=by_field,
        focus=(known[0] or general or SUMMARY) if first else "",
        explained=general if ours and not known[0] else "",
    )
