"""docs/tables.md holds the comments of the database, and every table, view and column has one."""

from core.settings import Settings
from sql.connection import transaction
from tools.tables import PAGE, columns, page


def test_every_table_and_column_has_a_comment(module_settings: Settings) -> None:
    with transaction(module_settings) as cursor:
        found = columns(cursor)
    assert len(found) > 200
    assert [
        (column.relation, column.name) for column in found if not (column.relation_comment and column.comment)
    ] == []


def test_the_page_holds_the_comments(module_settings: Settings) -> None:
    with transaction(module_settings) as cursor:
        assert PAGE.read_text() == "\n".join(page(columns(cursor))).rstrip("\n") + "\n"
