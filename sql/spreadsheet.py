"""CSV cells that spreadsheets neither run as a formula nor round, as SQL for DuckDB; for the export.

After OWASP's "CSV injection": a cell that would start a formula is prefixed with an apostrophe, and so is one
that starts with an apostrophe. Removing one leading apostrophe therefore restores every cell.
"""

GUARD = r"""
CREATE MACRO guarded(cell) AS CASE
    WHEN regexp_full_match(cell, '[+-]?[0-9]{16,}([.][0-9]*)?') THEN '''' || cell
    WHEN regexp_full_match(cell, '[+-]?[0-9]{1,15}([.][0-9]+)?([eE][+-]?[0-9]{1,3})?') THEN cell
    WHEN regexp_matches(cell, '^([\t\r\n'']|\s*[=+@＝＋－＠-])') THEN '''' || cell
    ELSE cell
END
"""
"""Defines `guarded(text)`. Spreadsheets keep 15 digits of a number, so longer ones become text as well."""

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


def guarded_column(name: str, column_type: str) -> str:
    """Return the expression for a column's cells: short numbers, booleans and times as is, others guarded."""
    if column_type in (*_SHORT_NUMBERS, *_TIMES):
        return identifier(name)
    return f"guarded({as_text(name, column_type)})"


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
