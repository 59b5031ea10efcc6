"""`python -m deploy.local up|down|status|env|clean|psql|sql|exec|airflow`: the embedded stack of one folder, by default `.local`."""

import os
import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import psycopg2
import typer

from core.errors import GroundswellError
from core.settings import Settings
from deploy.local import consoles, stack
from deploy.local.layout import Layout, State, layout_for
from deploy.local.servers import airflow
from deploy.local.shell import child_environment
from sql.figures import status_text

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def up() -> None:
    """Start Kafka, S3 and Postgres, with topics, bucket and tables; safe to run again."""
    started = time.monotonic()
    layout = layout_for()
    for note in stack.up(layout):
        typer.echo(note)
    settings = stack.stack_settings(layout.root)
    typer.echo(
        f"Up after {time.monotonic() - started:.1f} s: Kafka {settings.kafka_bootstrap_servers}, S3 {settings.s3_endpoint}, "
        f"Postgres {settings.postgres_host}:{settings.postgres_port}. For a shell: source {str(layout.env_file)!r}"
    )


@app.command()
def down() -> None:
    """Stop everything that the stack started; the data stays."""
    names = stack.down(layout_for())
    typer.echo(f"Stopped: {', '.join(names)}." if names else "Nothing was running.")


@app.command()
def status() -> None:
    """What runs, on which port, with how much memory and data; then how far everything is."""
    layout = layout_for()
    rows = stack.status(layout)
    typer.echo(f"{'program':<18}{'state':<9}{'port':>6}{'pid':>9}{'memory MB':>11}{'data MB':>9}  log")
    for row in rows:
        state = "running" if row.pid else "stopped"
        sizes = f"{row.memory_bytes / 1e6:>11.0f}{row.data_bytes / 1e6:>9.0f}"
        typer.echo(f"{row.name:<18}{state:<9}{row.port or '-':>6}{row.pid or '-':>9}{sizes}  {row.log}")
    if any(row.name == "postgres" and row.pid for row in rows):
        typer.echo("\n" + _figures(stack.stack_settings(layout)))
    raise typer.Exit(0 if all(row.pid for row in rows) else 3)


@app.command()
def env() -> None:
    """Print the variables that lead to the stack, to be evaluated by a shell; they hold its passwords."""
    stack.stack_settings()
    typer.echo(layout_for().env_file.read_text(), nl=False)


@app.command()
def clean() -> None:
    """Stop everything and delete the data, the logs and the credentials; the Java archives stay."""
    layout = layout_for()
    stack.clean(layout)
    typer.echo(f"{layout.root} is empty but for the Java archives.")


@app.command()
def psql(query: Annotated[str | None, typer.Argument(help="one query instead of a prompt")] = None) -> None:
    """A psql prompt on the tables."""
    _, _, environment = _started()
    consoles.become(consoles.psql_command(query), environment)


@app.command()
def sql(query: Annotated[str | None, typer.Argument(help="one query instead of a prompt")] = None) -> None:
    """A DuckDB prompt over the archive (raw_posts) and the tables, side by side."""
    layout, _, environment = _started()
    if query is None:
        typer.echo(
            "raw_posts is the archive; the other tables are Postgres's (read only). SHOW ALL TABLES; lists them, Ctrl-D ends."
        )
    consoles.become(consoles.duckdb_command(layout, stack.stack_settings(layout), query), environment)


@app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(command: list[str]) -> None:
    """Run a command in the stack's environment."""
    _, _, environment = _started()
    consoles.become(command, environment)


@app.command("airflow")
def airflow_command() -> None:
    """Airflow's scheduler and web page, until Ctrl-C."""
    layout, state, environment = _started()
    try:
        typer.echo("Preparing Airflow (15 s the first time) ...")
        airflow.migrate_database(layout, environment)
        today = datetime.now(UTC).date()
        begin = os.environ.get(airflow.START_DATE) or str(
            airflow.first_day_to_schedule(stack.settings_of(layout, state), today)
        )
        environment[airflow.START_DATE] = begin
        address = airflow.start(layout, state, environment)
        typer.echo(f"Airflow: {address}  user {airflow.USER}  password {state.airflow_password}")
        typer.echo(
            f"daily_batch does the days from {begin} on, one after the other, once it is unpaused on that page."
        )
        typer.echo(f"Ctrl-C ends it. Its logs: {layout.logs}/airflow-*.log")
        airflow.watch(layout)
    except KeyboardInterrupt:
        typer.echo("Stopping Airflow ...")
    finally:
        airflow.stop(layout)


def _figures(settings: Settings) -> str:
    try:
        return status_text(settings, now=datetime.now(UTC))
    except psycopg2.Error as error:
        return f"The tables do not answer: {str(error).splitlines()[0]}"


def _started() -> tuple[Layout, State, dict[str, str]]:
    """The stack, started where it was not, and the environment for programs that use it."""
    layout = layout_for()
    for note in stack.up(layout):
        typer.echo(note, err=True)
    state = stack.known_state(layout)
    return layout, state, child_environment(layout, state, stack.settings_of(layout, state))


def main() -> None:
    """Run the command; an error of ours is one sentence and exit code 1."""
    try:
        app()
    except GroundswellError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        place = error.filename or layout_for().root
        typer.echo(
            f"{place}: {error.strerror}. Give yourself permission and room there, or set LOCAL.", err=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
