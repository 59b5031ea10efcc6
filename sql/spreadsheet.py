"""CSV cells that a spreadsheet shows as they are in the table, as SQL for DuckDB; for the export.

A spreadsheet reads a cell as a number, a date or a formula wherever it can, quoted or not. Such a text is
written as a formula that has the text as its constant result: `="007"`. Nothing of the text is outside the
quotes of that formula, so nothing of it runs, and its separators are followed by a quote, so that nothing
runs either where the file is split at another separator than its own.
"""

LONGEST_FORMULA = 8_000
"""Characters of a formula; Excel takes 8,192. A text that needs more gets an apostrophe in front."""

GUARD = rf"""
CREATE MACRO is_changed_by_spreadsheets(cell) AS
    regexp_matches(cell, '(^|[\r\n,;\t|])\s*[=+@＝＋－＠-]|^[\t\r\n'']|\r')
    OR (length(cell) <= 60 AND regexp_matches(cell, '\p{{Nd}}'))
    OR regexp_full_match(cell, '[\s\p{{Nd}}.,eE+-]+')
    OR lower(cell) IN ('true', 'false', 'wahr', 'falsch', 'vrai', 'faux', 'verdadero', 'falso', 'vero');

CREATE MACRO as_formula(cell) AS '=' || array_to_string(list_transform(
    regexp_extract_all(cell, '[\r\n]|[^\r\n,;\t|]{{1,120}}[,;\t|]?|[,;\t|]'),
    lambda part: CASE part WHEN chr(10) THEN 'CHAR(10)' WHEN chr(13) THEN 'CHAR(13)'
        ELSE '"' || replace(part, '"', '""') || '"' END
), '&');

CREATE MACRO guarded(cell) AS CASE
    WHEN cell IS NULL OR NOT is_changed_by_spreadsheets(cell) THEN cell
    WHEN length(as_formula(cell)) <= {LONGEST_FORMULA} THEN as_formula(cell)
    ELSE '''' || cell
END;

CREATE MACRO guarded_number(cell) AS
    CASE WHEN length(regexp_replace(cell, '[^0-9]', '', 'g')) > 15 THEN as_formula(cell) ELSE cell END;
"""
"""Defines `guarded(text)`, and `guarded_number(text)` for numbers, of which a spreadsheet keeps 15 digits."""

_SHORT_NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "FLOAT",
    "DOUBLE",
    "BOOLEAN",
)
_TIMES = ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_LONG_NUMBERS = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")


def guarded_column(name: str, column_type: str) -> str:
    """Return the expression for a column's cells: short numbers, booleans and times as is, others guarded."""
    if column_type in (*_SHORT_NUMBERS, *_TIMES):
        return identifier(name)
    guard = "guarded" if is_text(column_type) else "guarded_number"
    return f"{guard}({as_text(name, column_type)})"


def is_text(column_type: str) -> bool:
    """Return whether a column's cells may hold any character, and so have to be quoted."""
    numbers_and_times = (*_SHORT_NUMBERS, *_LONG_NUMBERS, *_TIMES)
    return column_type not in numbers_and_times and not column_type.startswith("DECIMAL(")


def as_text(name: str, column_type: str) -> str:
    """Return the expression for a column as text; bytes are decoded as UTF-8 if valid, else base64."""
    column = identifier(name)
    return (
        f"coalesce(try(decode({column})), base64({column}))"
        if column_type == "BLOB"
        else f"CAST({column} AS VARCHAR)"
    )


def identifier(name: str) -> str:
    """Return `name` as an SQL identifier.

    >>> print(identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'
