"""What the page of the checklist claims is tested, and the page says what the table of rows says."""

import pytest

from tests.asvs.table import CHAPTERS, PAGE, count_tests, marked_rows, read_rows, render


def test_every_row_that_holds_has_a_test() -> None:
    tested = count_tests()
    assert [row.id for row in read_rows() if row.needs_test and not tested[row.id]] == []


def test_every_mark_names_a_row_that_claims_to_hold() -> None:
    claimed = {row.id for row in read_rows() if row.needs_test}
    assert set(count_tests()) - claimed == set()


def test_the_rows_are_in_order_each_of_them_once() -> None:
    ids = [row.id for row in read_rows()]
    assert ids == sorted(set(ids), key=lambda row: [int(part) for part in row.split(".")])
    assert {row.partition(".")[0] for row in ids} == set(CHAPTERS)


def test_every_row_says_why() -> None:
    for row in read_rows():
        assert row.note.endswith(".")
        assert not row.wording.endswith(".")
        assert len(row.wording) < 80


def test_the_page_says_what_the_rows_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(read_rows()), "run: python -m tests.asvs.table"


@pytest.mark.parametrize(
    "source, rows",
    [
        ('@pytest.mark.asvs("1.2.3")\ndef test_it(): ...', ["1.2.3"]),
        ('@mark.asvs("1.2.3")\n@mark.asvs("4.5.6")\nasync def test_it(): ...', ["1.2.3", "4.5.6"]),
        ('@pytest.mark.asvs("1.2.3")\nclass TestIt: ...', ["1.2.3"]),
        ('asvs("1.2.3")\n@pytest.mark.other("4.5.6")\ndef test_it(): ...', []),
    ],
)
def test_marks_are_found(source: str, rows: list[str]) -> None:
    assert list(marked_rows(source)) == rows
