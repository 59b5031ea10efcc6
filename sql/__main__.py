"""`python -m sql migrate`: bring the database to the newest schema; safe to run again."""

import typer

from core.settings import read_settings
from sql.migrate import migrate

app = typer.Typer(add_completion=False, help=__doc__)


@app.callback()
def main() -> None:
    """The tables of Groundswell."""


@app.command("migrate")
def migrate_command() -> None:
    """Apply the migrations that the database does not have yet."""
    applied = migrate(read_settings())
    typer.echo(f"{len(applied)} migrations applied" + (": " + ", ".join(applied) if applied else ", the schema is up to date"))


if __name__ == "__main__":
    app()
