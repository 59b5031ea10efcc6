"""Laws of spreadsheet cells: none is a formula, numbers stay numbers, long numbers keep their digits."""

import duckdb
import pytest

from sql.spreadsheet import GUARD, guarded_column


@pytest.fixture(scope="module")
def guard():
    database = duckdb.connect()
    database.execute(GUARD)
    return lambda text: database.execute("SELECT guarded(?)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1+1",
        "-",
        "＝1+1",
        "＋1",
        "－1",
        "＠A1",
        "'=1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_starts_with_an_apostrophe(guard, text):
    assert guard(text) == "'" + text


@pytest.mark.parametrize(
    "text",
    ["-1", "+1", "-1.5", "-1e9", "3", "123456789012345", "", "first snow #winter", "#tag", "a=b", "тренд"],
)
def test_a_number_or_plain_text_is_unchanged(guard, text):
    assert guard(text) == text


@pytest.mark.parametrize(
    "text", ["7698971293886388232", "-7698971293886388232", "1234567890123456", "1234567890123456.5"]
)
def test_a_number_with_more_digits_than_a_spreadsheet_keeps_becomes_text(guard, text):
    assert guard(text) == "'" + text


def test_null_stays_null(guard):
    assert guard(None) is None


@pytest.mark.parametrize(
    ("column_type", "literal", "cell"),
    [
        ("BIGINT", "7698971293886388232", "'7698971293886388232"),
        ("BIGINT", "-1", "-1"),
        ("INTEGER", "-7", "-7"),
        ("DOUBLE", "-0.5", "-0.5"),
        ("DECIMAL(20,2)", "123456789012345678.25", "'123456789012345678.25"),
        ("VARCHAR", "'=1'", "'=1"),
        ("BLOB", "'=1'::BLOB", "'=1"),
        ("BLOB", r"'\xFF'::BLOB", "/w=="),
        ("VARCHAR[]", "['=1']", "['=1']"),
    ],
)
def test_every_column_type_has_a_safe_cell(column_type, literal, cell):
    with duckdb.connect() as database:
        database.execute(GUARD)
        column = guarded_column("c", column_type)
        assert database.execute(
            f"SELECT CAST({column} AS VARCHAR) FROM (SELECT {literal}::{column_type} AS c)"
        ).fetchall() == [(cell,)]
