"""Laws of spreadsheet cells: what a spreadsheet would change or run is a formula that shows the text."""

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sql.spreadsheet import GUARD, LONGEST_FORMULA, guarded_column, is_text


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        connection.execute(GUARD)
        yield connection


@pytest.fixture(scope="module")
def guard(database):
    return lambda text: database.execute("SELECT guarded(?)", [text]).fetchall()[0][0]


def result_of(formula: str) -> str:
    """Return the text that a formula of texts and CHAR() makes; fails for any other."""
    assert re.fullmatch(r'=(("([^"]|"")*"|CHAR\((10|13)\))(&|$))+', formula), formula
    parts = re.findall(r'"((?:[^"]|"")*)"|CHAR\((10|13)\)', formula)
    return "".join(chr(int(code)) if code else text.replace('""', '"') for text, code in parts)


@pytest.mark.parametrize(
    "text",
    [
        *(
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
        ),
        *("nice song;=1+1", "nice song,=1+1", "a\t@b", "a|-b", "a\n=b", "a;  =b", "'=1", "'quoted", '="x"'),
        *(
            "007",
            "+4915112345678",
            "1e5",
            "10/10",
            "MAR1",
            "1,5",
            "1.50",
            "5%",
            "$5",
            "12:30",
            " 5",
            "-1",
            "٧",
            "５",
        ),
        *("7698971293886388232", "1" * 100, "true", "FALSCH", "a\rb", 'say "7"', "=" + "x" * 1_000),
    ],
)
def test_a_text_that_a_spreadsheet_would_change_or_run_is_a_formula_with_that_result(guard, text):
    assert result_of(guard(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "first snow #winter",
        "#tag",
        "a=b",
        "тренд",
        "nice; song",
        "two\nlines",
        'say "hi"',
        "x" * 90 + " 7",
    ],
)
def test_a_text_that_a_spreadsheet_leaves_alone_is_unchanged(guard, text):
    assert guard(text) == text


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("=+-@;,\t|\r\n\"'&() a7é"), max_size=300))
def test_no_text_gets_out_of_its_formula(guard, text):
    cell = guard(text)
    assert cell == text or result_of(cell) == text


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("=+-@;,\t|\r\n\"'&() a7é"), max_size=300))
def test_whatever_separator_a_file_is_split_at_no_piece_of_a_guarded_text_begins_a_formula(guard, text):
    cell = '"' + guard(text).replace('"', '""') + '"'
    if cell[1] == "=":
        for separator in ",;\t|\r\n":
            later_pieces = cell.split(separator)[1:]
            assert [piece for piece in later_pieces if piece.lstrip()[:1] in set("=+-@")] == []


def test_a_text_that_is_too_long_for_a_formula_gets_an_apostrophe(guard):
    text = "=" + '"' * LONGEST_FORMULA
    assert guard(text) == "'" + text


def test_null_stays_null(guard):
    assert guard(None) is None


@pytest.mark.parametrize(
    ("column_type", "literal", "cell"),
    [
        ("BIGINT", "7698971293886388232", '="7698971293886388232"'),
        ("BIGINT", "-7698971293886388232", '="-7698971293886388232"'),
        ("BIGINT", "123456789012345", "123456789012345"),
        ("BIGINT", "-1", "-1"),
        ("INTEGER", "-7", "-7"),
        ("DOUBLE", "-0.5", "-0.5"),
        ("DECIMAL(20,2)", "123456789012345678.25", '="123456789012345678.25"'),
        ("DECIMAL(4,1)", "-7.5", "-7.5"),
        ("VARCHAR", "'=1'", '="=1"'),
        ("BLOB", "'=1'::BLOB", '="=1"'),
        ("BLOB", r"'\xFF'::BLOB", "/w=="),
        ("VARCHAR[]", "['=1']", """="['=1']\""""),
    ],
)
def test_every_column_type_has_a_safe_cell(database, column_type, literal, cell):
    column = guarded_column("c", column_type)
    found = database.execute(
        f"SELECT CAST({column} AS VARCHAR) FROM (SELECT {literal}::{column_type} AS c)"
    ).fetchall()
    assert found == [(cell,)]


@pytest.mark.parametrize(
    ("column_type", "quoted"),
    [
        ("VARCHAR", True),
        ("BLOB", True),
        ("BIGINT", False),
        ("DECIMAL(20,2)", False),
        ("VARCHAR[]", True),
        ("DATE", False),
    ],
)
def test_columns_of_texts_are_quoted_throughout(column_type, quoted):
    assert is_text(column_type) is quoted
