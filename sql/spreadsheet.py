"""Cells that no spreadsheet runs as a formula or rounds, as SQL for DuckDB; for the export to CSV.

After OWASP's "CSV injection": a cell that would begin a formula begins with an apostrophe instead, and so does one that
begins with an apostrophe, so that a reader gets every cell back by dropping one apostrophe at its beginning.
"""

GUARD = r"""
CREATE MACRO guarded(cell) AS CASE
    WHEN regexp_full_match(cell, '[+-]?[0-9]{16,}([.][0-9]*)?') THEN '''' || cell
    WHEN regexp_full_match(cell, '[+-]?[0-9]{1,15}([.][0-9]+)?([eE][+-]?[0-9]{1,3})?') THEN cell
    WHEN regexp_matches(cell, '^([\t\r\n'']|\s*[=+@＝＋－＠-])') THEN '''' || cell
    ELSE cell
END
"""
"""Makes `guarded(text)`. Spreadsheets keep 15 digits of a number, so one with more becomes text as well."""

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
_MOMENTS = ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


def guarded_column(name: str, column_type: str) -> str:
    """The expression for the cells of a column: short numbers, truth values and moments as they are, the rest through `guarded`."""
    if column_type in (*_SHORT_NUMBERS, *_MOMENTS):
        return identifier(name)
    return f"guarded({as_text(name, column_type)})"


def as_text(name: str, column_type: str) -> str:
    """The expression for a column as text; bytes are UTF-8 where they can be, else base64."""
    column = identifier(name)
    return (
        f"coalesce(try(decode({column})), base64({column}))"
        if column_type == "BLOB"
        else f"CAST({column} AS VARCHAR)"
    )


def identifier(name: str) -> str:
    """`name` as SQL's identifier.

    >>> print(identifier('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'
