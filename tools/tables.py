"""`python -m tools.tables`: writes docs/tables.md from the comments of tables, views and columns in Postgres.

Reads the database of the settings in the environment (`source .local/env` after `make up`).
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from core.settings import read_settings
from sql.connection import query, transaction

PAGE = Path(__file__).resolve().parents[1] / "docs" / "tables.md"
HEAD = """# Tables and views

Made by `python -m tools.tables` from the comments in the database; a test compares both. A table with one
partition per day is listed once. The archive, `lake.tiktok.raw_posts`, is described in
[architecture.md](architecture.md).
"""


class Column(NamedTuple):
    """A column of a table or view."""

    relation: str
    kind: str
    """Table or view."""
    relation_comment: str | None
    name: str
    type: str
    is_nullable: bool
    comment: str | None


def columns(cursor: Cursor) -> list[Column]:
    """Return the columns of all tables and views of the schema public, by relation and position."""
    cursor.execute(query("columns_with_comments"))
    return [Column(*row) for row in cursor.fetchall()]


def page(found: list[Column]) -> Iterator[str]:
    """Yield the lines of docs/tables.md."""
    yield HEAD
    for kind, title in (("table", "Tables"), ("view", "Views")):
        yield f"## {title}\n"
        of_kind = [column for column in found if column.kind == kind]
        for name, group in groupby(of_kind, key=lambda column: column.relation):
            listed = list(group)
            yield f"### {name}\n"
            yield f"{_sentence(listed[0].relation_comment)}\n"
            yield "| column | type | null | meaning |"
            yield "|---|---|---|---|"
            for column in listed:
                null = "yes" if column.is_nullable and kind == "table" else ""
                yield f"| `{column.name}` | {column.type} | {null} | {_cell(column.comment)} |"
            yield ""


def _sentence(comment: str | None) -> str:
    return (comment or "").strip()


def _cell(comment: str | None) -> str:
    return (comment or "").replace("|", "\\|").strip()


def main() -> None:
    """Write the page."""
    with transaction(read_settings()) as cursor:
        PAGE.write_text("\n".join(page(columns(cursor))).rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
