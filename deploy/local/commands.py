"""The commands of the embedded stack of one folder, by default `.local`."""

import os
import time
from datetime import UTC, datetime
from typing import Annotated

import psycopg2
import typer

from core.command_line import new_app
from core.settings import Settings
from deploy.local import consoles, stack
from deploy.local.layout import Layout, State, layout_for
from deploy.local.servers import airflow
from deploy.local.servers.web import start_page, wait_for_page
from deploy.local.shell import child_environment
from sql.figures import status_text

NOT_ALL_RUNNING = 3
"""Exit code of `status` while a server is stopped."""

app = new_app(no_args_is_help=True)


@app.callback()
def commands() -> None:
    """Run Kafka, S3, Postgres and Airflow on this machine, with their data in one folder."""


@app.command()
def up() -> None:
    """Start Kafka, S3, Postgres and the page, with topics, bucket and tables; safe to run again."""
    started = time.monotonic()
    layout, state, environment = _started()
    page = start_page(layout, state, environment)
    wait_for_page(layout, page)
    settings = stack.stack_settings(layout.root)
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    typer.echo(
        f"Up after {time.monotonic() - started:.1f} s: Kafka {settings.kafka_bootstrap_servers}, "
        f"S3 {settings.s3_endpoint}, Postgres {postgres}, page {page}. "
        f"For a shell: source {str(layout.env_file)!r}"
    )


@app.command()
def down() -> None:
    """Stop everything that the stack started; the data stays."""
    names = stack.down(layout_for())
    typer.echo(f"Stopped: {', '.join(names)}." if names else "Nothing was running.")


@app.command()
def status() -> None:
    """Show what runs, on which port, with how much memory and data; then the progress of the pipeline."""
    layout = layout_for()
    rows = stack.status(layout)
    typer.echo(f"{'program':<18}{'state':<9}{'port':>6}{'pid':>9}{'memory MB':>11}{'data MB':>9}  log")
    for row in rows:
        state = "running" if row.pid else "stopped"
        sizes = f"{row.memory_bytes / 1e6:>11.0f}{row.data_bytes / 1e6:>9.0f}"
        typer.echo(f"{row.name:<18}{state:<9}{row.port or '-':>6}{row.pid or '-':>9}{sizes}  {row.log}")
    if any(row.name == "postgres" and row.pid for row in rows):
        typer.echo("\n" + _figures(stack.stack_settings(layout)))
    raise typer.Exit(0 if all(row.pid for row in rows) else NOT_ALL_RUNNING)


@app.command()
def env() -> None:
    """Print the variables that point to the stack, for a shell to evaluate; they contain its passwords."""
    stack.stack_settings()
    typer.echo(layout_for().env_file.read_text(), nl=False)


@app.command()
def clean() -> None:
    """Stop everything and delete the data, the logs and the credentials; the Java archives stay."""
    layout = layout_for()
    stack.clean(layout)
    typer.echo(f"{layout.root} is empty except for the Java archives.")


@app.command()
def psql(
    query: Annotated[str | None, typer.Argument(help="A query to run instead of a prompt.")] = None,
) -> None:
    """Open a psql prompt on the tables."""
    _, _, environment = _started()
    consoles.become(consoles.psql_command(query), environment)


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="A query to run instead of a prompt.")] = None,
) -> None:
    """Open a DuckDB prompt over the archive (raw_posts) and the tables, side by side."""
    layout, _, environment = _started()
    if query is None:
        typer.echo(
            "raw_posts is the archive; the other tables are those of Postgres, read-only. "
            "SHOW ALL TABLES; lists them, Ctrl-D exits."
        )
    consoles.become(consoles.duckdb_command(layout, stack.stack_settings(layout), query), environment)


@app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(command: list[str]) -> None:
    """Run a command in the stack's environment."""
    _, _, environment = _started()
    consoles.become(command, environment)


@app.command("airflow")
def airflow_command() -> None:
    """Run Airflow's scheduler and web page until Ctrl-C."""
    layout, state, environment = _started()
    try:
        typer.echo("Preparing Airflow (15 s the first time) ...")
        airflow.migrate_database(layout, environment)
        today = datetime.now(UTC).date()
        start_date = os.environ.get(airflow.START_DATE) or str(
            airflow.first_day_to_schedule(stack.settings_of(layout, state), today)
        )
        environment[airflow.START_DATE] = start_date
        address = airflow.start(layout, state, environment)
        typer.echo(f"Airflow: {address}  user {airflow.USER}  password {state.airflow_password}")
        typer.echo(
            f"Once unpaused on that page, daily_batch runs the days from {start_date} on, one at a time."
        )
        typer.echo(f"Ctrl-C stops it. Its logs: {layout.logs}/airflow-*.log")
        airflow.watch(layout)
    except KeyboardInterrupt:
        typer.echo("Stopping Airflow ...")
    finally:
        airflow.stop(layout)


def sentence_on_disk(error: Exception) -> str | None:
    """Return what to do if a file of the stack cannot be written, None for any other error."""
    if not isinstance(error, OSError):
        return None
    path = error.filename or layout_for().root
    return f"{path}: {error.strerror}. Give yourself permission and free space there, or set LOCAL."


def _figures(settings: Settings) -> str:
    try:
        return status_text(settings, now=datetime.now(UTC))
    except psycopg2.Error as error:
        return f"The tables do not answer: {str(error).splitlines()[0]}"


def _started() -> tuple[Layout, State, dict[str, str]]:
    """Start the stack unless it runs; return layout, state and the environment for programs that use it."""
    layout = layout_for()
    for note in stack.up(layout):
        typer.echo(note, err=True)
    state = stack.known_state(layout)
    return layout, state, child_environment(layout, state, stack.settings_of(layout, state))
