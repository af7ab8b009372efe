from coatcheck.web.pages.forms import form_state
from coatcheck.web.pages.views import FormError, SignInView


def test_the_first_message_of_a_field_stands_at_the_field_and_all_stand_in_the_summary() -> None:
    errors = tuple(FormError(field="password", message=message) for message in ("Short.", "Common."))
    state = form_state(SignInView(errors=errors), ["email", "password"])
    assert state.by_field == {"password": "Short."}
    assert [error.message for error in state.errors] == ["Short.", "Common."]
    assert state.focus == "password"


def test_an_error_about_a_field_that_is_not_there_is_about_the_whole_form() -> None:
    state = form_state(SignInView(errors=(FormError(field="nickname", message="No."),)), ["email"])
    assert [error.target for error in state.errors] == [""]
    assert state.focus == "errors"


def test_a_form_takes_only_its_own_errors_and_only_the_first_error_gets_the_focus() -> None:
    view = SignInView(
        errors=(
            FormError(form="email", field="new_email", message="No."),
            FormError(form="password", field="new_password", message="Short."),
        )
    )
    email = form_state(view, ["new_email"], form="email")
    password = form_state(view, ["new_password"], form="password")
    assert (email.focus, password.focus) == ("new_email", "")
    assert [error.target for error in password.errors] == ["password-new_password"]
    assert password.id_of("new_password") == "password-new_password"


def test_an_error_that_names_no_field_can_lead_to_the_one_to_fill_again() -> None:
    view = SignInView(errors=(FormError(message="Wrong."),))
    state = form_state(view, ["email", "password"], general="password")
    assert (state.focus, state.explained) == ("password", "password")
    assert form_state(SignInView(), ["password"], general="password").explained == ""
