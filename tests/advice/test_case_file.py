"""A case as a file: what it may say, and that whatever is wrong is told in words and never a traceback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.advice.case_file import MOST_OCTETS, read_case, write_case
from coatcheck.advice.deciding import advise
from coatcheck.advice.errors import CaseError
from coatcheck.advice.model import Addresses, Case
from coatcheck.advice.questions import QUESTIONS
from tests.advice.cases import some_of_all

ONE = 'clients = ["browser"]\n'


def refused(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(CaseError) as caught:
        read_case(text.encode() if isinstance(text, str) else text)
    assert caught.value.code == "invalid_case"
    return caught.value.problems


def test_one_line_is_a_case() -> None:
    assert read_case(ONE.encode()) == Case(clients=("browser",))


def test_a_byte_order_mark_is_no_trouble() -> None:
    assert read_case(b"\xef\xbb\xbf" + ONE.encode()) == Case(clients=("browser",))


def test_what_is_written_is_read_again() -> None:
    addresses = Addresses(app="https://a.example", api="https://a.example:8443/v1/x_y")
    for number, case in enumerate(some_of_all(7919)):
        asked = Case(
            **{name: getattr(case, name) for name in case.__struct_fields__}
            | {"addresses": addresses if number % 2 else Addresses()}
        )
        assert read_case(write_case(asked).encode()) == asked


def test_what_is_written_shows_each_question_and_its_answers() -> None:
    text = write_case(Case(clients=("spa",)))
    for question in QUESTIONS:
        assert question.ask in text
        assert all(choice.value in text for choice in question.choices)


def test_the_order_of_several_does_not_matter() -> None:
    case = read_case(b'clients = ["agent", "browser"]\nverifiers = ["third-parties", "services"]')
    assert case.clients == ("browser", "agent")
    assert case.verifiers == ("services", "third-parties")


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "clients: name at least one of browser, spa, mobile, cli, machine, agent."),
        ("clients = []", "clients: name at least one of browser, spa, mobile, cli, machine, agent."),
        ('clients = "browser"', 'clients: write a list, as in ["browser"].'),
        ("clients = [1]", "clients: write a text in quotes: browser, spa, mobile, cli, machine, agent."),
        ('clients = ["browsers"]', "clients: browsers is none of the answers. Did you mean browser?"),
        (
            'clients = ["x"]',
            "clients: x is none of the answers. There is browser, spa, mobile, cli, machine, agent.",
        ),
        ('clients = ["spa", "spa"]', "clients: name each one once."),
        (f"clients = {['spa'] * 900}", "clients: name each one once."),
        (ONE + "verifiers = true", 'verifiers: write a list, as in ["services"].'),
        (ONE + 'client = ["spa"]', "client: there is no such answer. Did you mean clients?"),
        (ONE + 'SignOut = "at-once"', "SignOut: there is no such answer. Did you mean sign_out?"),
        (ONE + "zzz = 1", "zzz: there is no such answer."),
        (ONE + '"\\u001b[2J" = 1', "\\x1b[2J: there is no such answer."),
        (ONE + "sign_out = 5", "sign_out: write a text in quotes: at-once, a-minute, minutes, an-hour."),
        (ONE + 'sign_out = "at once"', "sign_out: at once is none of the answers. Did you mean at-once?"),
        (ONE + 'hidden = "no"', "hidden: write true or false, without quotes."),
        (ONE + "backend = 1", "backend: write true or false, without quotes."),
        (ONE + "hosts = 2026-01-01", "hosts: write a text in quotes: one, subdomains, domains."),
        (ONE + "addresses = 3", "addresses: write a table, [addresses], with app, server or api in it."),
        (ONE + "[addresses]\nap = ''", "addresses.ap: there is no such address. Did you mean app?"),
    ],
    ids=range(20),
)
def test_what_is_wrong_is_told_with_what_would_be_right(text: str, problem: str) -> None:
    assert refused(text) == (problem,)


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example",
        "https://app",
        "https://App.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?x=1",
        "https://app.example#x",
        "https://user@app.example",
        "https://app.example:0",
        "https://app.example\n",
        "https://app.example; rm -rf ~",
        'https://app.example" #',
        "https://-app.example",
        "https://" + "a" * 300 + ".example",
        "",
        "javascript:alert(1)",
    ],
    ids=range(16),
)
def test_an_address_that_could_be_read_differently_is_none(address: str) -> None:
    quoted = "".join(f"\\u{ord(letter):04x}" for letter in address)
    (problem,) = refused(f'{ONE}[addresses]\napp = "{quoted}"')
    assert problem.startswith("addresses.app: write an https address in small letters")


def test_an_address_is_a_text() -> None:
    assert refused(f"{ONE}[addresses]\napi = 3")[0].startswith("addresses.api: write an https address")


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(refused("hidden = 1\nbackend = 2\nx = 3")) == 4


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert read_case(ONE.encode() + b"#" * (MOST_OCTETS - len(ONE))) == Case(clients=("browser",))
    assert refused(ONE.encode() + b"#" * (MOST_OCTETS - len(ONE) + 1)) == (
        "The file has more than 65,536 octets.",
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\xfeclients",
        b"clients = ",
        b"x = " + b"[" * 60_000,
        b"x = " + b"9" * 60_000,
        b"\x00",
        b"x = 1\nx = 2",
        b"{}",
    ],
    ids=["utf-16", "half", "deep", "long number", "nul", "twice", "json"],
)
def test_what_is_no_toml_is_refused_in_a_line(octets: bytes) -> None:
    (problem,) = refused(octets)
    assert problem.startswith("The file is no")
    assert len(problem) < 160
    assert problem.isprintable()


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_whatever_the_file_holds_it_is_a_case_or_refused(octets: bytes) -> None:
    told = case_or_problems(octets)
    if isinstance(told, Case):
        assert told.clients
    else:
        assert all(problem.isprintable() for problem in told)


def case_or_problems(octets: bytes) -> Case | tuple[str, ...]:
    try:
        return read_case(octets)
    except CaseError as error:
        return error.problems


VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["browser", "one", "here", "x", "at-once"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([question.name for question in QUESTIONS]), VALUES, max_size=6))
def test_whatever_is_answered_it_is_a_case_or_refused(answers: dict[str, object]) -> None:
    lines = [f"{name} = {_toml(value)}" for name, value in answers.items()]
    told = case_or_problems("\n".join(lines).encode())
    assert isinstance(told, Case) or all(": " in problem for problem in told)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def test_addresses_on_several_hosts_are_not_one_host() -> None:
    text = ONE + '[addresses]\napp = "https://shop.example"\nserver = "https://id.example"\n'
    assert refused(text) == ('hosts: the addresses are on several hosts: write "subdomains" or "domains".',)
    assert read_case(f'hosts = "subdomains"\n{text}'.encode()).hosts == "subdomains"


def test_a_server_with_an_address_of_its_own_is_not_put_into_the_app() -> None:
    text = (
        'clients = ["spa"]\nhosts = "subdomains"\nframework = "fastapi"\n[addresses]\n'
        'app = "https://shop.example.org"\nserver = "https://id.example.org"\n'
    )
    advice = advise(read_case(text.encode()))
    assert 'base_url = "https://id.example.org"' in advice.configuration.toml()
    assert not any("Auth(app)" in each.text for each in advice.configuration.code)
